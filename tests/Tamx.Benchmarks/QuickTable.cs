using System.Globalization;

namespace Tamx.Benchmarks;

/// <summary>
/// One table of all kernels and of whole computations in under two minutes, each beside what it is measured against.
/// </summary>
internal sealed class QuickTable
{
    /// <summary>
    /// Computations that Python does beside: 3 candidates over 48 x 80 cells with k = 3, and over 16 frames of 24 x 24
    /// with k = 5.
    /// </summary>
    private static readonly ((int Frames, int Rows, int Columns) Grid, int KernelSize)[] InPython =
    [
        ((1, 48, 80), 3),
        ((16, 24, 24), 5),
    ];

    private readonly TextWriter _output;
    private readonly double _onePeak;
    private readonly double _allPeak;

    private QuickTable(TextWriter output)
    {
        _output = output;
        _onePeak = VectorKernels.OfThisMachine.MeasurePeak(1);
        _allPeak = VectorKernels.OfThisMachine.MeasurePeak(Environment.ProcessorCount);
    }

    /// <summary>Measures and writes, line by line.</summary>
    public static async Task WriteAsync(TextWriter output)
    {
        var table = new QuickTable(output);
        var obstacle = PythonBaseline.FindObstacle();
        output.WriteLine(
            Invariant(
                $"{Machine.Name}, {Environment.ProcessorCount} processors, .NET {Environment.Version}, {VectorKernels.OfThisMachine.Bits}-bit vectors"
            )
        );
        output.WriteLine(
            Invariant($"measured peak: {table._onePeak:F0} GFLOP/s on one thread, {table._allPeak:F0} on all")
        );
        output.WriteLine();
        output.WriteLine("| what | threads | time | rate | of peak | against | times as fast |");
        output.WriteLine("| --- | --- | --- | --- | --- | --- | --- |");
        table.Projection();
        table.Selection();
        table.Interference();
        table.RankFilter();
        table.Compute(withPython: obstacle is null);
        if (obstacle is not null)
        {
            output.WriteLine();
            output.WriteLine($"Nothing in Python to compare with: {obstacle}.");
        }

        output.WriteLine();
        await ExplainOverhead.WriteAsync(output, 4, withMemory: true);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private void Row(
        string what,
        int threads,
        double seconds,
        string rate,
        double? ofPeak,
        string against,
        double? ratio
    )
    {
        var peak = ofPeak is { } share ? Invariant($"{share:P0}") : "";
        var times = ratio is { } value ? Invariant($"{value:F1}") : "";
        _output.WriteLine(
            Invariant($"| {what} | {threads} | {seconds * 1e3:F2} ms | {rate} | {peak} | {against} | {times} |")
        );
        _output.Flush();
    }

    private void Projection()
    {
        foreach (var size in ProjectionBenchmarks.Sizes)
        {
            var benchmark = new ProjectionBenchmarks { Size = size };
            benchmark.SetUp();
            var best = Timing.Best(3, benchmark.Cpu, benchmark.CpuAllThreads, benchmark.DotPerElement);
            var reference = size.States > 2000 ? double.NaN : Timing.Best(0, benchmark.Reference)[0];
            var flops = 2.0 * size.States * size.Rows * benchmark.HiddenSize / 1e9;
            var what = $"projection, {size.Rows} rows by {size.States} states of {benchmark.HiddenSize}";
            Row(
                what,
                1,
                best[0],
                Invariant($"{flops / best[0]:F0} GFLOP/s"),
                flops / best[0] / _onePeak,
                "TensorPrimitives.Dot per element",
                best[2] / best[0]
            );
            Row(
                what,
                Environment.ProcessorCount,
                best[1],
                Invariant($"{flops / best[1]:F0} GFLOP/s"),
                flops / best[1] / _allPeak,
                "one thread",
                best[0] / best[1]
            );
            if (!double.IsNaN(reference))
            {
                Row(what, 1, best[0], "", null, "reference engine", reference / best[0]);
            }

            benchmark.CleanUp();
        }
    }

    private void Selection()
    {
        var benchmark = new SelectionBenchmarks();
        benchmark.SetUp();
        var best = Timing.Best(2, benchmark.Cpu, benchmark.CpuAllThreads, benchmark.DotPerElement);
        var flops =
            2.0 * SelectionBenchmarks.StateCount * SelectionBenchmarks.RowCount * SelectionBenchmarks.HiddenSize / 1e9;
        var what =
            $"best {SelectionBenchmarks.Count} of {SelectionBenchmarks.RowCount} rows of {SelectionBenchmarks.HiddenSize} for {SelectionBenchmarks.StateCount} states";
        Row(
            what,
            1,
            best[0],
            Invariant($"{flops / best[0]:F0} GFLOP/s"),
            flops / best[0] / _onePeak,
            "TensorPrimitives.Dot per element, then Array.Sort",
            best[2] / best[0]
        );
        Row(
            what,
            Environment.ProcessorCount,
            best[1],
            Invariant($"{flops / best[1]:F0} GFLOP/s"),
            flops / best[1] / _allPeak,
            "one thread",
            best[0] / best[1]
        );
        benchmark.CleanUp();
    }

    private void Interference()
    {
        var benchmark = new InterferenceBenchmarks();
        benchmark.SetUp();
        var best = Timing.Best(2, benchmark.Cpu, benchmark.MultiplyAddPerRow);
        var flops = 2.0 * benchmark.CellCount * benchmark.MapCount * benchmark.RowCount / 1e9;
        Row(
            $"interference to normalised map, {benchmark.MapCount} maps of {benchmark.CellCount} cells from {benchmark.RowCount}",
            1,
            best[0],
            Invariant($"{flops / best[0]:F0} GFLOP/s"),
            flops / best[0] / _onePeak,
            "TensorPrimitives.MultiplyAdd per row, the product alone",
            best[1] / best[0]
        );
        benchmark.CleanUp();
    }

    private void RankFilter()
    {
        foreach (var kernelSize in (int[])[3, 5, 7, 9])
        {
            var benchmark = new RankFilterBenchmarks { KernelSize = kernelSize };
            benchmark.SetUp();
            var best = Timing.Best(1.5, benchmark.Cpu, benchmark.ScalarSort);
            var perMap = best[0] / benchmark.MapCount;
            Row(
                $"rank filter k = {kernelSize}, {benchmark.MapCount} maps of 32 x 32",
                1,
                best[0],
                Invariant($"{1 / perMap:F0} maps/s"),
                null,
                "scalar sort per window",
                best[1] / benchmark.ScalarMapCount / perMap
            );
        }
    }

    private void Compute(bool withPython)
    {
        foreach (var grid in ComputeBenchmarks.Grids)
        {
            foreach (var candidates in (int[])[0, 3])
            {
                foreach (var kernelSize in (int[])[3, 5])
                {
                    var benchmark = new ComputeBenchmarks
                    {
                        Grid = grid,
                        CandidateCount = candidates,
                        KernelSize = kernelSize,
                    };
                    benchmark.SetUp();
                    var best = Timing.Best(1.2, () => benchmark.OneThread(), () => benchmark.AllThreads());
                    double? python =
                        withPython && candidates == 3 && InPython.Contains((grid, kernelSize))
                            ? benchmark.MeasurePython()
                            : null;
                    benchmark.CleanUp();
                    var cells =
                        grid.Frames == 1
                            ? $"{grid.Rows} x {grid.Columns}"
                            : $"video {grid.Frames} x {grid.Rows} x {grid.Columns}";
                    var what =
                        $"maps of {ComputeBenchmarks.AnswerLength} tokens, {cells}, {candidates} candidates, k = {kernelSize}";
                    var against = python is null ? "" : "Python as TAMX does it, one thread";
                    var rate = Invariant($"{benchmark.Flops / best[0] / 1e9:F0} GFLOP/s");
                    Row(what, 1, best[0], rate, benchmark.Flops / best[0] / 1e9 / _onePeak, against, python / best[0]);
                    rate = Invariant($"{benchmark.Flops / best[1] / 1e9:F0} GFLOP/s");
                    Row(
                        what,
                        Environment.ProcessorCount,
                        best[1],
                        rate,
                        benchmark.Flops / best[1] / 1e9 / _allPeak,
                        against,
                        python / best[1]
                    );
                }
            }
        }
    }
}
