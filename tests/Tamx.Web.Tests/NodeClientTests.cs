using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace Tamx.Web.Tests;

/// <summary>OpenAI's client for Node.js against a server (tests/openai).</summary>
public sealed class NodeClientTests
{
    private const string Key = "correct-horse-battery";

    private static string Folder { get; } = FindFolder();

    [Fact]
    public async Task Client_AllItsCalls_GetWhatTheyShould()
    {
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(Folder, "node_modules", "openai")),
            "Needs OpenAI's client for Node.js: npm ci --prefix tests/openai."
        );
        await using var server = await RunningServer.StartAsync(RunningServer.Options with { ApiKey = Key });

        using var json = JsonDocument.Parse(await RunAsync(server));

        var root = json.RootElement;
        Assert.Equal(["tamx-demo-grounded"], root.GetProperty("models").EnumerateArray().Select(Text));
        Assert.Equal("tamx-demo-grounded", Text(root.GetProperty("retrieved")));

        var choice = root.GetProperty("answer").GetProperty("choices")[0];
        Assert.Equal("An orange", Text(choice.GetProperty("message").GetProperty("content")));
        Assert.Equal("stop", Text(choice.GetProperty("finish_reason")));
        var tokens = choice.GetProperty("logprobs").GetProperty("content").EnumerateArray().ToList();
        Assert.Equal(["An", " orange"], tokens.Select(token => Text(token.GetProperty("token"))));
        Assert.All(tokens, token => Assert.Equal(2, token.GetProperty("top_logprobs").GetArrayLength()));

        var chunks = root.GetProperty("chunks").EnumerateArray().ToList();
        Assert.Equal(3, chunks[^1].GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.Equal("length", Text(chunks[^2].GetProperty("choices")[0].GetProperty("finish_reason")));
        Assert.Equal("An orange cross", string.Concat(root.GetProperty("deltas").EnumerateArray().Select(Text)));

        var joined = root.GetProperty("joined").GetProperty("choices")[0];
        Assert.Equal("An orange cross", Text(joined.GetProperty("message").GetProperty("content")));
        Assert.Equal("length", Text(joined.GetProperty("finish_reason")));
        Assert.Equal(3, joined.GetProperty("logprobs").GetProperty("content").GetArrayLength());
        Assert.Equal(
            "assistant",
            Text(root.GetProperty("next").GetProperty("choices")[0].GetProperty("message").GetProperty("role"))
        );
        Assert.Equal(2, root.GetProperty("maps").GetInt32());

        var errors = root.GetProperty("errors");
        AssertError(errors.GetProperty("model"), "NotFoundError", 404, "model_not_found", "model");
        AssertError(errors.GetProperty("picture"), "BadRequestError", 400, "invalid_image", null);
        AssertError(errors.GetProperty("stream"), "BadRequestError", 400, "invalid_image", null);
        AssertError(errors.GetProperty("setting"), "BadRequestError", 400, "unsupported", "n");
        AssertError(errors.GetProperty("key"), "AuthenticationError", 401, "wrong_api_key", null);
    }

    private static void AssertError(JsonElement error, string name, int status, string code, string? parameter)
    {
        Assert.Equal(name, Text(error.GetProperty("name")));
        Assert.Equal(status, error.GetProperty("status").GetInt32());
        Assert.Equal(code, Text(error.GetProperty("code")));
        Assert.Equal(parameter, error.GetProperty("param").GetString());
    }

    private static string? Text(JsonElement element) => element.GetString();

    private static async Task<string> RunAsync(RunningServer server)
    {
        var start = new ProcessStartInfo("node")
        {
            ArgumentList =
            {
                Path.Combine(Folder, "client.js"),
                new Uri(server.Server.Address, "v1").ToString(),
                Key,
                RunningServer.DataUrl(RunningServer.Scene),
            },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var node = Process.Start(start)!;
            var error = node.StandardError.ReadToEndAsync();
            var output = await node.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(2));
            await node.WaitForExitAsync();
            Assert.True(node.ExitCode == 0, await error);
            return output;
        }
        catch (Win32Exception)
        {
            Assert.Skip("Needs node (Debian: apt-get install nodejs).");
            throw;
        }
    }

    private static string FindFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Tamx.sln")))
        {
            folder = folder.Parent;
        }

        return Path.Combine(folder.FullName, "tests", "openai");
    }
}
