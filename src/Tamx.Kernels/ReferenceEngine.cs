namespace Tamx.Kernels;

/// <summary>The definition of the results: plain scalar loops, float64 from the inputs to the last rounding.</summary>
/// <remarks>
/// Steps and notation (A activation, E interference, s scale, M map) as in <see cref="ITamEngine.Compute"/>. E.E below 1e-12 gives s = 0,
/// as TAMX's <c>least_squares</c> does; s itself is the closed form that TAMX approximates with a numeric minimiser.
/// Sums run in index order. No state; safe to share between threads.
/// </remarks>
public sealed class ReferenceEngine : ITamEngine
{
    private const double NegligibleInterference = 1e-12;

    /// <inheritdoc/>
    public EngineKind Kind => EngineKind.Reference;

    /// <inheritdoc/>
    public string Name => "reference";

    /// <inheritdoc/>
    public void Project(
        ReadOnlySpan<float> states,
        ReadOnlySpan<float> outputRows,
        int hiddenSize,
        Span<float> destination,
        CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(hiddenSize, 1);
        if (states.Length % hiddenSize != 0
            || outputRows.Length % hiddenSize != 0
            || destination.Length != (long)(states.Length / hiddenSize) * (outputRows.Length / hiddenSize))
        {
            throw new ArgumentException("States, output rows and destination do not fit each other.");
        }

        int stateCount = states.Length / hiddenSize;
        for (int i = 0; i < destination.Length; i++)
        {
            if (i % stateCount == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            destination[i] = (float)Activation(
                outputRows.Slice(i / stateCount * hiddenSize, hiddenSize),
                states.Slice(i % stateCount * hiddenSize, hiddenSize));
        }
    }

    /// <inheritdoc/>
    public void Compute(in TamProblem problem, Span<float> maps, Span<ValueRange> ranges, CancellationToken cancellationToken = default)
    {
        problem.Validate(maps, ranges);
        double[] activations = ProjectCells(problem, cancellationToken);
        var work = new double[maps.Length];
        int offset = 0;
        for (int m = 0; m < problem.Maps.Length; m++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var map = work.AsSpan(offset, problem.Blocks[problem.Maps[m].Block].CellCount);
            SubtractInterference(problem, m, activations, map);
            offset += map.Length;
        }

        if (problem.NormalizeBeforeFilter)
        {
            Normalize(problem, work, ranges);
            Filter(problem, work, cancellationToken);
        }
        else
        {
            Filter(problem, work, cancellationToken);
            Normalize(problem, work, ranges);
        }

        for (int i = 0; i < work.Length; i++)
        {
            maps[i] = (float)work[i];
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <summary>A = relu(W H^T), [T, V].</summary>
    private static double[] ProjectCells(in TamProblem problem, CancellationToken cancellationToken)
    {
        int hiddenSize = problem.HiddenSize;
        int cellCount = problem.CellCount;
        var activations = new double[checked(problem.OutputRowCount * cellCount)];
        for (int t = 0; t < problem.OutputRowCount; t++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var row = problem.OutputRows.Slice(t * hiddenSize, hiddenSize);
            for (int v = 0; v < cellCount; v++)
            {
                activations[t * cellCount + v] = Activation(row, problem.CellStates.Slice(v * hiddenSize, hiddenSize));
            }
        }

        return activations;
    }

    private static double Activation(ReadOnlySpan<float> outputRow, ReadOnlySpan<float> state)
    {
        double sum = 0;
        for (int d = 0; d < outputRow.Length; d++)
        {
            sum += (double)outputRow[d] * state[d];
        }

        return Math.Max(0, sum);
    }

    /// <summary>M = relu(A - strength s E) for one map.</summary>
    private static void SubtractInterference(in TamProblem problem, int mapIndex, double[] activations, Span<double> map)
    {
        int cellCount = problem.CellCount;
        int firstCell = problem.Blocks[problem.Maps[mapIndex].Block].FirstCell;
        activations.AsSpan(problem.Maps[mapIndex].OutputRow * cellCount + firstCell, map.Length).CopyTo(map);
        if (problem.EciStrength == 0)
        {
            return;
        }

        var interference = new double[map.Length];
        var weights = problem.Weights.Slice(mapIndex * problem.OutputRowCount, problem.OutputRowCount);
        for (int t = 0; t < weights.Length; t++)
        {
            if (weights[t] == 0)
            {
                continue;
            }

            for (int v = 0; v < map.Length; v++)
            {
                interference[v] += weights[t] * activations[t * cellCount + firstCell + v];
            }
        }

        double crossed = 0;
        double squared = 0;
        for (int v = 0; v < map.Length; v++)
        {
            crossed += map[v] * interference[v];
            squared += interference[v] * interference[v];
        }

        double scale = squared < NegligibleInterference ? 0 : crossed / squared;
        for (int v = 0; v < map.Length; v++)
        {
            map[v] = Math.Max(0, map[v] - problem.EciStrength * scale * interference[v]);
        }
    }

    private static void Filter(in TamProblem problem, Span<double> work, CancellationToken cancellationToken)
    {
        if (problem.KernelSize == 1)
        {
            return;
        }

        foreach (var map in problem.Maps)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var block = problem.Blocks[map.Block];
            var filtered = new double[block.RowCount * block.ColumnCount];
            for (int frame = 0; frame < block.FrameCount; frame++)
            {
                var values = work[..filtered.Length];
                RankFilter.Apply(values, block.RowCount, block.ColumnCount, problem.KernelSize, problem.ConstantWindow, filtered);
                filtered.CopyTo(values);
                work = work[filtered.Length..];
            }
        }
    }

    /// <summary>One min-max per range, over the maps that name it and what the range held before.</summary>
    private static void Normalize(in TamProblem problem, Span<double> work, Span<ValueRange> ranges)
    {
        var rest = work;
        foreach (var map in problem.Maps)
        {
            int length = problem.Blocks[map.Block].CellCount;
            ref var range = ref ranges[map.Range];
            foreach (double value in rest[..length])
            {
                range = new ValueRange(Math.Min(range.Minimum, (float)value), Math.Max(range.Maximum, (float)value));
            }

            rest = rest[length..];
        }

        rest = work;
        foreach (var map in problem.Maps)
        {
            int length = problem.Blocks[map.Block].CellCount;
            var (minimum, maximum) = ranges[map.Range];
            double width = (double)maximum - minimum;
            foreach (ref double value in rest[..length])
            {
                // The range was rounded to float32, the value was not: keep it from leaving [0, 1] by a hair.
                value = width > 0 ? Math.Clamp((value - minimum) / width, 0, 1) : 0;
            }

            rest = rest[length..];
        }
    }
}
