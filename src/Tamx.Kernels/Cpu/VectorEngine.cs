using System.Runtime.CompilerServices;

namespace Tamx.Kernels.Cpu;

/// <summary>The engine for processors: vectors and threads, float32 with float64 sums where a map is scaled.</summary>
/// <remarks>
/// <para>
/// Per block, panels of cells go through both products while they are in the cache: the activations A of all output rows, then the
/// interference E = Q A, which is written where the maps are wanted. A is kept for the explained rows only. Then each map is finished
/// where it lies: scale, subtraction, rank filter, normalisation. So there are never more than two buffers of [maps, cells].
/// </para>
/// <para>
/// Results do not depend on the number of threads: threads share out panels and maps, and no sum is split among them.
/// They stay within 2e-6 of <see cref="ReferenceEngine"/>, as a share of the range that is normalised or of the largest activation where that is
/// larger: sums of products in float32 are off by some 1e-7 of it, and a map is the difference of two such sums.
/// </para>
/// </remarks>
internal sealed unsafe class VectorEngine<TSimd, TVector> : ITamEngine
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

    public void Project(
        ReadOnlySpan<float> states,
        ReadOnlySpan<float> outputRows,
        int hiddenSize,
        Span<float> destination,
        CancellationToken cancellationToken = default)
    {
        ReferenceEngine.ValidateProjection(states, outputRows, hiddenSize, destination);
        int stateCount = states.Length / hiddenSize;
        int rowCount = outputRows.Length / hiddenSize;
        fixed (float* fixedStates = states, fixedRows = outputRows, fixedDestination = destination)
        {
            float* from = fixedStates;
            float* to = fixedDestination;
            _projection.Pack(fixedRows, rowCount, hiddenSize, _workers, cancellationToken);
            _workers.Run(
                (stateCount + PanelSize - 1) / PanelSize,
                (worker, panel) =>
                {
                    long first = (long)panel * PanelSize;
                    int count = (int)Math.Min(PanelSize, stateCount - first);
                    float* activations = _panels[worker].Reserve(_projection.ScratchSize + (long)rowCount * PanelSize);
                    _projection.ProjectPanel(from + first * hiddenSize, count, activations + (long)rowCount * PanelSize, activations);
                    for (long t = 0; t < rowCount; t++)
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
            var run = new MapRun(problem, states, weights, values);
            _projection.Pack(rows, run.RowCount, run.HiddenSize, _workers, cancellationToken);
            foreach (var group in Enumerable.Range(0, run.Maps.Length).GroupBy(m => run.Maps[m].Block))
            {
                ComputeBlock(run, new BlockMaps(run, group.Key, [.. group], TileRows), cancellationToken);
            }

            Normalize(run, ranges, cancellationToken);
            if (run.NormalizeBeforeFilter)
            {
                _workers.Run(run.Maps.Length, (worker, m) => Filter(run, worker, m), cancellationToken);
            }
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

    /// <summary>The maps over one block, up to the normalisation.</summary>
    private void ComputeBlock(MapRun run, BlockMaps block, CancellationToken cancellationToken)
    {
        float* explained = _activations.Reserve((long)block.ExplainedRows.Length * block.CellCount);
        float* weights = PackWeights(run, block);
        _workers.Run(
            (block.CellCount + PanelSize - 1) / PanelSize,
            (worker, panel) => ComputePanel(run, block, worker, panel * PanelSize, weights, explained),
            cancellationToken);
        _workers.Run(
            block.Maps.Length,
            (worker, i) =>
            {
                int m = block.Maps[i];
                MapSteps<TSimd, TVector>.Subtract(
                    run.Strength, explained + (long)block.ExplainedIndices[i] * block.CellCount, run.MapValues(m), block.CellCount);
                if (!run.NormalizeBeforeFilter)
                {
                    Filter(run, worker, m);
                }
            },
            cancellationToken);
    }

    /// <summary>The rows of Q for a block's maps one after another, and blank ones up to a whole tile.</summary>
    private float* PackWeights(MapRun run, BlockMaps block)
    {
        if (run.Strength == 0)
        {
            return null;
        }

        int rowCount = (block.Maps.Length + TileRows - 1) / TileRows * TileRows;
        float* packed = _weights.Reserve((long)rowCount * run.RowCount);
        for (int i = 0; i < block.Maps.Length; i++)
        {
            Copy(run.Weights + (long)block.Maps[i] * run.RowCount, run.RowCount, packed + (long)i * run.RowCount);
        }

        new Span<float>(packed + (long)block.Maps.Length * run.RowCount, (rowCount - block.Maps.Length) * run.RowCount).Clear();
        return packed;
    }

    /// <summary>Activations of the explained rows and interference of all maps, for one panel of a block's cells.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ComputePanel(MapRun run, BlockMaps block, int worker, int first, float* weights, float* explained)
    {
        int count = Math.Min(PanelSize, block.CellCount - first);
        float* activations = _panels[worker].Reserve((long)run.RowCount * PanelSize + _projection.ScratchSize);
        float* scratch = activations + (long)run.RowCount * PanelSize;
        _projection.ProjectPanel(run.States + (long)(block.FirstCell + first) * run.HiddenSize, count, scratch, activations);
        for (int x = 0; x < block.ExplainedRows.Length; x++)
        {
            Copy(activations + (long)block.ExplainedRows[x] * PanelSize, count, explained + (long)x * block.CellCount + first);
        }

        if (run.Strength == 0)
        {
            return;
        }

        int stripWidth = 2 * TSimd.Count;
        float* tile = stackalloc float[TileRows * stripWidth];
        for (int strip = 0; strip < count; strip += stripWidth)
        {
            int width = Math.Min(stripWidth, count - strip);
            for (int group = 0; group < block.Maps.Length; group += TileRows)
            {
                var (from, to) = block.WeightedRows[group / TileRows];
                TileProduct<TSimd, TVector>.Multiply(
                    weights + (long)group * run.RowCount + from,
                    run.RowCount,
                    activations + (long)from * PanelSize + strip,
                    stripWidth,
                    PanelSize,
                    to - from,
                    tile,
                    stripWidth);
                for (int r = 0; r < TileRows && group + r < block.Maps.Length; r++)
                {
                    Copy(tile + r * stripWidth, width, run.MapValues(block.Maps[group + r]) + first + strip);
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
        float* values = run.MapValues(m);
        float largest = MapSteps<TSimd, TVector>.Range(values, block.CellCount).Maximum;
        if (largest <= 0)
        {
            return;
        }

        int exponent = Math.Clamp(MathF.ILogB(largest), -100, 100);
        for (int frame = 0; frame < block.FrameCount; frame++)
        {
            _filters[worker].Apply(values, block.RowCount, block.ColumnCount, run.KernelSize, run.ConstantWindow, exponent);
            values += block.RowCount * block.ColumnCount;
        }
    }

    /// <summary>One min-max per range, over the maps that name it and what the range held before.</summary>
    private void Normalize(MapRun run, Span<ValueRange> ranges, CancellationToken cancellationToken)
    {
        var found = new ValueRange[run.Maps.Length];
        _workers.Run(run.Maps.Length, (_, m) => found[m] = MapSteps<TSimd, TVector>.Range(run.MapValues(m), CellCount(m)), cancellationToken);
        for (int m = 0; m < found.Length; m++)
        {
            ref var range = ref ranges[run.Maps[m].Range];
            range = new ValueRange(Math.Min(range.Minimum, found[m].Minimum), Math.Max(range.Maximum, found[m].Maximum));
        }

        for (int m = 0; m < found.Length; m++)
        {
            found[m] = ranges[run.Maps[m].Range];
        }

        _workers.Run(run.Maps.Length, (_, m) => MapSteps<TSimd, TVector>.Normalize(found[m], run.MapValues(m), CellCount(m)), cancellationToken);

        int CellCount(int m) => run.Blocks[run.Maps[m].Block].CellCount;
    }

    private static void Copy(float* source, int count, float* destination) =>
        new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(destination, count));
}
