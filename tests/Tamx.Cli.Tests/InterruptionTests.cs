using System.Diagnostics;
using System.Text;
using Tamx.Testing;

namespace Tamx.Cli.Tests;

/// <summary>An answer is shown as it is written, and Ctrl+C keeps what there is of it.</summary>
public sealed class InterruptionTests : IDisposable
{
    private const int Cancelled = 130;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Report => _folder.File("report.html");

    private string Trace => _folder.File("trace.safetensors");

    [Fact]
    public async Task Terminal_ShowsTheAnswerTokenByToken()
    {
        var seen = new List<string>();
        var run = await CommandRun.Of(
            ["explain", "-t", "1", "-o", Report],
            [],
            terminal: true,
            watch: (text, _) => seen.Add(text)
        );

        var piped = await CommandRun.Of(["explain", "-t", "1", "-o", Report]);
        Assert.Equal((0, piped.Output), (run.ExitCode, run.Output));
        Assert.True(seen.Count > 5, $"{seen.Count} pieces");
        Assert.All(seen, text => Assert.StartsWith(text, run.Output, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--json")]
    [InlineData("--maps-json", "-")]
    public async Task Terminal_WhereSomethingElseGoes_ShowsThatAlone(params string[] option)
    {
        var run = await CommandRun.Of(["explain", "-t", "1", "-n", "3", "-o", Report, .. option], [], terminal: true);

        Assert.Equal(0, run.ExitCode);
        using var json = System.Text.Json.JsonDocument.Parse(run.Output);
    }

    [Fact]
    public async Task Once_AfterTheThirdToken_KeepsThePart()
    {
        var maps = _folder.File("maps.json");
        var run = await Endless((3, 1), "--save-trace", Trace, "--maps-json", maps);

        Assert.Equal(Cancelled, run.ExitCode);
        Assert.Contains("3 tokens explained", run.Error, StringComparison.Ordinal);
        Assert.Contains("stopped by Ctrl+C", run.Error, StringComparison.Ordinal);
        Assert.Equal(3, TraceFile.Load(Trace).AnswerProbabilities!.Value.Length);
        Assert.Equal(
            [maps, Report, Trace],
            Directory.EnumerateFileSystemEntries(_folder.Path).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task Twice_LeavesNothing()
    {
        var run = await Endless((3, 2), "--save-trace", Trace);

        Assert.Equal(Cancelled, run.ExitCode);
        Assert.Equal("tamx: cancelled", run.Error.Trim());
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    /// <summary>While the files are written, the second ends that too, and no part of a file stays.</summary>
    [Fact]
    public async Task Twice_WhileTheReportIsWritten_LeavesNoPartOfIt()
    {
        using var interruption = new Interruption();
        interruption.KeepPart();
        interruption.Press();
        var context = new CommandContext
        {
            OpenInput = () => Stream.Null,
            OpenOutput = () => Stream.Null,
            OutputIsTerminal = false,
            Interruption = interruption,
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            OutputFile.WriteAsync(
                context,
                Report,
                stream =>
                {
                    stream.Write("<html>"u8);
                    interruption.Press();
                    stream.Write("</html>"u8);
                },
                interruption.Cancel
            )
        );
        Assert.True(interruption.Stop.IsCancellationRequested);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Once_BeforeTheFirstToken_LeavesNothing()
    {
        var run = await CommandRun.Of(["explain", "-t", "1", "-o", Report], new CancellationToken(canceled: true));

        Assert.Equal((Cancelled, "tamx: cancelled"), (run.ExitCode, run.Error.Trim()));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    /// <summary>A key pressed on a terminal, and the whole program on it.</summary>
    [Fact]
    public async Task Once_OnATerminal_KeepsThePart()
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && File.Exists("/usr/bin/script"),
            "Needs script (Debian: bsdutils), which has a terminal to offer."
        );
        var command = string.Join(' ', Program(["-n", "100000", "--save-trace", Trace]).Select(word => $"'{word}'"));
        using var process = Start("script", ["-qec", command, "/dev/null"]);

        // The cursor comes back when the bars go, right before the answer.
        var seen = await ReadUntilAsync(process.StandardOutput, "\u001b[?25h");
        await process.StandardInput.WriteAsync('\u0003');
        await process.StandardInput.FlushAsync();
        var rest = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync();

        Assert.True(process.ExitCode == Cancelled, seen + rest);
        Assert.Contains("stopped by Ctrl+C", rest, StringComparison.Ordinal);
        var tokens = TraceFile.Load(Trace).AnswerProbabilities!.Value.Length;
        Assert.Contains($"{tokens} tokens explained", rest, StringComparison.Ordinal);
        Assert.True(File.Exists(Report));
    }

    /// <summary>A process that waits for its input has nothing to keep.</summary>
    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task Signal_WhileItWaitsForStdin_EndsItWithNothing(string signal)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs signals.");
        var words = Program(["-p", "-"]);
        using var process = Start(words[0], words[1..]);
        var patience = Stopwatch.StartNew();
        while (!HandlesSignals(process.Id))
        {
            Assert.True(patience.Elapsed < TimeSpan.FromSeconds(60), "it handles no signals");
            await Task.Delay(20);
        }

        using var kill = Process.Start("sh", ["-c", $"kill -{signal} {process.Id}"]);
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(Cancelled, process.ExitCode);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Answer_WithControlCharacters_CannotSteerTheTerminal()
    {
        var answer = "a\u001b[2Jb\u0007";
        var terminal = await CommandRun.Of(
            ["explain", "-t", "1", "-o", Report, "--answer", answer],
            [],
            terminal: true
        );
        var piped = await CommandRun.Of(["explain", "-t", "1", "-o", Report, "--answer", answer]);

        Assert.DoesNotContain('\u001b', terminal.Output);
        Assert.DoesNotContain('\u0007', terminal.Output);
        Assert.Equal(
            piped
                .Output.Replace("\u001b", @"\u001B", StringComparison.Ordinal)
                .Replace("\u0007", @"\u0007", StringComparison.Ordinal),
            terminal.Output
        );
    }

    /// <summary>An answer that would go on for long, interrupted so often after so many tokens.</summary>
    private Task<CommandRun> Endless((int Tokens, int Presses) at, params string[] arguments)
    {
        var count = 0;
        return CommandRun.Of(
            [.. Program(arguments)[2..], "-n", "100000"],
            [],
            terminal: true,
            watch: (_, interruption) =>
            {
                // The press comes while the token is shown: it is the last one.
                var presses = ++count == at.Tokens ? at.Presses : 0;
                for (var i = 0; i < presses; i++)
                {
                    interruption.Press();
                }
            }
        );
    }

    /// <summary>The program, asked something of a random model, which never ends an answer by itself.</summary>
    private string[] Program(string[] arguments) =>
        [
            ChildProcess.Dotnet,
            typeof(CommandLine).Assembly.Location,
            "explain",
            "-m",
            TestModels.Qwen3Vl.ModelPath,
            "-t",
            "1",
            "--engine",
            "cpu",
            "-o",
            Report,
            .. arguments.Contains("-p") ? [] : (string[])["-p", "Hello"],
            .. arguments,
        ];

    private Process Start(string program, IEnumerable<string> arguments) =>
        Process.Start(
            new ProcessStartInfo(program, arguments)
            {
                WorkingDirectory = _folder.Path,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                StandardInputEncoding = new UTF8Encoding(false),
                Environment = { ["TERM"] = "xterm" },
            }
        )!;

    /// <summary>Whether .NET's thread for signals is there, which begins with the first handler.</summary>
    private static bool HandlesSignals(int id) =>
        Directory
            .EnumerateDirectories($"/proc/{id}/task")
            .Any(task =>
                File.ReadAllText(Path.Combine(task, "comm")).StartsWith(".NET SigHandler", StringComparison.Ordinal)
            );

    private static async Task<string> ReadUntilAsync(StreamReader reader, string end)
    {
        var seen = new StringBuilder();
        var buffer = new char[1];
        while (!seen.ToString().Contains(end, StringComparison.Ordinal))
        {
            var count = await reader.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
            Assert.True(count == 1, $"the program ended: {seen}");
            seen.Append(buffer, 0, count);
        }

        return seen.ToString();
    }
}
