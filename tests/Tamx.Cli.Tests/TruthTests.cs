using System.Text.Json;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary>
/// Methods, layers, calibration, verdicts and checks on the demo models: what docs/truth.md says of them must hold.
/// </summary>
public sealed class TruthTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// 80 scenes give the figures of docs/truth.md; thirty may be five points worse. Deletion is of eight of them.
    /// </summary>
    [Fact]
    public async Task Eval_AlignedModel_FindsTruerMapsThanTheLastLayers()
    {
        var run = await CommandRun.Of([
            "eval",
            "--scenes",
            "30",
            "--methods",
            "tam,lens,evidence,joint",
            "--layers",
            "0,last",
            "--curves",
            "8",
            "--json",
            .. Aligned(),
            "-t",
            "1",
        ]);

        Assert.Equal(0, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        JsonElement[] nouns =
        [
            .. json
                .RootElement.GetProperty("rows")
                .EnumerateArray()
                .Where(row => row.GetProperty("words").GetString() == "noun"),
        ];
        var (last, lens, evidence) = (
            Row("tam", "last", "eci"),
            Row("lens", "0", "raw"),
            Row("evidence", "last", "raw")
        );
        Assert.InRange(Figure(lens, "objIou"), .67, 1);
        Assert.InRange(Figure(lens, "pointing"), .9, 1);
        var joint = Row("joint", "0", "raw");
        Assert.InRange(Figure(joint, "objIou"), .7, 1);
        Assert.InRange(Figure(joint, "pointing"), .97, 1);
        Assert.InRange(Figure(joint, "deletion"), 0, .12);
        Assert.InRange(Figure(evidence, "pointing"), .95, 1);
        Assert.True(Figure(evidence, "objIou") > Figure(last, "objIou") + .1);
        Assert.InRange(Figure(evidence, "deletion"), 0, .14);
        Assert.InRange(Figure(lens, "insertion"), .8, 1);

        JsonElement Row(string method, string layer, string maps) =>
            nouns.Single(row =>
                row.GetProperty("method").GetString() == method
                && row.GetProperty("layer").ToString() == layer
                && row.GetProperty("maps").GetString() == maps
            );
    }

    [Fact]
    public async Task Calibrate_CopyOfTheModel_IsUsedByExplain()
    {
        var model = CopyModel();
        var calibrate = await CommandRun.Of(["calibrate", "--scenes", "12", "--json", .. model, "-t", "1"]);

        Assert.Equal(0, calibrate.ExitCode);
        using var calibration = JsonDocument.Parse(calibrate.Output);
        Assert.Equal("joint", calibration.RootElement.GetProperty("method").GetString());
        Assert.InRange(calibration.RootElement.GetProperty("unsupportedAuroc").GetDouble(), .95, 1);
        Assert.InRange(calibration.RootElement.GetProperty("presenceAuroc").GetDouble(), .95, 1);
        Assert.True(File.Exists(model[1] + ".tamx.json"));

        var explain = await CommandRun.Of([
            "explain",
            "--image",
            DemoFiles.Picture,
            "--answer",
            "An orange cross, a blue diamond and a purple circle.",
            "--verdicts",
            "--json",
            "-o",
            _folder.File("report.html"),
            .. model,
            "-t",
            "1",
        ]);
        Assert.Equal(0, explain.ExitCode);
        using var summary = JsonDocument.Parse(explain.Output);
        Assert.Equal("joint", summary.RootElement.GetProperty("method").GetString());
        Assert.Contains("12 generated scenes", summary.RootElement.GetProperty("calibration").GetString());
        Assert.Equal("seen", VerdictOf(summary, "cross"));
        Assert.Equal("unsupported", VerdictOf(summary, "circle"));
        Assert.Equal("said", VerdictOf(summary, "and"));
    }

    [Fact]
    public async Task Explain_QuestionWithoutAPicture_IsSaid()
    {
        var model = CopyModel();
        await CommandRun.Of(["calibrate", "--scenes", "6", .. model, "-t", "1"]);

        var run = await CommandRun.Of([
            "explain",
            "-p",
            "Describe the image.",
            "-n",
            "6",
            "--verdicts",
            "--json",
            "-o",
            _folder.File("report.html"),
            .. model,
            "-t",
            "1",
        ]);

        Assert.Equal(0, run.ExitCode);
        using var summary = JsonDocument.Parse(run.Output);
        Assert.All(
            summary.RootElement.GetProperty("words").EnumerateArray(),
            word => Assert.Equal("said", word.GetProperty("support").GetProperty("verdict").GetString())
        );
    }

    [Fact]
    public async Task Explain_NotCalibrated_GivesNumbersWithoutVerdicts()
    {
        var run = await CommandRun.Of([
            "explain",
            "--image",
            DemoFiles.Picture,
            "--verdicts",
            "--json",
            "-o",
            _folder.File("report.html"),
            .. CopyModel(),
            "-t",
            "1",
        ]);

        using var summary = JsonDocument.Parse(run.Output);
        Assert.Equal(JsonValueKind.Null, summary.RootElement.GetProperty("calibration").ValueKind);
        Assert.All(
            summary.RootElement.GetProperty("words").EnumerateArray(),
            word =>
            {
                var support = word.GetProperty("support");
                Assert.Equal(JsonValueKind.Null, support.GetProperty("verdict").ValueKind);
                Assert.True(double.IsFinite(support.GetProperty("pictureGain").GetDouble()));
            }
        );
    }

    [Fact]
    public async Task Explain_Check_FindsWhatTheWordDependsOn()
    {
        var run = await CommandRun.Of([
            "explain",
            "--image",
            DemoFiles.Picture,
            "--check",
            "--method",
            "evidence",
            "--json",
            "-o",
            _folder.File("report.html"),
            .. Aligned(),
            "-t",
            "1",
        ]);

        Assert.Equal(0, run.ExitCode);
        using var summary = JsonDocument.Parse(run.Output);
        var words = summary.RootElement.GetProperty("words").EnumerateArray();
        var cross = words.Single(word => word.GetProperty("text").GetString() == "cross").GetProperty("check");
        Assert.Equal(9, cross.GetProperty("deletion").GetArrayLength());
        Assert.True(cross.GetProperty("withoutBestFifth").GetDouble() < .2);
        Assert.True(cross.GetProperty("withoutRandomFifth").GetDouble() > .5);
        Assert.Contains("Hiding the lit fifth", cross.GetProperty("sentence").GetString());
        Assert.DoesNotContain(
            words,
            word => word.GetProperty("text").GetString() == "and" && word.TryGetProperty("check", out _)
        );
    }

    [Fact]
    public async Task Capture_LayersAndHeads_WritesThemForTheAnswer()
    {
        var output = _folder.File("run.safetensors");
        var run = await CommandRun.Of([
            "capture",
            "--layers",
            "0,last",
            "--what",
            "hidden,attention",
            "--heads",
            "1,3",
            "--positions",
            "answer",
            "-n",
            "4",
            "-o",
            output,
            "-t",
            "1",
        ]);

        Assert.Equal(0, run.ExitCode);
        using var file = SafetensorsFile.Open(output);
        var start = (int)file.ReadIntegers("answer_start")[0];
        Assert.Equal(4, file.ReadIntegers("token_ids").Length - start);
        Assert.Equal(Enumerable.Range(start - 1, 4), file.ReadIntegers("positions").Select(position => (int)position));
        foreach (var layer in (int[])[0, 2])
        {
            Assert.Equal([4, 256], file.Tensors[$"l_out.{layer}"].Shape);
            for (var i = 0; i < 4; i++)
            {
                Assert.Equal([2, start + i], file.Tensors[$"attention.{layer}.{i}"].Shape);
                Assert.All(
                    file.ReadSingles($"attention.{layer}.{i}").Chunk(start + i),
                    row => Assert.Equal(1, row.Sum(), 1e-3)
                );
            }
        }
    }

    [Theory]
    [InlineData("layer 9 (--layer", "explain", "--layer", "9")]
    [InlineData("head 99 (--heads", "capture", "--what", "attention", "--heads", "99")]
    [InlineData("layer 3 (--layer", "capture", "--layers", "3")]
    public async Task Command_LayerOrHeadThatTheModelLacks_IsNamed(string fault, params string[] arguments)
    {
        var run = await CommandRun.Of([.. arguments, "-o", _folder.File("out")]);

        Assert.Equal(3, run.ExitCode);
        Assert.Contains(fault, run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.File("out")));
    }

    [Fact]
    public async Task Explain_CalibrationOfAnotherModel_IsRefused()
    {
        var model = CopyModel();
        File.WriteAllText(model[1] + ".tamx.json", """{"modelFile":"other.gguf","modelBytes":1,"parameterCount":1}""");

        var run = await CommandRun.Of([
            "explain",
            "--image",
            DemoFiles.Picture,
            "-o",
            _folder.File("report.html"),
            .. model,
        ]);

        Assert.Equal(3, run.ExitCode);
        Assert.Contains(".tamx.json: the model's calibration", run.Error, StringComparison.Ordinal);
    }

    private static double Figure(JsonElement row, string name) => row.GetProperty(name).GetDouble();

    private static string? VerdictOf(JsonDocument summary, string text) =>
        summary
            .RootElement.GetProperty("words")
            .EnumerateArray()
            .Single(word => word.GetProperty("text").GetString() == text)
            .GetProperty("support")
            .GetProperty("verdict")
            .GetString();

    private static string[] Aligned() =>
        ["-m", SamplePath("tamx-demo-aligned-f16.gguf"), "--mmproj", SamplePath("mmproj-tamx-demo-aligned-f16.gguf")];

    /// <summary>The aligned model where a calibration can be kept beside it.</summary>
    private string[] CopyModel()
    {
        var model = _folder.File("model.gguf");
        File.Copy(SamplePath("tamx-demo-aligned-f16.gguf"), model);
        return ["-m", model, "--mmproj", SamplePath("mmproj-tamx-demo-aligned-f16.gguf")];
    }

    private static string SamplePath(string name) => Path.Combine(Path.GetDirectoryName(DemoFiles.Model)!, name);
}
