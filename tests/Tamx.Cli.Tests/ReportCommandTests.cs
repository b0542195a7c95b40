using System.Globalization;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

public sealed class ReportCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Output => _folder.File("report.html");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Report_OfATrace_IsWritten()
    {
        var run = await CommandRun.Of([
            "report",
            Input("generate_top3"),
            "-o",
            Output,
            "--title",
            "A <title>",
            "--map-bits",
            "16",
        ]);

        Assert.Equal((0, ""), (run.ExitCode, run.Output));
        var html = await File.ReadAllTextAsync(Output);
        Assert.Contains("<title>A &lt;title&gt;</title>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"comparison\"", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_OfOneTraceTwice_ComparesOptions()
    {
        var run = await CommandRun.Of([
            "report",
            "--compare",
            Input("generate_top3"),
            "--second-set",
            "applyEci=false",
            "-o",
            Output,
        ]);

        Assert.Equal("", run.Output);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains(
            "{\"names\":[\"ECI\",\"no ECI\"],\"pairs\":[[0,0],",
            await File.ReadAllTextAsync(Output),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Report_OfTwoTraces_ComparesThem()
    {
        var run = await CommandRun.Of([
            "report",
            "--compare",
            Input("generate_top3"),
            Input("generate_top3"),
            "-o",
            Output,
        ]);

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("{\"names\":[\"A\",\"B\"]", await File.ReadAllTextAsync(Output), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_OfDifferentAnswers_FailsInOneLine()
    {
        var run = await CommandRun.Of([
            "report",
            "--compare",
            Input("generate_top3"),
            Input("encode_image"),
            "-o",
            Output,
        ]);

        run.AssertFails(3, "the two runs hold different answers");
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData(2, "two traces are for --compare", "A", "B")]
    [InlineData(2, "--compare needs two traces", "--compare", "A")]
    [InlineData(2, "--second-set is for --compare", "A", "--second-set", "applyEci=false")]
    [InlineData(2, "--second-set nothing", "--compare", "A", "--second-set", "nothing=1")]
    [InlineData(2, "'12'", "A", "--map-bits", "12")]
    [InlineData(2, "--max-image-pixels is 0", "A", "--max-image-pixels", "0")]
    [InlineData(2, "--export 'bmp'", "A", "--export", "png,bmp", "--out-dir", "x")]
    [InlineData(2, "--export and --out-dir go together", "A", "--export", "png")]
    [InlineData(2, "--export and --out-dir go together", "A", "--out-dir", "x")]
    [InlineData(3, "A: no such file", "A")]
    public async Task Report_BadArguments_FailInOneLine(int exitCode, string message, params string[] arguments)
    {
        var run = await CommandRun.Of(["report", .. arguments, "-o", Output]);

        run.AssertFails(exitCode, message);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task Report_OutputIsAFolder_FailsInOneLine() =>
        (await CommandRun.Of(["report", Input("generate_top3"), "-o", _folder.Path])).AssertFails(
            3,
            "is a folder; name the file to write"
        );

    [Fact]
    public async Task Export_OutDirIsAFile_FailsInOneLineBeforeTheWork()
    {
        await File.WriteAllTextAsync(_folder.File("x"), "");

        var run = await CommandRun.Of([
            "report",
            Input("generate_top3"),
            "-o",
            Output,
            "--export",
            "csv",
            "--out-dir",
            _folder.File("x"),
        ]);

        run.AssertFails(3, "is a file; --out-dir needs a folder");
        Assert.False(File.Exists(Output));
    }

    [Theory]
    [InlineData("report")]
    [InlineData("maps")]
    public async Task Export_OfATrace_WritesTheFolder(string command)
    {
        var folder = Path.Combine(_folder.Path, "deep", "out");
        var run = await CommandRun.Of([
            command,
            Input("generate_top3"),
            "-o",
            _folder.File("main"),
            "--export",
            "png,json,csv,npy",
            "--out-dir",
            folder,
            "--colours",
            "viridis",
        ]);

        Assert.Equal((0, ""), (run.ExitCode, run.Output));
        string[] names = [.. Directory.GetFiles(folder).Select(path => Path.GetFileName(path)!)];
        Assert.All(
            ["maps.json", "tokens.csv", "cells.csv", "relevance.csv", "maps.0.npy", "logits.npy"],
            name => Assert.Contains(name, names)
        );
        Assert.Equal(13, names.Count(name => name.EndsWith(".png", StringComparison.Ordinal)));
        Assert.Equal(
            14,
            (await File.ReadAllLinesAsync(Path.Combine(folder, "tokens.csv"))).Count(line =>
                !int.TryParse(line.Split(',')[1], CultureInfo.InvariantCulture, out _)
            )
        );
    }

    private static string Input(string name) =>
        Path.Combine(AppContext.BaseDirectory, "fixtures", "tamx", name, "input.safetensors");
}
