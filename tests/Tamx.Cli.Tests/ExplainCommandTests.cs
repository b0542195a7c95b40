using System.Text.Json;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

public sealed class ExplainCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string ReportPath => _folder.File("report.html");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Explain_NothingButNames_ExplainsTheDemoPicture()
    {
        var run = await CommandRun.Of(["explain", "-o", ReportPath, "-n", "6", "-t", "1"]);

        Assert.Equal(0, run.ExitCode);
        Assert.NotEmpty(run.Output.Trim());
        Assert.Contains("demo model", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b", run.Error, StringComparison.Ordinal);
        var page = await File.ReadAllTextAsync(ReportPath);
        Assert.Contains(Convert.ToBase64String(File.ReadAllBytes(DemoFiles.Picture)), page, StringComparison.Ordinal);

        // The name of SVG's namespace is no address to fetch.
        Assert.DoesNotContain(
            "http://",
            page.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("https://", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_Json_PrintsJsonAlone()
    {
        var run = await CommandRun.Of([
            "explain",
            "-o",
            ReportPath,
            "-n",
            "4",
            "-t",
            "1",
            "--candidates",
            "2",
            "--json",
        ]);

        Assert.Equal(0, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        var tokens = json.RootElement.GetProperty("tokens").EnumerateArray().ToArray();
        Assert.Equal(4, tokens.Length);
        Assert.Equal("maxNewTokens", json.RootElement.GetProperty("stopReason").GetString());
        foreach (var token in tokens)
        {
            var candidates = token.GetProperty("candidates").EnumerateArray().ToArray();
            Assert.Equal(2, candidates.Length);

            // Greedy: the token is the first candidate, with the same logit.
            Assert.Equal(
                token.GetProperty("token").GetProperty("id").GetInt32(),
                candidates[0].GetProperty("id").GetInt32()
            );
            Assert.Equal(
                token.GetProperty("token").GetProperty("logit").GetSingle(),
                candidates[0].GetProperty("logit").GetSingle()
            );
        }

        Assert.Equal(
            ["generate", "load", "maps", "prefill", "write"],
            json.RootElement.GetProperty("seconds").EnumerateObject().Select(property => property.Name).Order()
        );
    }

    [Fact]
    public async Task Explain_Export_WritesAPicturePerWordAndTables()
    {
        var folder = _folder.File("export");
        var run = await CommandRun.Of([
            "explain",
            "-o",
            ReportPath,
            "-t",
            "1",
            "--answer",
            " a redcircle.",
            "--no-eos",
            "--export",
            "png,csv",
            "--out-dir",
            folder,
            "--words",
            "--max-image-pixels",
            "10000",
        ]);

        Assert.Equal(0, run.ExitCode);
        string[] names =
        [
            .. Directory.GetFiles(folder).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal),
        ];
        Assert.Equal(["cells.csv", "relevance.csv", "tokens.csv"], names[^3..]);
        Assert.Contains("0001-redcircle.png", names);
        var page = await File.ReadAllTextAsync(ReportPath);
        Assert.Contains("id=\"picture-0\" data-media-type=\"image/jpeg\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_MapsJson_HoldsTheMapsOfTokensCandidatesAndWords()
    {
        var (trace, json) = (_folder.File("trace.safetensors"), _folder.File("maps.json"));
        var run = await CommandRun.Of([
            "explain",
            "-o",
            ReportPath,
            "-t",
            "1",
            "--answer",
            " a redcircle.",
            "--candidates",
            "2",
            "--json",
            "--maps-json",
            json,
            "--save-trace",
            trace,
        ]);
        Assert.Equal(0, run.ExitCode);
        var maps = ActivationMaps.Compute(TraceFile.Load(trace));

        using var document = JsonDocument.Parse(await File.ReadAllBytesAsync(json));
        var root = document.RootElement;
        Assert.Equal("tamx-maps/1", root.GetProperty("format").GetString());
        Assert.Equal("tamx", root.GetProperty("options").GetProperty("profile").GetString());
        var block = Assert.Single(root.GetProperty("blocks").EnumerateArray());
        Assert.Equal(maps.Layout.VisionBlocks[0].Grid.Rows, block.GetProperty("rows").GetInt32());
        Assert.Equal(maps.Layout.VisionBlocks[0].Grid.Columns, block.GetProperty("columns").GetInt32());
        Assert.Equal(
            maps.Layout.ContextPositions.Concat(maps.Layout.AnswerPositions),
            root.GetProperty("text").EnumerateArray().Select(text => text.GetProperty("position").GetInt32())
        );
        var answer = root.GetProperty("answer").EnumerateArray().ToArray();
        for (var i = 0; i < maps.Answer.Count; i++)
        {
            AssertSame(
                maps.Answer[i].Token.VisionMaps[0]!.Values.ToArray(),
                maps.Answer[i].Token.TextRelevance.ToArray(),
                answer[i].GetProperty("token")
            );
            AssertSame(
                maps.Answer[i].Candidates[1].VisionMaps[0]!.Values.ToArray(),
                maps.Answer[i].Candidates[1].TextRelevance.ToArray(),
                answer[i].GetProperty("candidates")[1]
            );
        }

        // "redcircle" is no token of the demo model, so the word has several.
        var words = root.GetProperty("words").EnumerateArray().ToArray();
        Assert.Equal(["a", "redcircle", "."], words.Select(word => word.GetProperty("text").GetString()));
        Assert.True(words[1].GetProperty("tokens").GetArrayLength() > 1);
        AssertSame(maps.Words[1].VisionMaps[0]!.Values.ToArray(), maps.Words[1].TextRelevance.ToArray(), words[1]);

        using var summary = JsonDocument.Parse(run.Output);
        Assert.Equal(
            words.Select(word => word.GetProperty("tokens").ToString()),
            summary
                .RootElement.GetProperty("words")
                .EnumerateArray()
                .Select(word => word.GetProperty("tokens").ToString())
        );

        static void AssertSame(float[] map, float[] relevance, JsonElement element)
        {
            FloatAssert.Equal(
                map,
                [.. element.GetProperty("maps")[0].EnumerateArray().Select(value => value.GetSingle())],
                0,
                "map"
            );
            FloatAssert.Equal(
                relevance,
                [.. element.GetProperty("relevance").EnumerateArray().Select(value => value.GetSingle())],
                0,
                "relevance"
            );
        }
    }

    [Fact]
    public async Task Explain_MapsJsonToStdout_PrintsItAlone()
    {
        var run = await CommandRun.Of(["explain", "-o", ReportPath, "-n", "2", "-t", "1", "--maps-json", "-"]);
        Assert.Equal(0, run.ExitCode);
        using var document = JsonDocument.Parse(run.Output);
        Assert.Equal(2, document.RootElement.GetProperty("answer").GetArrayLength());

        (await CommandRun.Of(["explain", "--json", "--maps-json", "-"])).AssertFails(2, "both write to stdout");
    }

    [Theory]
    [InlineData("qwen3vl")]
    [InlineData("deepstack")]
    [InlineData("qwen2.5vl")]
    public async Task Explain_SavedTrace_GivesTheSameMapsAgain(string name)
    {
        var files = name switch
        {
            "qwen3vl" => TestModels.Qwen3Vl,
            "deepstack" => TestModels.Qwen3VlDeepstack,
            _ => TestModels.Qwen25Vl,
        };
        var trace = _folder.File("trace.safetensors");
        var run = await CommandRun.Of([
            "explain",
            "-m",
            files.ModelPath,
            "--mmproj",
            files.ProjectorPath,
            "--image",
            DemoFiles.Picture,
            "--image",
            DemoFiles.Picture,
            "-p",
            "Compare.",
            "-o",
            ReportPath,
            "--save-trace",
            trace,
            "-n",
            "5",
            "-t",
            "1",
            "--json",
        ]);
        Assert.Equal(0, run.ExitCode);

        var loaded = TraceFile.Load(trace);
        var maps = ActivationMaps.Compute(loaded);
        Assert.Equal(2, maps.Layout.VisionBlocks.Count);
        Assert.Equal(2, loaded.Pictures.Count);
        Assert.All(maps.Answer, token => Assert.All(token.Token.VisionMaps, map => Assert.NotNull(map)));

        // w . h at the step before is the logit that llama.cpp gave.
        using var json = JsonDocument.Parse(run.Output);
        var logits = json
            .RootElement.GetProperty("tokens")
            .EnumerateArray()
            .Select(t => t.GetProperty("token").GetProperty("logit").GetSingle())
            .ToArray();
        FloatAssert.Equal(logits, [.. maps.Answer.Select(token => token.Token.Logit)], 1e-4, name);

        var again = _folder.File("maps.safetensors");
        var computed = await CommandRun.Of(["maps", trace, "-o", again]);
        Assert.Equal(0, computed.ExitCode);
        using var file = SafetensorsFile.Open(again);
        FloatAssert.Equal(
            maps.Answer[0].Token.VisionMaps[0]!.Values.Span,
            file.ReadSingles("vision_maps.0.0"),
            0,
            "saved map"
        );
    }

    [Fact]
    public async Task Explain_Sampling_SeedDecides()
    {
        Task<CommandRun> Run(int seed) =>
            CommandRun.Of([
                "explain",
                "-m",
                TestModels.Qwen3Vl.ModelPath,
                "-p",
                "Hello",
                "-o",
                ReportPath,
                "-n",
                "10",
                "-t",
                "1",
                "--temp",
                "2",
                "--top-k",
                "0",
                "--top-p",
                "1",
                "--seed",
                $"{seed}",
            ]);
        var first = await Run(1);
        Assert.Equal(first.Output, (await Run(1)).Output);
        Assert.NotEqual(first.Output, (await Run(2)).Output);
    }

    [Theory]
    [InlineData("--stop")]
    [InlineData("-r")]
    [InlineData("--reverse-prompt")]
    public async Task Explain_StopTexts_EndTheAnswer(string flag)
    {
        var run = await RunDemo("-n", "12", flag, "diamond", flag, "n orange cr", "--json");

        Assert.Equal(0, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        Assert.Equal("A", json.RootElement.GetProperty("answer").GetString());
        Assert.Equal("stopText", json.RootElement.GetProperty("stopReason").GetString());
    }

    [Fact]
    public async Task Explain_LogitBias_ChangesTheAnswer()
    {
        var plain = await RunDemo("-n", "3", "--json");
        using var json = JsonDocument.Parse(plain.Output);
        var id = json.RootElement.GetProperty("tokens")[1].GetProperty("token").GetProperty("id").GetInt32();
        Assert.Equal("An orange cross", json.RootElement.GetProperty("answer").GetString());

        var banned = await RunDemo("-n", "3", "-l", $"{id}-100");
        Assert.Equal(0, banned.ExitCode);
        Assert.DoesNotContain("orange", banned.Output, StringComparison.Ordinal);

        var forced = await RunDemo("-n", "3", "--logit-bias", $"{id}+100");
        Assert.Equal(" orange orange orange", forced.Output.TrimEnd());
    }

    [Fact]
    public async Task Explain_HideTheCross_AnswersWithoutIt()
    {
        var run = await RunDemo("--hide", "0,0,0.5,0.5", "-n", "24");

        Assert.Equal(0, run.ExitCode);
        Assert.DoesNotContain("cross", run.Output, StringComparison.Ordinal);
        Assert.Contains("Through the region, ln p of the answer changes by +", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_KeepWithAnAnswer_TellsEachWordsChange()
    {
        var run = await RunDemo("--keep", "0,0,0.5,0.5", "--answer", "An orange cross, a blue diamond.", "--json");

        Assert.Equal(0, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        var words = json.RootElement.GetProperty("words").EnumerateArray().ToList();
        var diamond = words.Single(word => word.GetProperty("text").GetString() == "diamond");
        Assert.True(diamond.GetProperty("regionChange").GetDouble() < -1, run.Output);
    }

    [Fact]
    public async Task Explain_Layers_HaveASwitchInTheReport()
    {
        var trace = Path.Combine(Path.GetDirectoryName(ReportPath)!, "layers.safetensors");
        var plain = await RunDemo("-n", "4", "--layers", "all", "--save-trace", trace);
        var report = await File.ReadAllTextAsync(ReportPath);
        Assert.Equal(0, plain.ExitCode);
        Assert.Contains("id=\"report-data-m2\"", report, StringComparison.Ordinal);

        var again = await CommandRun.Of(["report", trace, "-o", ReportPath, "--layers", "0"]);

        Assert.Equal(0, again.ExitCode);
        report = await File.ReadAllTextAsync(ReportPath);
        Assert.Contains("id=\"report-data-m1\"", report, StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"report-data-m2\"", report, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "--hide '1' is no region", "--hide", "1")]
    [InlineData(2, "--keep '0,0,1' is no region", "--keep", "0,0,1")]
    [InlineData(2, "--keep '0,0,1,1,1' is no region", "--keep", "0,0,1,1,1")]
    [InlineData(2, "--look-at '0,0,0,1' is no region", "--look-at", "0,0,0,1")]
    [InlineData(2, "--look-at 'x:0,0,1,1' is no region", "--look-at", "x:0,0,1,1")]
    [InlineData(2, "--look-at '0,0,1,1.5' is no region", "--look-at", "0,0,1,1.5")]
    [InlineData(2, "give one of them", "--hide", "0,0,1,1", "--keep", "0,0,1,1")]
    [InlineData(2, "--alpha is about --look-at", "--hide", "0,0,1,1", "--alpha", "1")]
    [InlineData(2, "--alpha is 101", "--look-at", "0,0,1,1", "--alpha", "101")]
    [InlineData(3, "--hide, --keep or --look-at: there is no picture 1", "--hide", "1:0,0,1,1")]
    public async Task Explain_RegionThatCannotBe_IsNamed(int exitCode, string message, params string[] arguments)
    {
        var run = await RunDemo(arguments);

        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "--logit-bias x: ", "-l", "x")]
    [InlineData(2, "--logit-bias 5: ", "-l", "5")]
    [InlineData(2, "--logit-bias 5+101: ", "-l", "5+101")]
    [InlineData(2, "--logit-bias 5+1.2.3: ", "-l", "5+1.2.3")]
    [InlineData(2, "--logit-bias -5+1: ", "--logit-bias=-5+1")]
    [InlineData(2, "--logit-bias 5-inf: ", "-l", "5-inf")]
    [InlineData(2, "--logit-bias 99999999999+1: ", "-l", "99999999999+1")]
    [InlineData(2, "names token 5 twice", "-l", "5+1", "-l", "5-1")]
    [InlineData(3, "token 999999 (--logit-bias) is not in the model's vocabulary", "-l", "999999+1")]
    [InlineData(3, "(--stop) is empty", "--stop", "")]
    [InlineData(3, "begins with a stop text (--stop)", "--stop", "An")]
    public async Task Explain_StopTextOrBiasThatCannotBe_IsNamed(
        int exitCode,
        string message,
        params string[] arguments
    )
    {
        var run = await RunDemo(arguments);

        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(ReportPath));
    }

    [Fact]
    public async Task Explain_TextAlone_NeedsNoProjector()
    {
        var run = await CommandRun.Of([
            "explain",
            "-m",
            TestModels.Qwen3Vl.ModelPath,
            "-p",
            "Hello",
            "-o",
            ReportPath,
            "-n",
            "3",
            "-t",
            "1",
        ]);
        Assert.Equal(0, run.ExitCode);
        Assert.True(File.Exists(ReportPath));
    }

    [Fact]
    public async Task Explain_GivenAnswer_ExplainsItsTokens()
    {
        var generated = await CommandRun.Of(["explain", "-o", ReportPath, "-n", "5", "-t", "1", "--json"]);
        using var first = JsonDocument.Parse(generated.Output);
        var answer = first.RootElement.GetProperty("answer").GetString()!;

        var given = await CommandRun.Of(["explain", "-o", ReportPath, "-t", "1", "--answer", answer, "--json"]);
        Assert.Equal(0, given.ExitCode);
        using var second = JsonDocument.Parse(given.Output);
        Assert.Equal("answerGiven", second.RootElement.GetProperty("stopReason").GetString());
        Assert.Equal(answer, second.RootElement.GetProperty("answer").GetString());
        Assert.Equal(3, second.RootElement.GetProperty("tokens")[0].GetProperty("candidates").GetArrayLength());
    }

    [Fact]
    public async Task Explain_Messages_SeveralTurnsAndPictures()
    {
        File.Copy(DemoFiles.Picture, _folder.File("photo.jpg"));
        var chat = _folder.File("chat.json");
        await File.WriteAllTextAsync(
            chat,
            """
            [{"role": "system", "content": "Be brief."},
             {"role": "user", "content": [{"type": "image", "image": "photo.jpg"}, {"type": "text", "text": "What is it?"}]},
             {"role": "assistant", "content": "A table."},
             {"role": "user", "content": [{"type": "text", "text": "And here?"}, {"type": "image", "image": "photo.jpg"}]},
             {"role": "assistant", "content": " red cup"}]
            """
        );
        var trace = _folder.File("trace.safetensors");
        var run = await CommandRun.Of([
            "explain",
            "--messages",
            chat,
            "-o",
            ReportPath,
            "-t",
            "1",
            "--save-trace",
            trace,
        ]);

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(" red cup", run.Output.TrimEnd('\n'));
        var maps = ActivationMaps.Compute(TraceFile.Load(trace));
        Assert.Equal(["system", "user", "assistant", "user", "assistant"], maps.Layout.Turns.Select(turn => turn.Role));
        Assert.Equal([1, 3], maps.Layout.VisionBlocks.Select(block => block.TurnIndex));
    }

    [Theory]
    [InlineData("--messages", "chat.json", "-p", "Hi")]
    [InlineData("--messages", "chat.json", "--image", "a.png")]
    [InlineData("--messages", "chat.json", "--video", "a.gif")]
    public async Task Explain_MessagesAndPrompt_IsAUsageError(params string[] arguments) =>
        (await CommandRun.Of(["explain", .. arguments])).AssertFails(2, "--messages takes the place");

    [Fact]
    public async Task Explain_EmptyAnswer_IsRefused() =>
        (await CommandRun.Of(["explain", "-o", ReportPath, "-t", "1", "--answer", ""])).AssertFails(
            3,
            "the answer to explain is empty"
        );

    [Fact]
    public async Task Explain_Cancelled_Gives130AndNoFile()
    {
        using var cancellation = new CancellationTokenSource();
        cancellation.CancelAfter(200);
        var files = TestModels.Qwen3Vl;
        var run = await CommandRun.Of(
            [
                "explain",
                "-m",
                files.ModelPath,
                "--mmproj",
                files.ProjectorPath,
                "--image",
                DemoFiles.Picture,
                "-o",
                ReportPath,
                "-n",
                "7500",
                "-t",
                "1",
            ],
            cancellation.Token
        );
        Assert.Equal(130, run.ExitCode);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Info_Demo_SaysWhatItIs()
    {
        var run = await CommandRun.Of(["info"]);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("qwen3vl", run.Output, StringComparison.Ordinal);
        Assert.Contains("tied to the input", run.Output, StringComparison.Ordinal);
        Assert.Contains("cell of 32 px", run.Output, StringComparison.Ordinal);
        Assert.Contains($"video files: {Video.FfmpegPath ?? "no ffmpeg"}", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Info_Json_HasModelProjectorAndDevices()
    {
        var run = await CommandRun.Of([
            "info",
            "-m",
            TestModels.Qwen3VlUntied.ModelPath,
            "--mmproj",
            TestModels.Qwen3VlUntied.ProjectorPath,
            "--json",
        ]);
        Assert.Equal(0, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        Assert.False(json.RootElement.GetProperty("model").GetProperty("tiedHead").GetBoolean());
        Assert.Equal("output.weight", json.RootElement.GetProperty("model").GetProperty("headTensor").GetString());
        Assert.Equal("qwen3vl_merger", json.RootElement.GetProperty("projector").GetProperty("type").GetString());
        Assert.NotEqual(0, json.RootElement.GetProperty("runtime").GetProperty("devices").GetArrayLength());
    }

    private Task<CommandRun> RunDemo(params string[] arguments) =>
        CommandRun.Of(["explain", "-o", ReportPath, "-t", "1", .. arguments]);
}
