using System.Diagnostics;
using System.Globalization;
using Tamx.Kernels;
using Tamx.Kernels.Devices;
using Tamx.Testing;

namespace Tamx.GpuCheck;

/// <summary>Measures one device, and writes tables of it in Markdown.</summary>
internal sealed class DeviceMeasurements(EngineKind kind, ICard card, bool isQuick, TextWriter writer)
{
    private const int HiddenSize = 2048;
    private const int RowCount = 110;
    private const int TopCount = 10;

    private readonly long _copyBytes = isQuick ? 16L << 20 : 256L << 20;
    private readonly double _secondsPerFigure = isQuick ? 0.2 : 2;
    private double _peak;
    private double _bandwidth;

    /// <summary>Measures everything.</summary>
    public void Write()
    {
        WriteLimits();
        writer.WriteLine("Hidden size 2,048. A kernel's floor is the larger of its operations at the peak");
        writer.WriteLine("above and its bytes at the rate of the copy inside the device. A cache can exceed 100 %.");
        writer.WriteLine();
        writer.WriteLine("| shape | kernel | µs | GFLOP/s | GB/s | % of floor |");
        writer.WriteLine("| --- | --- | --- | --- | --- | --- |");
        var calls = new List<string>();
        foreach (var (name, problem) in Shapes())
        {
            calls.Add(WriteMaps(name, problem));
        }

        calls.Add(WriteTokens());
        writer.WriteLine();
        writer.WriteLine("Whole calls: the engine as it is; with a stop after each step, which takes longer");
        writer.WriteLine("where steps overlap; the engine cpu.");
        writer.WriteLine();
        writer.WriteLine($"| shape | {kind} ms | upload ms | kernels ms | download ms | MB | cpu ms | times as fast |");
        writer.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        calls.ForEach(writer.WriteLine);
        writer.WriteLine();
        WriteFirstCall();
    }

    private static string Text(double value) =>
        value.ToString(
            value >= 100 ? "F0"
                : value >= 1 ? "F2"
                : "G3",
            CultureInfo.InvariantCulture
        );

    /// <summary>The measured shapes: a large picture, with each window; a short answer; a video.</summary>
    private IEnumerable<(string Name, RandomProblem Problem)> Shapes()
    {
        (int, int, int)[] picture = isQuick ? [(1, 16, 20)] : [(1, 48, 80)];
        var tokens = isQuick ? 8 : 128;
        var cells = isQuick ? "16 x 20" : "48 x 80";
        var maps = RandomProblem.Create(1, picture, HiddenSize, RowCount, tokens, 4);
        foreach (var kernelSize in (int[])[3, 5, 7, 9])
        {
            yield return ($"{cells}, {maps.Maps.Length} maps, k = {kernelSize}", maps.With(kernelSize: kernelSize));
        }

        yield return ($"{cells}, 4 maps, k = 3", RandomProblem.Create(2, picture, HiddenSize, 40, 1, 4));
        if (!isQuick)
        {
            var video = RandomProblem.Create(3, [(16, 24, 24)], HiddenSize, RowCount, 32, 4);
            yield return ($"16 x 24 x 24, {video.Maps.Length} maps, k = 5", video.With(kernelSize: 5));
        }
    }

    private void WriteLimits()
    {
        _peak = Best(() =>
        {
            var (seconds, operations) = card.MultiplyAdd();
            return operations / seconds;
        });
        _bandwidth = Best(() => 2 * _copyBytes / card.CopyInside(_copyBytes));
        writer.WriteLine("| limit | measured |");
        writer.WriteLine("| --- | --- |");
        writer.WriteLine($"| float32 fused products and sums | {Text(_peak / 1e9)} GFLOP/s |");
        writer.WriteLine($"| copy inside the device, read and written | {Text(_bandwidth / 1e9)} GB/s |");
        foreach (var copy in Enumerable.Range(0, 4))
        {
            var (isUpload, isPinned) = (copy < 2, copy % 2 == 1);
            var rate = Best(() => _copyBytes / card.CopyHost(_copyBytes, isUpload, isPinned));
            var name = $"{(isUpload ? "upload" : "download")}, {(isPinned ? "pinned" : "pageable")}";
            writer.WriteLine($"| {name} | {Text(rate / 1e9)} GB/s |");
        }

        writer.WriteLine();
    }

    private string WriteMaps(string name, RandomProblem problem)
    {
        using var cpu = TamEngines.Create(EngineKind.Cpu);
        using var engine = TamEngines.Create(new EngineOptions { Kind = kind, Device = card.Info.Name });
        var maps = new float[problem.Problem.MapValueCount];
        var ranges = new ValueRange[problem.Maps.Max(map => map.Range) + 1];
        return Write(name, engine, cpu, Call, kernel => KernelWork.OfMaps(kernel, problem));

        void Call(ITamEngine one)
        {
            Array.Fill(ranges, ValueRange.Empty);
            one.Compute(problem.Problem, maps, ranges);
        }
    }

