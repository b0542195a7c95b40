namespace Tamx.Kernels.Cpu;

/// <summary>The maps over one block, the output rows they need, and their activations and weights.</summary>
internal sealed unsafe class BlockMaps
{
    private readonly int[] _explainedIndices;
    private readonly int _rowCount;

    /// <summary>Finds the rows that the maps of a block need.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="block">Index of the block.</param>
    /// <param name="maps">Indices of its maps.</param>
    /// <param name="groupSize">Maps that are multiplied together.</param>
    public BlockMaps(PinnedProblem problem, int block, int[] maps, int groupSize)
    {
        FirstCell = problem.Blocks[block].FirstCell;
        CellCount = problem.Blocks[block].CellCount;
        Maps = maps;
        ExplainedRows = [.. maps.Select(m => problem.Maps[m].OutputRow).Distinct().Order()];
        WeightedRows =
            problem.Strength == 0 ? [] : [.. maps.Chunk(groupSize).Select(group => FindWeighted(problem, group))];
        _explainedIndices = Array.ConvertAll(maps, m => Array.BinarySearch(ExplainedRows, problem.Maps[m].OutputRow));
        _rowCount = problem.RowCount;
        WeightsSize = (long)WeightedRows.Length * groupSize * _rowCount;
    }

    public int FirstCell { get; }

    public int CellCount { get; }

    /// <summary>Indices of the maps.</summary>
    public int[] Maps { get; }

    /// <summary>Output rows that the maps explain, ascending [X].</summary>
    public int[] ExplainedRows { get; }

    /// <summary>Per group of maps: the first output row that has a weight, and the row after the last.</summary>
    public (int First, int End)[] WeightedRows { get; }

    /// <summary>A of the explained rows [X, cells].</summary>
    public float* Explained { get; set; }

    /// <summary>Floats of <see cref="Explained"/>.</summary>
    public long ExplainedSize => (long)ExplainedRows.Length * CellCount;

    /// <summary>The maps' rows of Q one after another, and rows of zeros up to a whole group.</summary>
    public float* Weights { get; private set; }

    /// <summary>Floats of <see cref="Weights"/>; 0 where nothing is subtracted.</summary>
    public long WeightsSize { get; }

    /// <summary>Fills <see cref="Weights"/>.</summary>
    public void PackWeights(PinnedProblem problem, float* destination)
    {
        Weights = destination;
        for (var i = 0; i < Maps.Length && WeightsSize > 0; i++)
        {
            WeightsOf(problem, Maps[i]).CopyTo(new Span<float>(destination + (long)i * _rowCount, _rowCount));
        }

        for (var rest = (long)Maps.Length * _rowCount; rest < WeightsSize; rest += _rowCount)
        {
            new Span<float>(destination + rest, _rowCount).Clear();
        }
    }

    /// <summary>Sets, for each map, the address of its explained row of A.</summary>
    public void FindActivations(nint[] activations)
    {
        for (var i = 0; i < Maps.Length; i++)
        {
            activations[Maps[i]] = (nint)(Explained + (long)_explainedIndices[i] * CellCount);
        }
    }

    private static ReadOnlySpan<float> WeightsOf(PinnedProblem problem, int map) =>
        new(problem.Weights + (long)map * problem.RowCount, problem.RowCount);

    private static (int First, int End) FindWeighted(PinnedProblem problem, int[] group)
    {
        var (first, end) = (problem.RowCount, 0);
        foreach (var m in group)
        {
            var weights = WeightsOf(problem, m);
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
