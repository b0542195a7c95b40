using System.Runtime.CompilerServices;

namespace Tamx.Kernels.Cpu;

/// <summary>The engine on the CPU: vectors and threads, in float32. Maps are scaled with float64 sums.</summary>
/// <remarks>
/// <para>
/// Panels of cells go through both products while they are in the cache: first the activations A of all output rows,
/// then the interference E = Q A, which is written where the maps are wanted. A is kept for the explained rows only.
/// Then the maps of each range are finished in place: scale, subtraction, rank filter, normalisation. So there are
/// never more than two buffers of [maps, cells].
/// </para>
/// <para>
/// Results do not depend on the number of threads: threads share out panels and ranges, and no sum is split among them.
/// They stay within 2e-6 of <see cref="ReferenceEngine"/>, as a share of the range that is normalised or of the largest
/// activation, whichever is larger. A sum of products in float32 is off by some 1e-7 of it, and a map is the difference
/// of two such sums.
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
        CancellationToken cancellationToken = default
    )
    {
        ReferenceEngine.ValidateProjection(states, outputRows, hiddenSize, destination);
        var stateCount = states.Length / hiddenSize;
        var rowCount = outputRows.Length / hiddenSize;
        fixed (
            float* fixedStates = states,
                fixedRows = outputRows,
                fixedDestination = destination
        )
        {
            var from = fixedStates;
            var to = fixedDestination;
            _projection.Pack(fixedRows, rowCount, hiddenSize, _workers, cancellationToken);
            _workers.Run(
                PanelCount(stateCount),
                (worker, panel) =>
                {
                    var first = (long)panel * PanelSize;
                    var count = (int)Math.Min(PanelSize, stateCount - first);
                    var activations = ProjectPanel(worker, from + first * hiddenSize, count, rowCount, rectifies: true);
                    for (var t = 0L; t < rowCount; t++)
                    {
                        Copy(activations + t * PanelSize, count, to + t * stateCount + first);
                    }
                },
                cancellationToken
            );
        }
    }

    public void Compute(
        in TamProblem problem,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default
    )
    {
        problem.Validate(maps, ranges);
        fixed (
            float* states = problem.CellStates,
                rows = problem.OutputRows,
                weights = problem.Weights,
                values = maps
        )
        {
            var pinned = new PinnedProblem(problem, problem.OutputRowCount, weights, values) { States = states };
            _projection.Pack(rows, pinned.RowCount, pinned.HiddenSize, _workers, cancellationToken);
            Compute(pinned, ranges, cancellationToken);
        }
    }

    public void Refine(
        in TamProblem problem,
        ReadOnlySpan<float> activations,
        int cellCount,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default
    )
    {
        problem.Validate(activations, cellCount, maps, ranges);
        fixed (
            float* products = activations,
                weights = problem.Weights,
                values = maps
        )
        {
            var rowCount = cellCount == 0 ? 0 : activations.Length / cellCount;
            var pinned = new PinnedProblem(problem, rowCount, weights, values)
            {
                Activations = products,
                CellCount = cellCount,
            };
            Compute(pinned, ranges, cancellationToken);
        }
    }

    public void Dispose()
    {
        foreach (var part in (IDisposable[])[_projection, _activations, _weights, .. _panels, .. _filters])
        {
            part.Dispose();
        }
    }

    private static int PanelCount(int cellCount) => (cellCount + PanelSize - 1) / PanelSize;

    private void Compute(PinnedProblem problem, Span<ValueRange> ranges, CancellationToken cancellationToken)
    {
        var blocks = GroupByBlock(problem);
        (BlockMaps Block, int FirstCell)[] panels =
        [
            .. blocks.SelectMany(block =>
                Enumerable.Range(0, PanelCount(block.CellCount)).Select(panel => (block, panel * PanelSize))
            ),
        ];
        _workers.Run(
            panels.Length,
            (worker, i) => ComputePanel(problem, panels[i].Block, worker, panels[i].FirstCell),
            cancellationToken
        );

        var activations = new nint[problem.Maps.Length];
        foreach (var block in blocks)
        {
            block.FindActivations(activations);
        }

        var found = ranges.ToArray();
        int[][] groups =
        [
            .. Enumerable
                .Range(0, problem.Maps.Length)
                .GroupBy(m => problem.Maps[m].Range)
                .Select(group => group.ToArray()),
        ];
        _workers.Run(
            groups.Length,
            (worker, i) => Finish(problem, worker, groups[i], activations, ref found[problem.Maps[groups[i][0]].Range]),
            cancellationToken
        );
        found.CopyTo(ranges);
    }

    /// <summary>The maps of each block, with room for what they need.</summary>
    private BlockMaps[] GroupByBlock(PinnedProblem problem)
    {
        BlockMaps[] blocks =
        [
            .. Enumerable
                .Range(0, problem.Maps.Length)
                .GroupBy(m => problem.Maps[m].Block)
                .Select(group => new BlockMaps(problem, group.Key, [.. group], TileRows)),
        ];
        var explained = _activations.Reserve(blocks.Sum(block => block.ExplainedSize));
        var weights = _weights.Reserve(blocks.Sum(block => block.WeightsSize));
        foreach (var block in blocks)
        {
            block.Explained = explained;
            explained += block.ExplainedSize;
            block.PackWeights(problem, weights);
            weights += block.WeightsSize;
        }

        return blocks;
    }

    /// <summary>The maps of one range, from interference to normalised values, while they are in the cache.</summary>
    private void Finish(PinnedProblem problem, int worker, int[] maps, nint[] activations, ref ValueRange range)
    {
        foreach (var m in maps)
        {
            var values = problem.MapValues(m);
            var size = problem.MapSize(m);
            MapSteps<TSimd, TVector>.Subtract(problem.Strength, (float*)activations[m], values, size);
            if (!problem.NormalizeBeforeFilter)
            {
                Filter(problem, worker, m);
            }

            range = range.Include(MapSteps<TSimd, TVector>.Range(values, size));
        }

        foreach (var m in maps)
        {
            MapSteps<TSimd, TVector>.Normalize(range, problem.MapValues(m), problem.MapSize(m));
            if (problem.NormalizeBeforeFilter)
            {
                Filter(problem, worker, m);
            }
        }
    }

    /// <summary>Explained activations and interference of all maps of a block, for one panel of its cells.</summary>
    private void ComputePanel(PinnedProblem problem, BlockMaps block, int worker, int first)
    {
        var count = Math.Min(PanelSize, block.CellCount - first);
        var activations = problem.Activations is null
            ? ProjectPanel(
                worker,
                problem.States + (long)(block.FirstCell + first) * problem.HiddenSize,
                count,
                problem.RowCount,
                rectifies: true
            )
            : CopyPanel(worker, problem, block.FirstCell + first, count);
        for (var x = 0; x < block.ExplainedRows.Length; x++)
        {
            var activation = activations + (long)block.ExplainedRows[x] * PanelSize;
            Copy(activation, count, block.Explained + (long)x * block.CellCount + first);
        }

        if (problem.Strength != 0)
        {
            MixContext(problem, block, activations, first, count);
        }
    }

    /// <summary>The products of a panel of states and all packed rows [T, <see cref="PanelSize"/>].</summary>
    private float* ProjectPanel(int worker, float* states, int count, int rowCount, bool rectifies)
    {
        var products = _panels[worker].Reserve((long)rowCount * PanelSize + _projection.ScratchSize);
        _projection.ProjectPanel(states, count, products + (long)rowCount * PanelSize, rectifies, products);
        return products;
    }

    /// <summary>A panel of given activations [T, <see cref="PanelSize"/>].</summary>
    private float* CopyPanel(int worker, PinnedProblem problem, int firstCell, int count)
    {
        var activations = _panels[worker].Reserve((long)problem.RowCount * PanelSize);
        for (var t = 0L; t < problem.RowCount; t++)
        {
            Copy(problem.Activations + t * problem.CellCount + firstCell, count, activations + t * PanelSize);
        }

        return activations;
    }

    /// <summary>E = Q A for a panel of cells.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MixContext(PinnedProblem problem, BlockMaps block, float* activations, int first, int count)
    {
        var stripWidth = 2 * TSimd.Count;
        var tile = stackalloc float[TileRows * stripWidth];
        for (var strip = 0; strip < count; strip += stripWidth)
        {
            var width = Math.Min(stripWidth, count - strip);
            for (var group = 0; group < block.Maps.Length; group += TileRows)
            {
                var (from, to) = block.WeightedRows[group / TileRows];
                TileProduct<TSimd, TVector>.Multiply(
                    block.Weights + (long)group * problem.RowCount + from,
                    problem.RowCount,
                    activations + (long)from * PanelSize + strip,
                    stripWidth,
                    PanelSize,
                    to - from,
                    tile,
                    stripWidth
                );
                for (var r = 0; r < TileRows && group + r < block.Maps.Length; r++)
                {
                    StoreSums(tile + r * stripWidth, width, problem.MapValues(block.Maps[group + r]) + first + strip);
                }
            }
        }
    }

    private void Filter(PinnedProblem problem, int worker, int m)
    {
        if (problem.KernelSize == 1)
        {
            return;
        }

        var block = problem.Blocks[problem.Maps[m].Block];
        var values = problem.MapValues(m);
        var largest = MapSteps<TSimd, TVector>.Range(values, block.CellCount).Maximum;
        if (largest <= 0)
        {
            return;
        }

        var exponent = Math.Clamp(MathF.ILogB(largest), -100, 100);
        for (var frame = 0; frame < block.FrameCount; frame++)
        {
            _filters[worker]
                .Apply(values, block.RowCount, block.ColumnCount, problem.KernelSize, problem.ConstantWindow, exponent);
            values += block.RowCount * block.ColumnCount;
        }
    }

    /// <summary>Stores a row of a tile. A call that copies memory would cost as much as the sums.</summary>
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