    private string WriteTokens()
    {
        using var cpu = TamEngines.Create(EngineKind.Cpu);
        using var engine = TamEngines.Create(new EngineOptions { Kind = kind, Device = card.Info.Name });
        var (states, rows) = isQuick ? (8, 1024) : (64, 8192);
        var problem = RandomProblem.Create(4, [(1, 1, states)], HiddenSize, rows, 1);
        var (best, logSums) = (new TokenScore[states * TopCount], new double[states]);
        return Write(
            $"{states} states, {rows} tokens",
            engine,
            cpu,
            Call,
            kernel => KernelWork.OfTokens(kernel, states, rows, HiddenSize)
        );

        void Call(ITamEngine one)
        {
            Array.Fill(best, TokenScore.None);
            Array.Fill(logSums, double.NegativeInfinity);
            one.SelectTop(
                new()
                {
                    HiddenSize = HiddenSize,
                    States = problem.CellStates,
                    OutputRows = problem.OutputRows,
                    Best = best,
                    LogSums = logSums,
                }
            );
        }
    }

    /// <summary>Writes a call's kernels.</summary>
    /// <returns>The call's line in the table of whole calls.</returns>
    private string Write(
        string name,
        ITamEngine engine,
        ITamEngine cpu,
        Action<ITamEngine> call,
        Func<DeviceKernel, KernelWork?> workOf
    )
    {
        var whole = Median(() => Seconds(() => call(engine)));
        var onCpu = Median(() => Seconds(() => call(cpu)));
        var device = new TimedDevice(card.Open(), card.KernelClock);
        using var timed = new DeviceEngine(device, 0);
        call(timed);
        var runs = new List<(double Upload, double Download, Dictionary<DeviceKernel, double> Kernels)>();
        Median(() =>
            Seconds(() =>
            {
                device.Clear();
                call(timed);
                runs.Add((device.UploadSeconds, device.DownloadSeconds, new(device.KernelSeconds)));
            })
        );
        var kernels = 0.0;
        foreach (var kernel in runs[0].Kernels.Keys)
        {
            var seconds = Middle(runs.Select(run => run.Kernels[kernel]));
            kernels += seconds;
            var figures =
                workOf(kernel) is not { } work ? "| | |"
                : seconds <= 0 ? "| | too short to measure |"
                : $"{Text(work.Operations / seconds / 1e9)} | {Text(work.Bytes / seconds / 1e9)} "
                    + $"| {Text(100 * work.Floor(_peak, _bandwidth) / seconds)} |";
            writer.WriteLine($"| {name} | {kernel.Name} | {Text(seconds * 1e6)} | {figures}");
        }

        var (upload, download) = (Middle(runs.Select(run => run.Upload)), Middle(runs.Select(run => run.Download)));
        return $"| {name} | {Text(whole * 1e3)} | {Text(upload * 1e3)} | {Text(kernels * 1e3)} "
            + $"| {Text(download * 1e3)} | {Text(device.CopiedBytes / 1e6)} | {Text(onCpu * 1e3)} "
            + $"| {Text(onCpu / whole)} |";
    }

    private void WriteFirstCall()
    {
        if (FirstCall.Measure(kind) is not var (cold, warm))
        {
            writer.WriteLine("The first call could not be measured, since its process failed.");
            return;
        }

        writer.WriteLine("| first call of a process, maps with k = 3 | engine ms | call ms |");
        writer.WriteLine("| --- | --- | --- |");
        (string, FirstCallSeconds)[] calls = [("cold", cold), ("the driver's cache warm", warm)];
        foreach (var (state, seconds) in calls)
        {
            writer.WriteLine($"| {state} | {Text(seconds.Creating * 1e3)} | {Text(seconds.Computing * 1e3)} |");
        }

        writer.WriteLine();
    }

    private static double Seconds(Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Middle(IEnumerable<double> values) => values.Order().ElementAt(values.Count() / 2);

    private double Best(Func<double> measure) => Repeat(measure).Max();

    private double Median(Func<double> measure) => Middle(Repeat(measure));

    /// <summary>Measures once without counting, then three to twenty times, until the time is up.</summary>
    private List<double> Repeat(Func<double> measure)
    {
        measure();
        var values = new List<double>();
        var start = Stopwatch.GetTimestamp();
        do
        {
            values.Add(measure());
        } while (
            values.Count < 3 || (values.Count < 20 && Stopwatch.GetElapsedTime(start).TotalSeconds < _secondsPerFigure)
        );

        return values;
    }
}
