using System.Text.Json;
using ImageMagick;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary>
/// The shipped demo models keep what samples/demo-model/README.md says of them, on scenes they were not trained on.
/// </summary>
public sealed class DemoModelTests
{
    // tamx eval --scenes 200 --seed 7777. Forty scenes may be five points worse.
    private static readonly (string Maps, double ObjIou, double Pointing)[] Grounded =
    [
        ("raw", .842, 1),
        ("eci", .838, 1),
    ];
    private static readonly (string Maps, double ObjIou, double Pointing)[] Aligned =
    [
        ("raw", .460, .809),
        ("eci", .468, .817),
    ];

    [Fact]
    public Task Eval_40HeldOutScenes_KeepsTheMeasuredFigures() => AssertKeeps(.965, Grounded);

    /// <summary>
    /// No loss touched this model's maps; they must still point at the objects six times as often as chance.
    /// </summary>
    [Fact]
    public async Task Eval_AlignedModel_KeepsTheMeasuredFigures()
    {
        var nouns = await AssertKeeps(
            .960,
            Aligned,
            "-m",
            SamplePath("tamx-demo-aligned-f16.gguf"),
            "--mmproj",
            SamplePath("mmproj-tamx-demo-aligned-f16.gguf")
        );

        var raw = nouns.Single(row => row.GetProperty("maps").GetString() == "raw");
        var (pointing, chance) = (raw.GetProperty("pointing").GetDouble(), raw.GetProperty("area").GetDouble());
        Assert.True(pointing >= 6 * chance, $"pointing {pointing}, chance {chance}");
    }

    /// <summary>The tower knows one size. Three times as large, it would see shapes that it never saw.</summary>
    [Fact]
    public async Task Explain_SceneThreeTimesAsLarge_IsScaledToWhatTheModelKnows()
    {
        using var folder = new TemporaryFolder();
        using var picture = new MagickImage(DemoFiles.Picture);
        picture.Resize(3 * picture.Width, 3 * picture.Height, FilterType.Triangle);
        picture.Write(folder.File("large.png"));
        string[] rest = ["-o", folder.File("report.html"), "-t", "1"];

        var original = await CommandRun.Of(["explain", .. rest]);
        var large = await CommandRun.Of(["explain", "--image", folder.File("large.png"), .. rest]);

        Assert.Equal((0, 0), (original.ExitCode, large.ExitCode));
        Assert.Equal(original.Output, large.Output);
        Assert.Contains("knows eight shapes in eight colours", large.Error, StringComparison.Ordinal);
    }

    private static string SamplePath(string name) => Path.Combine(Path.GetDirectoryName(DemoFiles.Model)!, name);

    private static async Task<JsonElement[]> AssertKeeps(
        double exact,
        (string Maps, double ObjIou, double Pointing)[] measured,
        params string[] model
    )
    {
        string[] scenes = ["--scenes", "40", "--seed", "7777", "--curves", "0", "--no-filter"];
        var run = await CommandRun.Of(["eval", .. scenes, "-t", "1", "--json", .. model]);
        Assert.Equal(0, run.ExitCode);
        var json = JsonDocument.Parse(run.Output).RootElement;
        var nouns = json.GetProperty("rows")
            .EnumerateArray()
            .Where(row => row.GetProperty("words").GetString() == "noun")
            .ToArray();
        AssertAtLeast(exact, json.GetProperty("captionsExact").GetDouble());
        foreach (var (maps, objIou, pointing) in measured)
        {
            var row = nouns.Single(row => row.GetProperty("maps").GetString() == maps);
            AssertAtLeast(objIou, row.GetProperty("objIou").GetDouble());
            AssertAtLeast(pointing, row.GetProperty("pointing").GetDouble());
        }

        return nouns;
    }

    private static void AssertAtLeast(double measured, double actual) =>
        Assert.True(actual >= measured - 0.05, $"{actual} is more than .05 below {measured}");
}
