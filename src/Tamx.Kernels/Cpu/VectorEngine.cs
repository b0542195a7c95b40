using System.Runtime.CompilerServices;

namespace Tamx.Kernels.Cpu;

/// <summary>The engine for processors: vectors and threads, float32 with float64 sums where a map is scaled.</summary>
/// <remarks>
/// <para>
/// Panels of cells go through both products while they are in the cache: the activations A of all output rows, then the interference
/// E = Q A, which is written where the maps are wanted. A is kept for the explained rows only. Then the maps of each range are finished where
/// they lie: scale, subtraction, rank filter, normalisation. So there are never more than two buffers of [maps, cells].
/// </para>
/// <para>
/// Results do not depend on the number of threads: threads share out panels and ranges, and no sum is split among them.
/// They stay within 2e-6 of <see cref="ReferenceEngine"/>, as a share of the range that is normalised or of the largest activation where that is
/// larger: sums of products in float32 are off by some 1e-7 of it, and a map is the difference of two such sums.
/// </para>
/// </remarks>
internal sealed unsafe partial class VectorEngine<TSimd, TVector> : ITamEngine
    where TSimd : ISimd<TVector>
    where TVector : struct
{
    private const int PanelSize = Projection<TSimd, TVector>.PanelSize;
    private const int TileRows = TileProduct<TSimd, TVector>.RowCount;

    private readonly Workers _workers;
    private readonly Projection<TSimd, TVector> _projection = new();
    private readonly FloatBuffer _activations = new();
    private readonly FloatBuffer _weights = new();
    private readonly FloatBuffer[] _panels;
    private readonly WindowFilter<TSimd, TVector>[] _filters;

    public VectorEngine(int threadCount)
    {
        _workers = new Workers(threadCount);
        _panels = [.. Enumerable.Range(0, threadCount).Select(_ => new FloatBuffer())];
        _filters = [.. Enumerable.Range(0, threadCount).Select(_ => new WindowFilter<TSimd, TVector>())];
    }

    public EngineKind Kind => EngineKind.Cpu;

    public string Name => $"cpu, {32 * TSimd.Count}-bit vectors";

    public long MaxWorkingBytes { get; init; } = EngineOptions.DefaultWorkingBytes;

    public void Project(
        ReadOnlySpan<float> states,
        ReadOnlySpan<float> outputRows,
        int hiddenSize,
        Span<float> destination,
        CancellationToken cancellationToken = default)
    {
        ReferenceEngine.ValidateProjection(states, outputRows, hiddenSize, destination);
        var stateCount = states.Length / hiddenSize;
        var rowCount = outputRows.Length / hiddenSize;
        fixed (float* fixedStates = states, fixedRows = outputRows, fixedDestination = destination)
        {
            var from = fixedStates;
            var to = fixedDestination;
            _projection.Pack(fixedRows, rowCount, hiddenSize, _workers, cancellationToken);
            _workers.Run(
                (stateCount + PanelSize - 1) / PanelSize,
                (worker, panel) =>
                {
                    var first = (long)panel * PanelSize;
                    var count = (int)Math.Min(PanelSize, stateCount - first);
                    var activations = _panels[worker].Reserve(_projection.ScratchSize + (long)rowCount * PanelSize);
                    _projection.ProjectPanel(from + first * hiddenSize, count, activations + (long)rowCount * PanelSize, rectifies: true, activations);
                    for (var t = 0L; t < rowCount; t++)
                    {
                        new ReadOnlySpan<float>(activations + t * PanelSize, count).CopyTo(new Span<float>(to + t * stateCount + first, count));
                    }
                },
                cancellationToken);
        }
    }

    public void Compute(in TamProblem problem, Span<float> maps, Span<ValueRange> ranges, CancellationToken cancellationToken = default)
    {
        problem.Validate(maps, ranges);
        fixed (float* states = problem.CellStates, rows = problem.OutputRows, weights = problem.Weights, values = maps)
        {
            var run = new MapRun(problem, problem.OutputRowCount, weights, values) { States = states };
            _projection.Pack(rows, run.RowCount, run.HiddenSize, _workers, cancellationToken);
            Compute(run, ranges, cancellationToken);
        }
    }

    public void Refine(
        in TamProblem problem,
        ReadOnlySpan<float> activations,
        int cellCount,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default)
    {
        problem.Validate(activations, cellCount, maps, ranges);
        fixed (float* products = activations, weights = problem.Weights, values = maps)
        {
            var rowCount = cellCount == 0 ? 0 : activations.Length / cellCount;
            Compute(new MapRun(problem, rowCount, weights, values) { Activations = products, CellCount = cellCount }, ranges, cancellationToken);
        }
    }

    public void Dispose()
    {
        _projection.Dispose();
        _activations.Dispose();
        _weights.Dispose();
        foreach (var panel in _panels)
        {
            panel.Dispose();
        }

        foreach (var filter in _filters)
        {
            filter.Dispose();
        }
    }

    private void Compute(MapRun run, Span<ValueRange> ranges, CancellationToken cancellationToken)
    {
        BlockMaps[] blocks = [.. Enumerable.Range(0, run.Maps.Length).GroupBy(m => run.Maps[m].Block).Select(group => new BlockMaps(run, group.Key, [.. group], TileRows))];
        var explained = _activations.Reserve(blocks.Sum(block => block.ExplainedSize));
        var weights = _weights.Reserve(blocks.Sum(block => block.WeightsSize));
        foreach (var block in blocks)
        {
            block.Explained = explained;
            explained += block.ExplainedSize;
            block.PackWeights(run, weights);
            weights += block.WeightsSize;
        }

        var panels = blocks.SelectMany(block => Enumerable.Range(0, (block.CellCount + PanelSize - 1) / PanelSize).Select(panel => (block, panel * PanelSize))).ToArray();
        _workers.Run(panels.Length, (worker, i) => ComputePanel(run, panels[i].block, worker, panels[i].Item2), cancellationToken);

        var activations = new nint[run.Maps.Length];
        foreach (var block in blocks)
        {
            block.FindActivations(activations);
        }

        var found = ranges.ToArray();
        int[][] groups = [.. Enumerable.Range(0, run.Maps.Length).GroupBy(m => run.Maps[m].Range).Select(group => group.ToArray())];
        _workers.Run(groups.Length, (worker, i) => Finish(run, worker, groups[i], activations, ref found[run.Maps[groups[i][0]].Range]), cancellationToken);
        found.CopyTo(ranges);
    }

    /// <summary>The maps of one range from their interference to their normalised values, while they are in the cache.</summary>
    private void Finish(MapRun run, int worker, int[] maps, nint[] activations, ref ValueRange range)
    {
        foreach (var m in maps)
        {
            MapSteps<TSimd, TVector>.Subtract(run.Strength, (float*)activations[m], run.MapValues(m), run.MapSize(m));
            if (!run.NormalizeBeforeFilter)
            {
                Filter(run, worker, m);
            }

            var (minimum, maximum) = MapSteps<TSimd, TVector>.Range(run.MapValues(m), run.MapSize(m));
            range = new ValueRange(Math.Min(range.Minimum, minimum), Math.Max(range.Maximum, maximum));
        }

        foreach (var m in maps)
        {
            MapSteps<TSimd, TVector>.Normalize(range, run.MapValues(m), run.MapSize(m));
            if (run.NormalizeBeforeFilter)
            {
                Filter(run, worker, m);
            }
        }
    }

    /// <summary>Activations of the explained rows and interference of all maps, for one panel of a block's cells.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ComputePanel(MapRun run, BlockMaps block, int worker, int first)
    {
        var count = Math.Min(PanelSize, block.CellCount - first);
        var activations = _panels[worker].Reserve((long)run.RowCount * PanelSize + _projection.ScratchSize);
        if (run.Activations is null)
        {
            var scratch = activations + (long)run.RowCount * PanelSize;
            _projection.ProjectPanel(run.States + (long)(block.FirstCell + first) * run.HiddenSize, count, scratch, rectifies: true, activations);
        }
        else
        {
            for (var t = 0L; t < run.RowCount; t++)
            {
                Copy(run.Activations + t * run.CellCount + block.FirstCell + first, count, activations + t * PanelSize);
            }
        }

        for (var x = 0; x < block.ExplainedRows.Length; x++)
        {
            Copy(activations + (long)block.ExplainedRows[x] * PanelSize, count, block.Explained + (long)x * block.CellCount + first);
        }

        if (run.Strength == 0)
        {
            return;
        }

        var stripWidth = 2 * TSimd.Count;
        var tile = stackalloc float[TileRows * stripWidth];
        for (var strip = 0; strip < count; strip += stripWidth)
        {
            var width = Math.Min(stripWidth, count - strip);
            for (var group = 0; group < block.Maps.Length; group += TileRows)
            {
                var (from, to) = block.WeightedRows[group / TileRows];
                TileProduct<TSimd, TVector>.Multiply(
                    block.Weights + (long)group * run.RowCount + from,
                    run.RowCount,
                    activations + (long)from * PanelSize + strip,
                    stripWidth,
                    PanelSize,
                    to - from,
                    tile,
                    stripWidth);
                for (var r = 0; r < TileRows && group + r < block.Maps.Length; r++)
                {
                    StoreSums(tile + r * stripWidth, width, run.MapValues(block.Maps[group + r]) + first + strip);
                }
            }
        }
    }

    private void Filter(MapRun run, int worker, int m)
    {
        if (run.KernelSize == 1)
        {
            return;
        }

        var block = run.Blocks[run.Maps[m].Block];
        var values = run.MapValues(m);
        var largest = MapSteps<TSimd, TVector>.Range(values, block.CellCount).Maximum;
        if (largest <= 0)
        {
            return;
        }

        var exponent = Math.Clamp(MathF.ILogB(largest), -100, 100);
        for (var frame = 0; frame < block.FrameCount; frame++)
        {
            _filters[worker].Apply(values, block.RowCount, block.ColumnCount, run.KernelSize, run.ConstantWindow, exponent);
            values += block.RowCount * block.ColumnCount;
        }
    }

    /// <summary>A row of a tile; a call to copy memory would cost as much as the sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreSums(float* sums, int count, float* destination)
    {
        if (count == 2 * TSimd.Count)
        {
            TSimd.Store(TSimd.Load(sums), destination);
            TSimd.Store(TSimd.Load(sums + TSimd.Count), destination + TSimd.Count);
        }
        else
        {
            Copy(sums, count, destination);
        }
    }

    private static void Copy(float* source, int count, float* destination) =>
        new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(destination, count));
}
