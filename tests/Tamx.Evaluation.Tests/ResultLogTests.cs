using Tamx.Testing;

namespace Tamx.Evaluation.Tests;

public sealed class ResultLogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string LogPath => _folder.File("run.jsonl");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_AfterResults_HoldsThem()
    {
        using (var log = ResultLog.Open(LogPath, "settings"))
        {
            log.Append(Result("first"));
            log.Append(Result("second"));
        }

        using var again = ResultLog.Open(LogPath, "settings");

        Assert.Equal(["first", "second"], again.Results.Keys);
        var row = Assert.Single(again.Results["second"].Rows);
        Assert.Equal(Result("second").Rows[0], row);
        Assert.Equal([0.5, 1], again.Results["second"].Curves!.Insertion);
        Assert.Equal([0.25], again.Results["second"].Paper[0].Figures.ObjIou);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    [InlineData(200)]
    public void Open_LastLineBrokenOff_ForgetsItAndGoesOn(int cut)
    {
        using (var log = ResultLog.Open(LogPath, "settings"))
        {
            log.Append(Result("first"));
            log.Append(Result("second"));
        }

        File.WriteAllBytes(LogPath, File.ReadAllBytes(LogPath)[..^cut]);
        using (var log = ResultLog.Open(LogPath, "settings"))
        {
            Assert.Equal(["first"], log.Results.Keys);
            log.Append(Result("second"));
        }

        using var again = ResultLog.Open(LogPath, "settings");
        Assert.Equal(["first", "second"], again.Results.Keys);
    }

    [Fact]
    public void Open_HeaderBrokenOff_StartsAnew()
    {
        ResultLog.Open(LogPath, "settings").Dispose();
        File.WriteAllBytes(LogPath, File.ReadAllBytes(LogPath)[..10]);

        using var log = ResultLog.Open(LogPath, "settings");

        Assert.Empty(log.Results);
    }

    [Fact]
    public void Open_OtherSettingsWithoutResults_StartsAnew()
    {
        ResultLog.Open(LogPath, "others").Dispose();
        using (var log = ResultLog.Open(LogPath, "settings"))
        {
            log.Append(Result("first"));
        }

        using var again = ResultLog.Open(LogPath, "settings");
        Assert.Single(again.Results);
    }

    [Theory]
    [InlineData("My notes.\n", "no file of tamx eval")]
    [InlineData("My notes.", "no file of tamx eval")]
    [InlineData("My notes.\nMore", "no file of tamx eval")]
    [InlineData("{\"tamxEval\":1,\"settings\":\"others\"}\n{\"name\":\"first\"}\n", "another model")]
    [InlineData("{\"tamxEval\":1,\"settings\":\"settings\"}\n{}\n", "line 2")]
    [InlineData("{\"tamxEval\":1,\"settings\":\"settings\"}\nnonsense\n", "line 2")]
    public void Open_OtherFile_RefusesAndLeavesItAsItIs(string content, string message)
    {
        File.WriteAllText(LogPath, content);

        var exception = Assert.Throws<InvalidInputException>(() => ResultLog.Open(LogPath, "settings"));

        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllText(LogPath));
    }

    private static SampleResult Result(string name) =>
        new(
            name,
            "What?",
            "A c\u00e5t.",
            null,
            [new(1, "c\u00e5t", WordKind.Noun, MapKind.EciFilter, 0.1, 0.15, 0.2, 0.3, 1, 0.4, 0.05, 0.9, false)],
            [new(MapKind.EciFilter, new PaperFigures([0.25], [0.5], [0.75], []))],
            new PerturbationCurves(MapKind.EciFilter, [1, 0.5], [0.5, 1], [1, 0.5], [0.5, 1])
        );
}
