using System.Text.Json;
using Tamx.Evaluation;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary>The command on models that know nothing: what it prints, writes, keeps and refuses.</summary>
public sealed class EvalCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Eval_Folder_WritesTablesAndAPage()
    {
        WriteFolder();
        var tables = _folder.File("tables");

        var run = await Run("--data", _folder.Path, "--out", tables, "--json", "--curves", "1", "--curve-steps", "2");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        using var json = JsonDocument.Parse(run.Output);
        var root = json.RootElement;
        Assert.Equal(3, root.GetProperty("scenes").GetInt32());
        Assert.Equal(JsonValueKind.Null, root.GetProperty("captionsExact").ValueKind);
        Assert.Equal(
            ["raw", "filter", "eci", "eci+filter"],
            root.GetProperty("paper").EnumerateArray().Select(row => row.GetProperty("maps").GetString()!)
        );
        Assert.Equal(1, root.GetProperty("curves").GetProperty("count").GetInt32());
        Assert.NotEmpty(root.GetProperty("rows").EnumerateArray());
        foreach (var row in root.GetProperty("rows").EnumerateArray())
        {
            Assert.Contains(row.GetProperty("words").GetString(), new[] { "noun", "function" });
            foreach (
                var name in new[]
                {
                    "objIou",
                    "pointing",
                    "mass",
                    "area",
                    "empty",
                    "ceiling",
                    "gridIou",
                    "precision",
                    "recall",
                }
            )
            {
                Assert.InRange(row.GetProperty(name).GetDouble(), 0, 1);
            }
        }

        Assert.Equal(
            ["best-and-worst.html", "evaluation.json", "pictures.csv", "reports", "summary.csv", "words.csv"],
            Directory.EnumerateFileSystemEntries(tables).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        var words = File.ReadAllLines(Path.Combine(tables, "words.csv"));
        var wordCount = root.GetProperty("rows").EnumerateArray().Sum(row => row.GetProperty("count").GetInt32());
        Assert.Equal(1 + wordCount, words.Length);
        Assert.Equal(1 + (3 * 4), File.ReadAllLines(Path.Combine(tables, "pictures.csv")).Length);
        using var all = JsonDocument.Parse(File.ReadAllText(Path.Combine(tables, "evaluation.json")));
        Assert.Equal(
            wordCount,
            all.RootElement.GetProperty("pictures")
                .EnumerateArray()
                .Sum(picture => picture.GetProperty("rows").GetArrayLength())
        );
        var page = File.ReadAllText(Path.Combine(tables, "best-and-worst.html"));
        Assert.All(
            Directory.EnumerateFiles(Path.Combine(tables, "reports")),
            report => Assert.Contains($"reports/{Path.GetFileName(report)}", page, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Eval_Scenes_PrintsTheSameEachTime()
    {
        var first = await Run("--scenes", "3", "--seed", "5", "--limit", "2", "--no-filter");
        var second = await Run("--scenes", "2", "--seed", "5", "--no-filter");

        Assert.Equal((0, ""), (first.ExitCode, first.Error));
        Assert.StartsWith("2 pictures, ", first.Output, StringComparison.Ordinal);
        Assert.Equal(first.Output, second.Output);
        Assert.DoesNotContain("filter", first.Output, StringComparison.Ordinal);
    }

    /// <summary>Without any of it, ECI leaves the raw maps as they are.</summary>
    [Fact]
    public async Task Eval_EciStrengthZero_GivesTheRawMapsFigures()
    {
        var run = await Run("--scenes", "2", "--no-filter", "--set", "eciStrength=0", "--json");

        using var json = JsonDocument.Parse(run.Output);
        var paper = json.RootElement.GetProperty("paper");
        Assert.Equal(["raw", "eci"], paper.EnumerateArray().Select(row => row.GetProperty("maps").GetString()!));
        Assert.Equal(paper[0].GetProperty("figures").GetRawText(), paper[1].GetProperty("figures").GetRawText());
    }

    [Fact]
    public async Task Eval_SweepAgainstAnotherModel_AddsBothTables()
    {
        var tables = _folder.File("tables");

        var run = await Run(
            "--scenes",
            "2",
            "--sweep",
            "--against",
            TestModels.Qwen3VlF16.ModelPath,
            "--json",
            "--out",
            tables
        );

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        using var json = JsonDocument.Parse(run.Output);
        var sweep = json.RootElement.GetProperty("sweep").EnumerateArray().ToArray();
        Assert.Equal(27, sweep.Length);
        Assert.Equal("""{"profile":"tamx","eciStrength":0,"kernel":3}""", sweep[1].GetProperty("setting").GetRawText());
        Assert.Equal(28, File.ReadAllLines(Path.Combine(tables, "sweep.csv")).Length);
        var agreement = json.RootElement.GetProperty("agreement").EnumerateArray().ToArray();
        Assert.Equal(
            ["raw", "filter", "eci", "eci+filter"],
            agreement.Select(item => item.GetProperty("maps").GetString()!)
        );
        Assert.All(agreement, item => Assert.InRange(item.GetProperty("correlation").GetDouble(), 0.5, 1));

        var text = await Run("--scenes", "1", "--sweep", "--against", TestModels.Qwen3VlF16.ModelPath);
        Assert.Contains("tuned    0.5  off", text.Output, StringComparison.Ordinal);
        Assert.Contains("correlation with the other model's eci+filter maps", text.Output, StringComparison.Ordinal);
        (await Run("--scenes", "1", "--against", _folder.File("none.gguf"))).AssertFails(3, "none.gguf");
    }

    [Fact]
    public async Task Eval_Resume_GoesOnAndRefusesOtherOptions()
    {
        var kept = _folder.File("run.jsonl");
        Assert.Equal(0, (await Run("--scenes", "2", "--resume", kept)).ExitCode);
        var lines = File.ReadAllLines(kept);
        Assert.Equal(3, lines.Length);

        var more = await Run("--scenes", "3", "--resume", kept);

        Assert.Equal(0, more.ExitCode);
        Assert.Equal(lines, File.ReadAllLines(kept)[..3]);
        Assert.Equal((await Run("--scenes", "3")).Output, more.Output);
        (await Run("--scenes", "3", "--kernel", "5", "--resume", kept)).AssertFails(
            3,
            "run.jsonl: these results are of a run with another model"
        );
        Assert.Equal(4, File.ReadAllLines(kept).Length);
    }

    [Fact]
    public async Task Eval_BadFolder_FailsInOneLine()
    {
        (await Run("--data", _folder.Path)).AssertFails(3, "no masks are known");
        (await Run("--data", _folder.File("none"))).AssertFails(3, "there is no such folder");
        WriteFolder();
        File.Delete(_folder.File("1-labels.png"));
        (await Run("--data", _folder.Path)).AssertFails(3, "label map 1-labels.png is missing");
        WriteFolder();
        WriteLabels("1-labels.png", 32, 1);
        (await Run("--data", _folder.Path)).AssertFails(3, "the picture has 64 x 64 pixels, its label map 32 x 32");
        WriteLabels("1-labels.png", 64, 7);
        (await Run("--data", _folder.Path)).AssertFails(3, "label 7 has no category");
        File.WriteAllText(_folder.File("0.bmp"), "none");
        (await Run("--data", _folder.Path)).AssertFails(3, "0.bmp");
        File.WriteAllText(_folder.File("anno.json"), "[]");
        (await Run("--data", _folder.Path)).AssertFails(3, "name no picture");
    }

    [Theory]
    [InlineData("either --scenes N or --data DIR")]
    [InlineData("either --scenes N or --data DIR", "--scenes", "2", "--data", ".")]
    [InlineData("--scenes is 0", "--scenes", "0")]
    [InlineData("-p goes with --data", "--scenes", "2", "-p", "What?")]
    [InlineData("--set strength: the method has no such option", "--scenes", "2", "--set", "strength=2")]
    [InlineData("--limit is 0", "--scenes", "2", "--limit", "0")]
    public async Task Eval_WrongOptions_IsAUsageError(string message, params string[] arguments) =>
        (await Run(arguments)).AssertFails(2, message);

    [Fact]
    public async Task Eval_Cancelled_Gives130()
    {
        var run = await CommandRun.Of(["eval", "--scenes", "2"], new CancellationToken(canceled: true));

        run.AssertFails(130, "cancelled");
    }

    private static Task<CommandRun> Run(params string[] arguments) =>
        CommandRun.Of([
            "eval",
            "-m",
            TestModels.Qwen3Vl.ModelPath,
            "--mmproj",
            TestModels.Qwen3Vl.ProjectorPath,
            "-n",
            "12",
            "-t",
            "1",
            .. arguments.Contains("--curves") ? Array.Empty<string>() : ["--curves", "0"],
            .. arguments,
        ]);

    /// <summary>Three pictures whose right half is labelled with every word that a random model may write.</summary>
    private void WriteFolder()
    {
        File.WriteAllText(
            _folder.File("anno.json"),
            JsonSerializer.Serialize(
                Enumerable
                    .Range(0, 3)
                    .Select(i => new object[] { $"{i}.bmp", "A caption.", $"{i}-labels.png", AllWords() })
            )
        );
        for (var i = 0; i < 3; i++)
        {
            File.WriteAllBytes(
                _folder.File($"{i}.bmp"),
                Bitmap24.Encode(64, 64, [.. Enumerable.Range(0, 64 * 64 * 3).Select(j => (byte)(j * (i + 3)))])
            );
            WriteLabels($"{i}-labels.png", 64, 1);
        }
    }

    private static Dictionary<string, int> AllWords() => new() { [string.Join(' ', WordLists.Nouns)] = 1 };

    private void WriteLabels(string name, int size, byte label)
    {
        using var image = new ImageMagick.MagickImage();
        image.ReadPixels(
            [.. Enumerable.Range(0, size * size).Select(i => i % size < size / 2 ? (byte)0 : label)],
            new ImageMagick.PixelReadSettings((uint)size, (uint)size, ImageMagick.StorageType.Char, "R")
        );
        image.Settings.SetDefine(ImageMagick.MagickFormat.Png, "bit-depth", "8");
        image.Settings.SetDefine(ImageMagick.MagickFormat.Png, "color-type", "0");
        File.WriteAllBytes(_folder.File(name), image.ToByteArray(ImageMagick.MagickFormat.Png));
    }
}
