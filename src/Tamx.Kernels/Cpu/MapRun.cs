namespace Tamx.Kernels.Cpu;

/// <summary>A <see cref="TamProblem"/> as threads can share it. Its spans must stay pinned.</summary>
internal sealed unsafe class MapRun
{
    private readonly float* _values;
    private readonly long[] _offsets;

    public MapRun(in TamProblem problem, float* states, float* weights, float* values)
    {
        HiddenSize = problem.HiddenSize;
        RowCount = problem.OutputRowCount;
        Strength = problem.EciStrength;
        KernelSize = problem.KernelSize;
        ConstantWindow = problem.ConstantWindow;
        NormalizeBeforeFilter = problem.NormalizeBeforeFilter;
        Blocks = problem.Blocks.ToArray();
        Maps = problem.Maps.ToArray();
        States = states;
        Weights = weights;
        _values = values;
        _offsets = new long[Maps.Length];
        for (int m = 1; m < Maps.Length; m++)
        {
            _offsets[m] = _offsets[m - 1] + Blocks[Maps[m - 1].Block].CellCount;
        }
    }

    public int HiddenSize { get; }

    public int RowCount { get; }

    public float Strength { get; }

    public int KernelSize { get; }

    public ConstantWindow ConstantWindow { get; }

    public bool NormalizeBeforeFilter { get; }

    public TamBlock[] Blocks { get; }

    public TamMap[] Maps { get; }

    /// <summary>Hidden states [V, D].</summary>
    public float* States { get; }

    /// <summary>Q [M, T]; null where nothing is subtracted.</summary>
    public float* Weights { get; }

    /// <summary>The map's place in the destination.</summary>
    public float* MapValues(int map) => _values + _offsets[map];
}

/// <summary>The maps over one block, and which output rows they need.</summary>
internal sealed unsafe class BlockMaps
{
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
        ExplainedRows = [.. Maps.Select(m => run.Maps[m].OutputRow).Distinct().Order()];
        ExplainedIndices = Array.ConvertAll(Maps, m => Array.BinarySearch(ExplainedRows, run.Maps[m].OutputRow));
        WeightedRows = run.Strength == 0 ? [] : [.. Maps.Chunk(groupSize).Select(group => FindWeighted(run, group))];
    }

    public int FirstCell { get; }

    public int CellCount { get; }

    /// <summary>Indices of the maps.</summary>
    public int[] Maps { get; }

    /// <summary>Output rows that the maps explain, ascending.</summary>
    public int[] ExplainedRows { get; }

    /// <summary>Per map the index of its output row in <see cref="ExplainedRows"/>.</summary>
    public int[] ExplainedIndices { get; }

    /// <summary>Per group of maps the first output row that has a weight in any of them, and the one after the last.</summary>
    public (int First, int End)[] WeightedRows { get; }

    private static (int First, int End) FindWeighted(MapRun run, int[] group)
    {
        var (first, end) = (run.RowCount, 0);
        foreach (int m in group)
        {
            var weights = new ReadOnlySpan<float>(run.Weights + (long)m * run.RowCount, run.RowCount);
            int from = weights.IndexOfAnyExcept(0f);
            if (from >= 0)
            {
                first = Math.Min(first, from);
                end = Math.Max(end, weights.LastIndexOfAnyExcept(0f) + 1);
            }
        }

        return (Math.Min(first, end), end);
    }
}
