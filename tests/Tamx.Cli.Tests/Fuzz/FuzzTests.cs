using System.Globalization;
using System.Text;

namespace Tamx.Cli.Tests.Fuzz;

/// <summary>The current folder and the whole process are these tests' own.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class WholeProcess
{
    public const string Name = "fuzz";
}

/// <summary>
/// Whatever a command line or a chat file says: an exit code that means something, few words, and no file but those
/// that were asked for.
/// </summary>
/// <remarks>
/// A failure names its input by seed and index; TAMX_FUZZ=seed:index runs that one alone, TAMX_FUZZ=seed all of another
/// seed.
/// </remarks>
[Collection(WholeProcess.Name)]
public sealed class FuzzTests : IDisposable
{
    private const int LineCount = 5000;
    private const int ChatCount = 5000;
    private const int DefaultSeed = 20260;

    /// <summary>One in so many gets as far as a model.</summary>
    private const int LoadingOneIn = 100;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly FuzzFiles _files = new();
    private readonly string _folderBefore = Environment.CurrentDirectory;
    private readonly List<string> _unobserved = [];

    public FuzzTests()
    {
        Environment.CurrentDirectory = _files.Folder;
        TaskScheduler.UnobservedTaskException += Note;
    }

    public void Dispose()
    {
        TaskScheduler.UnobservedTaskException -= Note;
        Environment.CurrentDirectory = _folderBefore;
        _files.Dispose();
    }

    [Fact]
    public Task CommandLines_OfAllKinds_EndWell() =>
        RunAll(
            LineCount,
            (random, index) => (new LineGenerator(random, _files).Next(loads: index % LoadingOneIn == 0), null)
        );

    [Fact]
    public Task ChatFiles_OfAllKinds_EndWell() =>
        RunAll(
            ChatCount,
            (random, index) =>
            {
                var chat = new ChatGenerator(random).Next();
                string[] model = index % LoadingOneIn == 0 ? [] : ["-m", "model-cut.gguf"];
                string[] line =
                [
                    "explain",
                    "--messages",
                    "chat.json",
                    "-n",
                    "2",
                    "-t",
                    "1",
                    "--engine",
                    "cpu",
                    .. model,
                ];
                return (line, chat);
            }
        );

    /// <summary>Lines that once ended badly.</summary>
    [Theory]
    [InlineData("explain", "-n", "1", "-t", "2147483647")]
    [InlineData("explain", "-n", "1", "-t", "1", "--candidates", "1000")]
    [InlineData("explain", "-n", "1", "-t", "1", "--candidates", "2147483647")]
    [InlineData("explain", "-n", "1", "-t", "1", "-c", "2147483647")]
    [InlineData("explain", "-n", "1", "-t", "1", "--image-min-tokens", "2147483647")]
    [InlineData("explain", "-n", "1", "-t", "1", "--image-max-tokens", "2147483647")]
    [InlineData("explain", "-m", "pipe", "-p", "Hi")]
    [InlineData("explain", "--messages", "/dev/zero")]
    [InlineData("maps", "pipe", "-o", "out/m")]
    [InlineData("report", "pipe")]
    [InlineData("info", "-m", "pipe")]
    [InlineData("explain", "--mmproj", "m.gguf", "-m")]
    [InlineData("explain", "-p", "Hi", "-m", "")]
    [InlineData("explain", "--image", "")]
    [InlineData("explain", "--messages", "")]
    [InlineData("explain", "--video", "")]
    [InlineData("eval", "--data", "")]
    [InlineData("eval", "--scenes", "1", "--resume", "")]
    [InlineData("info", "--model", "")]
    [InlineData("maps", "", "-o", "out/m")]
    [InlineData("report", "")]
    [InlineData("maps", "trace.safetensors", "-o", "out/m", "----", "--profile", "--no-filter")]
    [InlineData("--presence-penalty", "explain", "0")]
    [InlineData("explain", "--=")]
    [InlineData("maps", "trace.safetensors", "-o", "out/m", "--repeat", "2147483647")]
    [InlineData("report", "trace.safetensors", "--out-dir", " ", "--export", "json")]
    [InlineData("report", "trace.safetensors", "--out-dir", "", "--export", "json")]
    [InlineData("report", "trace.safetensors", "-o", " ")]
    [InlineData("eval", "--scenes", "1", "--curves", "1", "--curve-steps", "2147483647", "-n", "1", "-t", "1")]
    public async Task CommandLine_ThatOnceEndedBadly_IsRefused(params string[] line)
    {
        var run = await Task.Run(() => CommandRun.Of(line)).WaitAsync(Patience);

        Assert.True(run.ExitCode is 2 or 3, $"{run.ExitCode} {run.Error}");
        Assert.Null(Fault(line, run));
    }

    private async Task RunAll(int count, Func<Random, int, (string[] Line, byte[]? Chat)> next)
    {
        var wanted = (Environment.GetEnvironmentVariable("TAMX_FUZZ") ?? "").Split(':');
        var seed = int.TryParse(wanted[0], CultureInfo.InvariantCulture, out var given) ? given : DefaultSeed;
        var only = wanted.Length > 1 ? int.Parse(wanted[1], CultureInfo.InvariantCulture) : (int?)null;
        var codes = new SortedDictionary<int, int>();
        var faults = new List<string>();
        for (var index = only ?? 0; index < (only + 1 ?? count) && faults.Count < 30; index++)
        {
            // Each input has numbers of its own, so that it can be made again alone.
            var (line, chat) = next(new Random(unchecked((seed * 1_000_003) + index)), index);
            if (chat is not null)
            {
                _files.Put("chat.json", chat);
            }

            var run = Task.Run(() => CommandRun.Of(line, "What?\n"u8.ToArray()));
            if (await Task.WhenAny(run, Task.Delay(Patience)) != run)
            {
                faults.Add($"TAMX_FUZZ={seed}:{index} hangs: {Shown(line, chat)}");
                break;
            }

            var result = await run;
            codes[result.ExitCode] = codes.GetValueOrDefault(result.ExitCode) + 1;
            if (Fault(line, result) is { } fault)
            {
                faults.Add($"TAMX_FUZZ={seed}:{index} {fault}: {Shown(line, chat)}\n    {result.Error.Trim()}");
            }
        }

        // What no one awaited is found by the collector.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        faults.AddRange(_unobserved);
        Assert.True(faults.Count == 0, string.Join('\n', faults));
        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Join(", ", codes.Select(code => $"exit {code.Key}: {code.Value}"))
        );
    }

    /// <summary>What is wrong with how a line ended; null if nothing is.</summary>
    private string? Fault(string[] line, CommandRun run)
    {
        const int MostBytes = 1500;
        var difference = _files.Difference(LineGenerator.OutputsOf(line));
        var isVerbose = line.Contains("-v") || line.Contains("--verbose");
        var length = Encoding.UTF8.GetByteCount(run.Error);
        return run.ExitCode is not (0 or 2 or 3 or 4) ? $"exit code {run.ExitCode}"
            : length > MostBytes && !isVerbose ? $"{length} bytes on stderr"
            : run.ExitCode != 0 && run.Error.Length == 0 ? "no word on stderr"
            : difference;
    }

    private static string Shown(string[] line, byte[]? chat) =>
        string.Join(' ', line.Select(word => $"'{word}'"))
        + (chat is null ? "" : $"\n    {Encoding.UTF8.GetString(chat)}");

    private void Note(object? sender, UnobservedTaskExceptionEventArgs e)
    {
        lock (_unobserved)
        {
            _unobserved.Add($"unobserved: {e.Exception}");
        }
    }
}
