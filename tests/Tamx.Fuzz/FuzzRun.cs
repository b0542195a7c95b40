using System.Diagnostics;
using System.Globalization;

namespace Tamx.Fuzz;

/// <summary>
/// The child's side: makes inputs one after another and has them read. Each is named by seed and number, which give the
/// same bytes everywhere.
/// </summary>
/// <remarks>
/// On standard output, <c>at NUMBER</c> before each input if TAMX_FUZZ_TRACE is set, a line for each failure, and at the
/// end <c>done COUNT TAKEN PEAK-BYTES</c>.
/// </remarks>
internal static class FuzzRun
{
    /// <summary>Bytes that one input may have allocated on the managed heap, in all.</summary>
    private const long MostAllocated = 256_000_000;

    /// <summary>An input takes milliseconds. What takes so long hangs.</summary>
    private static readonly TimeSpan MostTime = TimeSpan.FromMinutes(1);

    public static int Run(FuzzTarget target, int count, int seed, int first)
    {
        using var owned = target;
        using var progress = new Progress();
        var failures = 0;
        var taken = 0;
        foreach (var path in SeedsOf(target.Name))
        {
            progress.Begin($"seed {Path.GetFileName(path)}");
            failures += Try(target, File.ReadAllBytes(path), Path.GetFileName(path), ref taken) ? 0 : 1;
        }

        for (var number = first; number < first + count; number++)
        {
            progress.Begin($"{target.Name} {seed} {number}");
            var input = target.Make(new Random(unchecked((seed * 1_000_003) + number)));
            failures += Try(target, input, $"{target.Name}-{seed}-{number}", ref taken) ? 0 : 1;
        }

        using var process = Process.GetCurrentProcess();
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"done {count} {taken} {process.PeakWorkingSet64}")
        );
        return failures == 0 ? 0 : 1;
    }

    /// <summary>Inputs that failed once.</summary>
    private static IEnumerable<string> SeedsOf(string name) =>
        Directory
            .EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Seeds"), $"{name}-*")
            .Order(StringComparer.Ordinal);

    private static bool Try(FuzzTarget target, byte[] input, string name, ref int taken)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var fault = "";
        try
        {
            taken += target.Take(input) ? 1 : 0;
        }
        catch (Exception e)
        {
            fault = $"{e.GetType().Name}: {OutsideText.Part(e.Message)} {e.StackTrace?.Split('\n')[0].Trim()}";
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (fault.Length == 0 && allocated > MostAllocated)
        {
            fault = string.Create(CultureInfo.InvariantCulture, $"allocated {allocated:N0} bytes");
        }

        if (fault.Length == 0)
        {
            return true;
        }

        var path = Path.Combine(Path.GetTempPath(), $"tamx-fuzz-{name}");
        File.WriteAllBytes(path, input);
        Console.WriteLine($"failed {name}: {fault} (kept as {path}; move it to tests/Tamx.Fuzz/Seeds)");
        return false;
    }

    /// <summary>Names the input at work, and ends the process should one hang.</summary>
    private sealed class Progress : IDisposable
    {
        private readonly Timer _clock;
        private string _input = "";

        public Progress() => _clock = new Timer(_ => Hang(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public void Begin(string input)
        {
            _input = input;
            _clock.Change(MostTime, Timeout.InfiniteTimeSpan);
            if (FuzzTarget.IsTraced)
            {
                Console.WriteLine($"at {input}");
            }
        }

        public void Dispose() => _clock.Dispose();

        private void Hang()
        {
            Console.WriteLine($"failed {_input}: hangs");
            Environment.Exit(3);
        }
    }
}
