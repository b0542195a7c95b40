using System.Text.Json;

namespace Tamx.Cli.Tests;

/// <summary>The shipped demo model keeps what samples/demo-model/README.md says of it, on scenes it was not trained on.</summary>
public sealed class DemoModelTests
{
    // tamx eval --scenes 200 --seed 7777. Forty scenes may be five points worse.
    private const double CaptionsExact = .855;

    private static readonly (string Maps, double ObjIou, double Pointing)[] Measured = [("raw", .633, .996), ("eci", .628, .996)];

    [Fact]
    public async Task Eval_40HeldOutScenes_KeepsTheMeasuredFigures()
    {
        var run = await CommandRun.Of(["eval", "--scenes", "40", "--seed", "7777", "--curves", "0", "-t", "1", "--json"]);
        Assert.Equal(0, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        var nouns = json.RootElement.GetProperty("rows").EnumerateArray().Where(row => row.GetProperty("words").GetString() == "noun").ToArray();

        AssertAtLeast(CaptionsExact, json.RootElement.GetProperty("captionsExact").GetDouble());
        foreach (var (maps, objIou, pointing) in Measured)
        {
            var row = nouns.Single(row => row.GetProperty("maps").GetString() == maps);
            AssertAtLeast(objIou, row.GetProperty("objIou").GetDouble());
            AssertAtLeast(pointing, row.GetProperty("pointing").GetDouble());
        }
    }

    private static void AssertAtLeast(double measured, double actual) =>
        Assert.True(actual >= measured - 0.05, $"{actual} is more than .05 below {measured}");
}
