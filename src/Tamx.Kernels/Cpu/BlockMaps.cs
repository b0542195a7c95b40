namespace Tamx.Kernels.Cpu;

/// <summary>The maps over one block, which output rows they need, and where what they need is kept.</summary>
internal sealed unsafe class BlockMaps
{
    private readonly int[] _explainedIndices;
    private readonly int _rowCount;

    /// <summary>Looks through the maps of a block.</summary>
    /// <param name="run">The problem.</param>
    /// <param name="block">Index of the block.</param>
    /// <param name="maps">Indices of its maps.</param>
    /// <param name="groupSize">Maps that go through the product together.</param>
    public BlockMaps(MapRun run, int block, int[] maps, int groupSize)
    {
        FirstCell = run.Blocks[block].FirstCell;
        CellCount = run.Blocks[block].CellCount;
        Maps = maps;
        ExplainedRows = [.. maps.Select(m => run.Maps[m].OutputRow).Distinct().Order()];
        WeightedRows = run.Strength == 0 ? [] : [.. maps.Chunk(groupSize).Select(group => FindWeighted(run, group))];
        _explainedIndices = Array.ConvertAll(maps, m => Array.BinarySearch(ExplainedRows, run.Maps[m].OutputRow));
        _rowCount = run.RowCount;
        WeightsSize = (long)WeightedRows.Length * groupSize * _rowCount;
    }

    public int FirstCell { get; }

    public int CellCount { get; }

    /// <summary>Indices of the maps.</summary>
    public int[] Maps { get; }

    /// <summary>Output rows that the maps explain, ascending [X].</summary>
    public int[] ExplainedRows { get; }

    /// <summary>Per group of maps the first output row that has a weight in any of them, and the one after the last.</summary>
    public (int First, int End)[] WeightedRows { get; }

    /// <summary>A of the explained rows [X, cells].</summary>
    public float* Explained { get; set; }

    /// <summary>Floats of <see cref="Explained"/>.</summary>
    public long ExplainedSize => (long)ExplainedRows.Length * CellCount;

    /// <summary>The maps' rows of Q one after another, and blank ones up to a whole group.</summary>
    public float* Weights { get; private set; }

    /// <summary>Floats of <see cref="Weights"/>; 0 where nothing is subtracted.</summary>
    public long WeightsSize { get; }

    /// <summary>Fills <see cref="Weights"/>.</summary>
    public void PackWeights(MapRun run, float* destination)
    {
        Weights = destination;
        for (var i = 0; i < Maps.Length && WeightsSize > 0; i++)
        {
            WeightsOf(run, Maps[i]).CopyTo(new Span<float>(destination + (long)i * _rowCount, _rowCount));
        }

        for (var rest = (long)Maps.Length * _rowCount; rest < WeightsSize; rest += _rowCount)
        {
            new Span<float>(destination + rest, _rowCount).Clear();
        }
    }

    /// <summary>Enters where A of each map's explained row is.</summary>
    public void FindActivations(nint[] activations)
    {
        for (var i = 0; i < Maps.Length; i++)
        {
            activations[Maps[i]] = (nint)(Explained + (long)_explainedIndices[i] * CellCount);
        }
    }

    private static ReadOnlySpan<float> WeightsOf(MapRun run, int map) => new(run.Weights + (long)map * run.RowCount, run.RowCount);

    private static (int First, int End) FindWeighted(MapRun run, int[] group)
    {
        var (first, end) = (run.RowCount, 0);
        foreach (var m in group)
        {
            var weights = WeightsOf(run, m);
            var from = weights.IndexOfAnyExcept(0f);
            if (from >= 0)
            {
                first = Math.Min(first, from);
                end = Math.Max(end, weights.LastIndexOfAnyExcept(0f) + 1);
            }
        }

        return (Math.Min(first, end), end);
    }
}
