namespace Tamx.Kernels;

/// <summary>From activations to maps: interference, scale, subtraction, rank filter and normalisation. The definition of these steps.</summary>
/// <remarks>
/// <see cref="ReferenceEngine"/> ends in it. Whoever explains token by token calls it with the activations kept from earlier tokens
/// (<see cref="ITamEngine.Project"/> gives them), so that a token costs the products of its own rows alone.
/// </remarks>
public static class MapRefinement
{
    /// <summary>E.E below this gives s = 0.</summary>
    internal const double NegligibleInterference = 1e-12;

    /// <summary>
    /// E = Q A, s = (A.E)/(E.E), M = relu(A - strength s E), rank filter, one min-max per range. E.E below 1e-12 gives s = 0, as TAMX's
    /// <c>least_squares</c> does; s itself is the closed form that TAMX approximates with a numeric minimiser. float64 sums in index order.
    /// </summary>
    /// <param name="problem">What to compute. Its cell states and output rows are not read; T is the number of rows of the activations.</param>
    /// <param name="activations">A [T, V]: relu(w_t . h_v).</param>
    /// <param name="cellCount">V, at least 1 unless there are no maps.</param>
    /// <param name="maps">Receives the maps, as in <see cref="ITamEngine.Compute"/>.</param>
    /// <param name="ranges">In and out, as in <see cref="ITamEngine.Compute"/>.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    /// <exception cref="ArgumentException">A length or an index does not fit the others.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the destinations hold nothing of use.</exception>
    public static void Apply(
        in TamProblem problem,
        ReadOnlySpan<float> activations,
        int cellCount,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(cellCount);
        if (cellCount == 0 ? !activations.IsEmpty : activations.Length % cellCount != 0)
        {
            throw new ArgumentException("The activations are not a whole number of rows.", nameof(activations));
        }

        problem.Validate(cellCount, cellCount == 0 ? problem.OutputRowCount : activations.Length / cellCount, maps, ranges);
        var work = new double[maps.Length];
        int offset = 0;
        for (int m = 0; m < problem.Maps.Length; m++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var map = work.AsSpan(offset, problem.Blocks[problem.Maps[m].Block].CellCount);
            SubtractInterference(problem, m, activations, cellCount, map);
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

    /// <summary>M = relu(A - strength s E) for one map.</summary>
    private static void SubtractInterference(in TamProblem problem, int mapIndex, ReadOnlySpan<float> activations, int cellCount, Span<double> map)
    {
        int firstCell = problem.Blocks[problem.Maps[mapIndex].Block].FirstCell;
        var activation = activations.Slice(problem.Maps[mapIndex].OutputRow * cellCount + firstCell, map.Length);
        for (int v = 0; v < map.Length; v++)
        {
            map[v] = activation[v];
        }

        if (problem.EciStrength == 0)
        {
            return;
        }

        var interference = new double[map.Length];
        int rowCount = activations.Length / cellCount;
        var weights = problem.Weights.Slice(mapIndex * rowCount, rowCount);
        for (int t = 0; t < weights.Length; t++)
        {
            if (weights[t] == 0)
            {
                continue;
            }

            for (int v = 0; v < map.Length; v++)
            {
                interference[v] += (double)weights[t] * activations[t * cellCount + firstCell + v];
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
