using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary>The command line does what those of other programs do.</summary>
public sealed class HabitTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task NoArguments_ShowsHelp()
    {
        var run = await CommandRun.Of([]);

        Assert.Equal((0, string.Empty), (run.ExitCode, run.Error));
        Assert.Contains("explain", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'--promt' is not known here; did you mean --prompt?", "explain", "--promt", "What is it?")]
    [InlineData("'--iamge' is not known here; did you mean --image?", "explain", "--iamge=x.jpg")]
    [InlineData("'explian' is not known here; did you mean explain?", "explian")]
    [InlineData(
        "'--enigne' is not known here; did you mean --engine?",
        "maps",
        "in.safetensors",
        "-o",
        "out",
        "--enigne",
        "cpu"
    )]
    public async Task MisspeltWord_IsNamedWithWhatItMayBe(string message, params string[] arguments) =>
        (await CommandRun.Of(arguments)).AssertFails(2, message);

    [Fact]
    public async Task UnknownWord_LikeNothing_IsNotGuessed()
    {
        var run = await CommandRun.Of(["explain", "--nothing-like-it"]);

        run.AssertFails(2, "--nothing-like-it");
        Assert.DoesNotContain("did you mean", run.Error, StringComparison.Ordinal);
    }

    public static TheoryData<string> Commands =>
        [.. CommandLine.CreateRoot().Subcommands.Select(command => command.Name)];

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Help_HasTwoExamplesThatAreRight(string command)
    {
        var run = await CommandRun.Of([command, "--help"]);
        var lines = run.Output[run.Output.IndexOf("Examples:", StringComparison.Ordinal)..]
            .Split('\n')
            .Where(line => line.StartsWith("  ", StringComparison.Ordinal) && line[2] != ' ')
            .ToArray();

        Assert.Equal((0, string.Empty), (run.ExitCode, run.Error));
        Assert.True(lines.Length >= 2, run.Output);
        Assert.All(
            lines,
            line =>
            {
                // Without the shell's pipes.
                var own = line[line.IndexOf("tamx ", StringComparison.Ordinal)..].Split(" > ")[0];
                var parsed = CommandLine.CreateRoot().Parse([.. CommandLineParser.SplitCommandLine(own).Skip(1)]);
                Assert.Equal((0, null), (parsed.Errors.Count, Spelling.Explain(parsed)));
                Assert.False(parsed.CommandResult.Command is RootCommand, line);
            }
        );
    }

    [Fact]
    public async Task Help_OfTheProgram_HasExamples() =>
        Assert.Contains("Examples:", (await CommandRun.Of(["--help"])).Output, StringComparison.Ordinal);

    [Theory]
    [InlineData("-s is '-1'; it must be a whole number from 0 to 4294967295", "-s", "-1")]
    [InlineData("-s is '4294967296'; it must be a whole number from 0 to 4294967295", "-s", "4294967296")]
    [InlineData("-n is '2147483648'; it must be a whole number from -1 to 2147483647", "-n", "2147483648")]
    [InlineData("-t is '1.5'; it must be a whole number", "-t", "1.5")]
    [InlineData("--temp is 101; it must be from 0 to 100", "--temp", "101")]
    [InlineData("--temp is NaN; it must be from 0 to 100", "--temp", "NaN")]
    [InlineData("--temp is 'warm'; it must be a number from 0 to 100", "--temp", "warm")]
    [InlineData("--temp is empty", "--temp", "")]
    [InlineData("--fps is 'x'; it must be a number", "--video", "v", "--fps", "x")]
    [InlineData("--kernel is 0; it must be at least 1", "--kernel", "0")]
    public async Task Number_OutOfRange_IsNamedWithItsRange(string message, params string[] arguments) =>
        (await CommandRun.Of(["explain", .. arguments])).AssertFails(2, message);

    /// <summary>Neither the file of that name nor anything in it is taken for arguments.</summary>
    [Theory]
    [InlineData("@note.txt")]
    [InlineData("@alice said hello")]
    public async Task Prompt_ThatBeginsWithAt_IsText(string prompt)
    {
        var trace = _folder.File("t.safetensors");
        File.WriteAllText(_folder.File("note.txt"), "--image nowhere.jpg");
        var run = await CommandRun.OfProcess(
            ["explain", "-p", prompt, "-n", "1", "-t", "1", "-o", _folder.File("r.html"), "--save-trace", trace],
            _folder.Path
        );

        Assert.Equal(0, run.ExitCode);
        Assert.Contains($"{prompt}", TextOf(trace), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("2147483647")]
    public async Task MostTokens_NoBound_EndsWhereTheModelEnds(string count)
    {
        var bounded = await CommandRun.Of(["explain", "-n", "60", "-t", "1", "-o", _folder.File("a.html")]);
        var unbounded = await CommandRun.Of(["explain", "-n", count, "-t", "1", "-o", _folder.File("b.html")]);

        Assert.Equal((0, bounded.Output), (unbounded.ExitCode, unbounded.Output));
    }

    [Theory]
    [InlineData("0", "-n is 0; it must be at least 1, or -1")]
    [InlineData("-2", "-n")]
    [InlineData("2147483648", "-n")]
    public async Task MostTokens_Impossible_IsRefused(string count, string message) =>
        (await CommandRun.Of(["explain", "-n", count])).AssertFails(2, message);

    /// <summary>Below and above llama.cpp's own bounds: the other bound gives way.</summary>
    [Theory]
    [InlineData("--image-max-tokens", 1)]
    [InlineData("--image-max-tokens", 4)]
    [InlineData("--image-min-tokens", 200)]
    public async Task ImageTokens_OneBound_Holds(string option, int bound)
    {
        var path = _folder.File("maps.json");
        var run = await CommandRun.Of([
            "explain",
            option,
            $"{bound}",
            "-n",
            "1",
            "-t",
            "1",
            "-o",
            _folder.File("r.html"),
            "--maps-json",
            path,
        ]);

        Assert.Equal((0, true), (run.ExitCode, File.Exists(path)));
        using var maps = JsonDocument.Parse(await File.ReadAllBytesAsync(path));
        var block = maps.RootElement.GetProperty("blocks")[0];
        var cells = block.GetProperty("rows").GetInt32() * block.GetProperty("columns").GetInt32();
        Assert.True(option == "--image-max-tokens" ? cells <= bound : cells >= bound, $"{cells} cells");
    }

    private static string TextOf(string path)
    {
        var trace = TraceFile.Load(path);
        return string.Concat(trace.TokenIds.Select(trace.FindText));
    }
}
