namespace Tamx.Kernels;

/// <summary>
/// The definition of the steps from activations to maps: interference, scale, subtraction, rank filter and
/// normalisation.
/// </summary>
internal static class MapRefinement
{
    /// <summary>E.E below this gives s = 0.</summary>
    internal const double NegligibleInterference = 1e-12;

    /// <summary>
    /// E = Q A, s = (A.E)/(E.E), M = relu(A - strength s E), rank filter, one min-max per range. Sums are float64, in
    /// index order. E.E below 1e-12 gives s = 0, as in TAMX's <c>least_squares</c>. TAMX finds s with a numeric
    /// minimiser; here it is the closed form.
    /// </summary>
    public static void Apply(
        in TamProblem problem,
        ReadOnlySpan<float> activations,
        int cellCount,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default
    )
    {
        problem.Validate(activations, cellCount, maps, ranges);
        var work = new double[maps.Length];
        var offset = 0;
        for (var m = 0; m < problem.Maps.Length; m++)
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

        for (var i = 0; i < work.Length; i++)
        {
            maps[i] = (float)work[i];
        }
    }

    /// <summary>M = relu(A - strength s E) for one map.</summary>
    private static void SubtractInterference(
        in TamProblem problem,
        int mapIndex,
        ReadOnlySpan<float> activations,
        int cellCount,
        Span<double> map
    )
    {
        var firstCell = problem.Blocks[problem.Maps[mapIndex].Block].FirstCell;
        var activation = activations.Slice(problem.Maps[mapIndex].OutputRow * cellCount + firstCell, map.Length);
        for (var v = 0; v < map.Length; v++)
        {
            map[v] = activation[v];
        }

        if (problem.EciStrength == 0)
        {
            return;
        }

        var interference = new double[map.Length];
        var rowCount = activations.Length / cellCount;
        var weights = problem.Weights.Slice(mapIndex * rowCount, rowCount);
        for (var t = 0; t < weights.Length; t++)
        {
            if (weights[t] == 0)
            {
                continue;
            }

            for (var v = 0; v < map.Length; v++)
            {
                interference[v] += (double)weights[t] * activations[t * cellCount + firstCell + v];
            }
        }

        var crossed = 0.0;
        var squared = 0.0;
        for (var v = 0; v < map.Length; v++)
        {
            crossed += map[v] * interference[v];
            squared += interference[v] * interference[v];
        }

        var scale = squared < NegligibleInterference ? 0 : crossed / squared;
        for (var v = 0; v < map.Length; v++)
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
            for (var frame = 0; frame < block.FrameCount; frame++)
            {
                var values = work[..filtered.Length];
                RankFilter.Apply(
                    values,
                    block.RowCount,
                    block.ColumnCount,
                    problem.KernelSize,
                    problem.ConstantWindow,
                    filtered
                );
                filtered.CopyTo(values);
                work = work[filtered.Length..];
            }
        }
    }

    /// <summary>One min-max per range, over its maps and what the range held before.</summary>
    private static void Normalize(in TamProblem problem, Span<double> work, Span<ValueRange> ranges)
    {
        var rest = work;
        foreach (var map in problem.Maps)
        {
            var length = problem.Blocks[map.Block].CellCount;
            ref var range = ref ranges[map.Range];
            foreach (var value in rest[..length])
            {
                range = range.Include(new ValueRange((float)value, (float)value));
            }

            rest = rest[length..];
        }

        rest = work;
        foreach (var map in problem.Maps)
        {
            var length = problem.Blocks[map.Block].CellCount;
            var (minimum, maximum) = ranges[map.Range];
            var width = (double)maximum - minimum;
            foreach (ref var value in rest[..length])
            {
                // The range was rounded to float32 and the value was not, so it may leave [0, 1] by a rounding error.
                value = width > 0 ? Math.Clamp((value - minimum) / width, 0, 1) : 0;
            }

            rest = rest[length..];
        }
    }
}
