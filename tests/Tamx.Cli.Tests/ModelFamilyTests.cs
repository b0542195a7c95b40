using System.Text.Json;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary>Commands on models of the families with experts, and with layers that have no softmax attention.</summary>
public sealed class ModelFamilyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("qwen3vlmoe", null)]
    [InlineData("qwen35", "2 of 8")]
    [InlineData("qwen35moe", "1 of 4")]
    [InlineData("internvl3", null)]
    [InlineData("internvl3.5", null)]
    [InlineData("internvl3.5-moe", null)]
    [InlineData("smolvlm", null)]
    [InlineData("llava", null)]
    [InlineData("pixtral", null)]
    public async Task Explain_AllMethodsAndVerdicts_GiveMapsAndSayWhichLayers(string name, string? layers)
    {
        var trace = _folder.File("trace.safetensors");
        var run = await RunAsync(
            name,
            ["explain", "--image", DemoFiles.Picture, "-p", "What is it?", "-n", "4", "-t", "1"],
            ["--method", "both", "--verdicts", "-o", _folder.File("report.html"), "--save-trace", trace, "--json"]
        );
        Assert.True(run.ExitCode == 0, run.Error);

        var loaded = TraceFile.Load(trace);
        var evidence = ActivationMaps.Compute(loaded, new TamOptions { Method = MapMethod.Evidence });
        Assert.Equal(layers, loaded.Run.AttentionLayers);
        Assert.All(evidence.Answer, token => Assert.All(token.Token.VisionMaps, Assert.NotNull));
        Assert.Contains(
            ActivationMaps.Compute(loaded).Answer,
            token => token.Token.VisionMaps[0]!.Values.ToArray().Any(value => value > 0)
        );
    }

    [Fact]
    public async Task Explain_Gemma3_HasAllMapsButEvidence()
    {
        var trace = _folder.File("trace.safetensors");
        string[] command = ["explain", "--image", DemoFiles.Picture, "-p", "What is it?", "-n", "4", "-t", "1"];
        var run = await RunAsync(
            "gemma3",
            command,
            ["--layers", "0,6", "--verdicts", "-o", _folder.File("report.html"), "--save-trace", trace, "--json"]
        );
        Assert.True(run.ExitCode == 0, run.Error);

        var loaded = TraceFile.Load(trace);
        foreach (var layer in (int[])[0, 6])
        {
            var maps = ActivationMaps.Compute(loaded, new TamOptions { Layer = layer });
            Assert.Contains(maps.Answer, token => token.Token.VisionMaps[0]!.Values.ToArray().Any(value => value > 0));
        }

        var turn = ActivationMaps.Compute(loaded).Layout.Turns[^1];
        Assert.Equal("assistant", turn.Role);
        (await RunAsync("gemma3", command, ["--method", "evidence", "-o", _folder.File("evidence.html")])).AssertFails(
            3,
            "Gemma 3 has no evidence maps"
        );
        Assert.False(File.Exists(_folder.File("evidence.html")));
        run = await RunAsync("gemma3", command, ["--method", "lens", "--layer", "3", "-o", _folder.File("lens.html")]);
        Assert.True(run.ExitCode == 0, run.Error);
    }

    [Theory]
    [InlineData("qwen3vl", "qwen3vl (Qwen3-VL), F32", "layers with softmax attention: all")]
    [InlineData("qwen3vlmoe", "qwen3vlmoe (Qwen3-VL), F32", "4 experts per layer")]
    [InlineData("qwen35", "qwen35 (Qwen3.5, Qwen3.6), F32", "layers with softmax attention: 3, 7 (")]
    [InlineData("qwen35moe", "qwen35moe (Qwen3.5, Qwen3.6), F32", "layers with softmax attention: 3 (")]
    [InlineData("qwen2.5vl", "qwen2vl (Qwen2-VL, Qwen2.5-VL), F32", "layers with softmax attention: all")]
    [InlineData("internvl3", "qwen2 (InternVL 2.5, InternVL 3, InternVL 3.5), F32", "softmax attention: all")]
    [InlineData("internvl3.5", "qwen3 (InternVL 2.5, InternVL 3, InternVL 3.5), F32", "softmax attention: all")]
    [InlineData("internvl3.5-moe", "qwen3moe (InternVL 2.5, InternVL 3, InternVL 3.5), F32", "4 experts per layer")]
    [InlineData("gemma3", "gemma3 (Gemma 3), F32", "layers with softmax attention: all", 4)]
    [InlineData("smolvlm", "llama (SmolVLM, SmolVLM2), F32", "layers with softmax attention: all", 3)]
    [InlineData("llava", "llama (LLaVA 1.5), F32", "layers with softmax attention: all", 1)]
    [InlineData("pixtral", "llama (Pixtral), F32", "layers with softmax attention: all", 1)]
    [InlineData("mistral-small", "llama (Mistral Small 3.1, Mistral Small 3.2), F32", "softmax attention: all")]
    public async Task Info_Family_SaysNameLayersAndCells(string name, string family, string layers, int merge = 2)
    {
        var text = await RunAsync(name, ["info"]);
        Assert.Contains(family, text.Output, StringComparison.Ordinal);
        Assert.Contains(layers, text.Output, StringComparison.Ordinal);
        Assert.Contains($"{merge}x{merge} to a cell of ", text.Output, StringComparison.Ordinal);

        using var json = JsonDocument.Parse((await RunAsync(name, ["info", "--json"])).Output);
        var model = json.RootElement.GetProperty("model");
        Assert.Contains($"({model.GetProperty("family").GetString()})", family, StringComparison.Ordinal);
        var count = model.GetProperty("attentionLayers").GetArrayLength();
        Assert.Equal(
            layers.EndsWith("all", StringComparison.Ordinal),
            count == model.GetProperty("layers").GetInt32() && model.GetProperty("experts").GetInt32() == 0
        );
    }

    [Theory]
    [InlineData("qwen3vl", false)]
    [InlineData("internvl3", true)]
    public async Task Info_FamilyWithTiles_SaysWhich(string name, bool isSquare)
    {
        var text = await RunAsync(name, ["info"]);
        Assert.Equal(
            isSquare,
            text.Output.Contains("tiles of 140x140 px, 5x5 cells; a picture is 1 to 12,", StringComparison.Ordinal)
        );
        using var json = JsonDocument.Parse((await RunAsync(name, ["info", "--json"])).Output);
        Assert.Equal(isSquare, json.RootElement.GetProperty("projector").GetProperty("square").GetBoolean());
    }

    [Theory]
    [InlineData("--image-max-tokens")]
    [InlineData("--image-min-tokens")]
    public async Task Explain_CellsThatNoTilesHave_NamesTheFlags(string flag) =>
        (
            await RunAsync(
                "internvl3",
                ["explain", "--image", DemoFiles.Picture, "-p", "What?", "-t", "1"],
                [flag, flag == "--image-max-tokens" ? "24" : "326", "-o", _folder.File("report.html")]
            )
        ).AssertFails(
            3,
            "no number of tiles fits (--image-min-tokens, --image-max-tokens, or the message's min_pixels and "
                + "max_pixels); this model looks at a picture as tiles of 140 x 140 pixels and 25 cells, in all 25 to "
                + "325 cells"
        );

    [Fact]
    public async Task Capture_AttentionOfAHybrid_IsThatOfItsSoftmaxLayers()
    {
        string[] command = ["capture", "-p", "What?", "-n", "2", "-t", "1", "--what", "attention", "-o"];
        var output = _folder.File("states.safetensors");

        var all = await RunAsync("qwen35", [.. command, output, "--layers", "all"]);
        Assert.True(all.ExitCode == 0, all.Error);
        Assert.Contains("without softmax attention (--layers): 0, 1, 2, 4, 5, 6;", all.Error, StringComparison.Ordinal);
        using var file = SafetensorsFile.Open(output);
        Assert.NotEmpty(file.ReadSingles("attention.3.0"));
        Assert.NotEmpty(file.ReadSingles("attention.7.1"));

        (await RunAsync("qwen35", [.. command, _folder.File("none.safetensors"), "--layers", "0,1"])).AssertFails(
            3,
            "has it in layers 3, 7"
        );
    }

    [Theory]
    [InlineData("qwen35", "on", "<think>\n")]
    [InlineData("qwen35", "off", "<think>\n\n</think>\n\n")]
    [InlineData("qwen3vl", "auto", "assistant\n")]
    public async Task Explain_Reasoning_IsTheTemplatesSwitch(string name, string value, string end)
    {
        var trace = _folder.File("trace.safetensors");
        var run = await RunAsync(
            name,
            ["explain", "-p", "What?", "-n", "2", "-t", "1", "--reasoning", value],
            ["-o", _folder.File("report.html"), "--save-trace", trace]
        );
        Assert.True(run.ExitCode == 0, run.Error);
        var loaded = TraceFile.Load(trace);
        var maps = ActivationMaps.Compute(loaded);
        var prompt = loaded.TokenIds.Take(maps.Layout.AnswerPositions[0]).Select(id => loaded.FindText(id));
        Assert.EndsWith(end, string.Concat(prompt), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_ReasoningWithoutASwitch_SaysSo() =>
        (
            await RunAsync(
                "qwen3vl",
                ["explain", "-p", "What?", "--reasoning", "on", "-o", _folder.File("report.html")]
            )
        ).AssertFails(3, "--reasoning: this model's chat template has no switch for thinking");

    private static Task<CommandRun> RunAsync(string name, params string[][] arguments)
    {
        var files = TestModels.Get(name);
        return CommandRun.Of([
            .. arguments.SelectMany(some => some),
            "-m",
            files.ModelPath,
            "--mmproj",
            files.ProjectorPath,
        ]);
    }
}
