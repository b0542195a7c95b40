using System.Diagnostics;
using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

#pragma warning disable MCP9005 // The protocol gives up roots with its version of 2026-07-28; clients still have them.

/// <summary><c>tamx mcp</c> as a process, called by the protocol's own client.</summary>
public sealed class McpCommandTests : IDisposable
{
    private const string Older = "2025-06-18";
    private const string Answer = "An orange cross, a blue diamond and a purple heart.";

    private static readonly string Picture = DemoFiles.Picture;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Tools_AreTwo_WithSchemas()
    {
        await using var client = await StartAsync();

        var tools = await client.ListToolsAsync();

        Assert.Equal("tamx", client.ServerInfo!.Name);
        Assert.Equal(["explain_image", "why"], tools.Select(tool => tool.Name).Order());
        Assert.All(tools, tool => Assert.NotNull(tool.ReturnJsonSchema));
        Assert.All(tools, tool => Assert.True(tool.ProtocolTool.Annotations!.ReadOnlyHint));
        var explain = tools.Single(tool => tool.Name == "explain_image").JsonSchema;
        Assert.Equal(
            ["image", "question", "maxTokens"],
            explain.GetProperty("properties").EnumerateObject().Select(property => property.Name)
        );
        Assert.Equal("image", Assert.Single(explain.GetProperty("required").EnumerateArray()).GetString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData(Older)]
    public async Task ExplainImage_ThenWhy_GiveAnswerSourcesAndPictures(string? version)
    {
        await using var client = await StartAsync(version: version);

        var explained = await CallAsync(client, "explain_image", ("image", Picture));
        var why = await CallAsync(client, "why", ("word", " HEART "));

        Assert.Equal(Answer, TextOf(explained));
        var sources = Structured(explained);
        Assert.Equal(Answer, sources.GetProperty("answer").GetString());
        Assert.Equal("endToken", sources.GetProperty("stopReason").GetString());
        Assert.Equal(384, sources.GetProperty("pictureWidth").GetInt32());
        JsonElement[] words = [.. sources.GetProperty("words").EnumerateArray()];
        Assert.Equal(
            ["An", "orange", "cross", ",", "a", "blue", "diamond", "and", "a", "purple", "heart", "."],
            words.Select(word => word.GetProperty("word").GetString())
        );
        Assert.Equal(1, words.Max(word => word.GetProperty("strength").GetDouble()));
        Assert.Equal("image/png", ImageOf(explained).MimeType);
        Assert.Equal(384, RgbImage.Decode(ImageOf(explained).DecodedData, "overlay").Width);

        // The same word twice, once within the answer.
        Assert.Equal(JsonSerializer.Serialize(words[10]), JsonSerializer.Serialize(Structured(why)));
        var place = Structured(why).GetProperty("picture")[0];
        Assert.InRange(place.GetProperty("value").GetDouble(), 0.01, 1);
        Assert.Equal(32, place.GetProperty("width").GetInt32());
        var text = Structured(why).GetProperty("text")[0];
        Assert.Equal(
            ("purple", "answer"),
            (text.GetProperty("text").GetString(), text.GetProperty("from").GetString())
        );
        Assert.StartsWith("\"heart\" came from the picture at ", TextOf(why), StringComparison.Ordinal);
        Assert.NotEqual(ImageOf(explained).DecodedData.ToArray(), ImageOf(why).DecodedData.ToArray());
        var another = Structured(await CallAsync(client, "why", ("word", "a"), ("occurrence", 2)));
        Assert.Equal(JsonSerializer.Serialize(words[8]), JsonSerializer.Serialize(another));
    }

    [Fact]
    public async Task ExplainImage_FormsOfAPicture_GiveOneAnswer()
    {
        File.Copy(Picture, _folder.File("a picture.jpg"));
        var data = Convert.ToBase64String(await File.ReadAllBytesAsync(Picture));
        await using var client = await StartAsync();
        var forms = (string[])
            [
                $"data:image/jpeg;base64,{data}",
                data,
                "a picture.jpg",
                new Uri(_folder.File("a picture.jpg")).AbsoluteUri,
            ];

        foreach (var form in forms)
        {
            Assert.Equal(
                "An orange",
                TextOf(await CallAsync(client, "explain_image", ("image", form), ("maxTokens", 2)))
            );
        }
    }

    [Fact]
    public async Task ExplainImage_LargePicture_ReturnsASmallerOne()
    {
        await File.WriteAllBytesAsync(_folder.File("wide.png"), TestPictures.Gradient(3000, 600).Encoded.ToArray());
        await using var client = await StartAsync(options: ["--image-max-tokens", "64"]);

        var result = await CallAsync(client, "explain_image", ("image", _folder.File("wide.png")), ("maxTokens", 2));

        Assert.Equal(3000, Structured(result).GetProperty("pictureWidth").GetInt32());
        Assert.Equal(1024, RgbImage.Decode(ImageOf(result).DecodedData, "overlay").Width);
    }

    [Fact]
    public async Task Faults_AreAnswersOfOneLine_AndTheServerLives()
    {
        await File.WriteAllTextAsync(_folder.File("no picture.png"), "text");
        await using var client = await StartAsync(options: ["-n", "8"]);

        await AssertFault(client, "why", "call explain_image first", ("word", "heart"));
        await AssertFault(client, "explain_image", "nothing is fetched", ("image", "https://a.example/b.png"));
        await AssertFault(client, "explain_image", "no such file", ("image", _folder.File("missing.png")));
        await AssertFault(client, "explain_image", "no picture.png", ("image", "no picture.png"));
        await AssertFault(client, "explain_image", "image", ("image", "data:image/png;base64,AAAA"));
        await AssertFault(client, "explain_image", "image is empty", ("image", " "));
        await AssertFault(client, "explain_image", "maxTokens is 0", ("image", Picture), ("maxTokens", 0));
        await AssertFault(client, "explain_image", "from 1 to 8", ("image", Picture), ("maxTokens", 9));
        await AssertFault(client, "explain_image", "of the wrong type", ("image", Picture), ("maxTokens", "many"));
        await AssertFault(client, "explain_image", "'image'");
        await AssertFault(
            client,
            "explain_image",
            "the prompt has 300",
            ("image", Picture),
            ("question", new string('a', 300_000))
        );
        Assert.Equal(
            "An orange",
            TextOf(await CallAsync(client, "explain_image", ("image", Picture), ("maxTokens", 2)))
        );
        await AssertFault(client, "why", "its words are: An orange", ("word", "zebra"));
        await AssertFault(client, "why", "\"orange\" 1 times", ("word", "orange"), ("occurrence", 2));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(Older)]
    public async Task ExplainImage_ClientWithRoots_OpensNothingOutside(string? version)
    {
        var inside = Directory.CreateDirectory(_folder.File("in side")).FullName;
        File.Copy(Picture, Path.Combine(inside, "a.jpg"));
        File.Copy(Picture, _folder.File("outside.jpg"));
        File.CreateSymbolicLink(Path.Combine(inside, "away.jpg"), _folder.File("outside.jpg"));
        Directory.CreateSymbolicLink(Path.Combine(inside, "up"), _folder.Path);
        var roots = new List<string> { new Uri(inside).AbsoluteUri };
        await using var client = await StartAsync(version, roots);

        await AssertAnswers(Path.Combine(inside, "a.jpg"));
        await AssertAnswers(Path.Combine(inside, "up", "in side", "a.jpg"));
        await AssertAnswers($"data:image/jpeg;base64,{Convert.ToBase64String(await File.ReadAllBytesAsync(Picture))}");
        foreach (
            var outside in (string[])
                [
                    _folder.File("outside.jpg"),
                    "outside.jpg",
                    Path.Combine(inside, "away.jpg"),
                    Path.Combine(inside, "up", "outside.jpg"),
                    Path.Combine(inside, "..", "outside.jpg"),
                    new Uri(_folder.File("outside.jpg")).AbsoluteUri,
                    Path.Combine(inside + "-not", "missing.jpg"),
                ]
        )
        {
            await AssertFault(client, "explain_image", "is outside the folders", ("image", outside));
        }

        // Roots may change.
        roots[0] = new Uri(_folder.Path).AbsoluteUri;
        await AssertAnswers(_folder.File("outside.jpg"));
        roots.Clear();
        await AssertFault(client, "explain_image", "no files may be opened", ("image", _folder.File("outside.jpg")));
        roots.Add("https://a.example/");
        await AssertFault(client, "explain_image", "is no folder of this machine", ("image", "outside.jpg"));

        async Task AssertAnswers(string image) =>
            Assert.Equal(
                "An orange",
                TextOf(await CallAsync(client, "explain_image", ("image", image), ("maxTokens", 2)))
            );
    }

    [Fact]
    public async Task ExplainImage_Cancelled_EndsAndLeavesTheModelToTheNext()
    {
        // A model that never ends an answer.
        var files = TestModels.Qwen3Vl;
        await using var client = await StartAsync(
            options: ["-m", files.ModelPath, "--mmproj", files.ProjectorPath, "-n", "100000"]
        );
        using var cancel = new CancellationTokenSource();
        var messages = new List<string>();
        var progress = new Reported(value =>
        {
            lock (messages)
            {
                messages.Add(value.Message!);
            }

            if (value.Message!.StartsWith("generate 3/", StringComparison.Ordinal))
            {
                cancel.Cancel();
            }
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await client.CallToolAsync(
                "explain_image",
                new Dictionary<string, object?> { ["image"] = Picture, ["maxTokens"] = 100_000 },
                progress,
                cancellationToken: cancel.Token
            )
        );

        var next = await CallAsync(client, "explain_image", ("image", Picture), ("maxTokens", 3));
        Assert.Equal(3, Structured(next).GetProperty("answerTokens").GetInt32());
        Assert.Equal("maxNewTokens", Structured(next).GetProperty("stopReason").GetString());
        lock (messages)
        {
            Assert.Contains("loading the model", messages);
            Assert.Contains(messages, message => message.StartsWith("encode ", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task StandardOutput_HasTheProtocolAlone_AlsoWithLogs()
    {
        var start = new ProcessStartInfo(
            ChildProcess.Dotnet,
            [typeof(CommandLine).Assembly.Location, "mcp", "-v", "-t", "1"]
        )
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        await SendAsync(
            new
            {
                jsonrpc = "2.0",
                id = 1,
                method = "initialize",
                @params = new
                {
                    protocolVersion = Older,
                    capabilities = new { },
                    clientInfo = new { name = "test", version = "1" },
                },
            }
        );
        await SendAsync(new { jsonrpc = "2.0", method = "notifications/initialized" });
        await SendAsync(
            new
            {
                jsonrpc = "2.0",
                id = 2,
                method = "tools/call",
                @params = new { name = "explain_image", arguments = new { image = Picture, maxTokens = 2 } },
            }
        );

        var answered = false;
        while (!answered)
        {
            var line = await process.StandardOutput.ReadLineAsync();
            using var message = JsonDocument.Parse(line!);
            Assert.Equal("2.0", message.RootElement.GetProperty("jsonrpc").GetString());
            answered = message.RootElement.TryGetProperty("id", out var id) && id.GetInt32() == 2;
        }

        process.StandardInput.Close();
        Assert.Equal("", await process.StandardOutput.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.Equal(ExitCode.Ok, process.ExitCode);
        Assert.Contains("llama", await error, StringComparison.OrdinalIgnoreCase);

        async Task SendAsync(object message)
        {
            await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(message));
            await process.StandardInput.FlushAsync();
        }
    }

    [Fact]
    public async Task Mcp_InputAtItsEnd_IsTheEnd()
    {
        var run = await CommandRun.Of(["mcp"]);

        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Output));
        Assert.Contains("demo model", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ExitCode.BadInput, "no such file", "-m", "missing.gguf")]
    [InlineData(ExitCode.Usage, "-n", "-n", "0")]
    [InlineData(ExitCode.Usage, "-m cannot be read from stdin", "-m", "-")]
    public async Task Mcp_OptionThatCannotBe_FailsBeforeTheFirstCall(
        int code,
        string message,
        params string[] options
    ) => (await CommandRun.Of(["mcp", .. options])).AssertFails(code, message);

    private Task<McpClient> StartAsync(
        string? version = null,
        List<string>? roots = null,
        IEnumerable<string>? options = null
    )
    {
        var transport = new StdioClientTransport(
            new StdioClientTransportOptions
            {
                Command = ChildProcess.Dotnet,
                Arguments = [typeof(CommandLine).Assembly.Location, "mcp", "-t", "1", .. options ?? []],
                WorkingDirectory = _folder.Path,
            }
        );
        var handlers = new McpClientHandlers();
        if (roots is not null)
        {
            handlers.RootsHandler = (_, _) =>
                ValueTask.FromResult(new ListRootsResult { Roots = [.. roots.Select(uri => new Root { Uri = uri })] });
        }

        return McpClient.CreateAsync(
            transport,
            new McpClientOptions { ProtocolVersion = version, Handlers = handlers },
            cancellationToken: TestContext.Current.CancellationToken
        );
    }

    private static async Task<CallToolResult> CallAsync(
        McpClient client,
        string tool,
        params (string Name, object? Value)[] arguments
    )
    {
        var result = await client.CallToolAsync(tool, arguments.ToDictionary(one => one.Name, one => one.Value));
        Assert.False(result.IsError is true, TextOf(result));
        return result;
    }

    private static async Task AssertFault(
        McpClient client,
        string tool,
        string fault,
        params (string Name, object? Value)[] arguments
    )
    {
        var result = await client.CallToolAsync(tool, arguments.ToDictionary(one => one.Name, one => one.Value));
        Assert.Contains(fault, TextOf(result), StringComparison.Ordinal);
        Assert.True(result.IsError);
        Assert.DoesNotContain('\n', TextOf(result));
    }

    private static string TextOf(CallToolResult result) => result.Content.OfType<TextContentBlock>().First().Text;

    private static ImageContentBlock ImageOf(CallToolResult result) =>
        Assert.Single(result.Content.OfType<ImageContentBlock>());

    /// <summary>The structured answer, which stands among the texts too.</summary>
    private static JsonElement Structured(CallToolResult result)
    {
        var structured = result.StructuredContent!.Value;
        var text = result.Content.OfType<TextContentBlock>().ElementAt(1).Text;
        using var document = JsonDocument.Parse(text);
        Assert.True(JsonElement.DeepEquals(structured, document.RootElement));
        return structured;
    }

    private sealed class Reported(Action<ProgressNotificationValue> report) : IProgress<ProgressNotificationValue>
    {
        public void Report(ProgressNotificationValue value) => report(value);
    }
}
