namespace Tamx.Kernels.Cpu;

/// <summary>A <see cref="TamProblem"/> that threads can share. Its spans must stay pinned.</summary>
internal sealed unsafe class PinnedProblem
{
    private readonly float* _values;
    private readonly long[] _offsets;

    public PinnedProblem(in TamProblem problem, int rowCount, float* weights, float* values)
    {
        HiddenSize = problem.HiddenSize;
        RowCount = rowCount;
        Strength = problem.EciStrength;
        KernelSize = problem.KernelSize;
        ConstantWindow = problem.ConstantWindow;
        NormalizeBeforeFilter = problem.NormalizeBeforeFilter;
        Blocks = problem.Blocks.ToArray();
        Maps = problem.Maps.ToArray();
        Weights = weights;
        _values = values;
        _offsets = new long[Maps.Length];
        for (var m = 1; m < Maps.Length; m++)
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

    /// <summary>Hidden states [V, D]; null where the activations are given.</summary>
    public float* States { get; init; }

    /// <summary>A [T, V]; null where they have to be computed.</summary>
    public float* Activations { get; init; }

    /// <summary>V, where the activations are given.</summary>
    public int CellCount { get; init; }

    /// <summary>Q [M, T]; null where nothing is subtracted.</summary>
    public float* Weights { get; }

    /// <summary>Where a map's values go.</summary>
    public float* MapValues(int map) => _values + _offsets[map];

    /// <summary>Number of a map's values.</summary>
    public int MapSize(int map) => Blocks[Maps[map].Block].CellCount;
}
