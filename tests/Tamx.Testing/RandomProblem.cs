using Tamx.Kernels;

namespace Tamx.Testing;

/// <summary>
/// A seeded problem for engines: states and rows as a model might give them, maps and weights as an answer would ask
/// for them.
/// </summary>
public sealed class RandomProblem
{
    private RandomProblem() { }

    public required int HiddenSize { get; init; }

    public required TamBlock[] Blocks { get; init; }

    public required TamMap[] Maps { get; init; }

    public required float[] CellStates { get; init; }

    public required float[] OutputRows { get; init; }

    public required float[] Weights { get; init; }

    public float Strength { get; init; } = 1;

    public int KernelSize { get; init; } = 3;

    public ConstantWindow ConstantWindow { get; init; }

    public bool NormalizeBeforeFilter { get; init; }

    /// <summary>The problem over these arrays.</summary>
    public TamProblem Problem =>
        new()
        {
            HiddenSize = HiddenSize,
            CellStates = CellStates,
            OutputRows = OutputRows,
            Blocks = Blocks,
            Maps = Maps,
            Weights = Weights,
            RangeCount = RangeCount,
            EciStrength = Strength,
            KernelSize = KernelSize,
            ConstantWindow = ConstantWindow,
            NormalizeBeforeFilter = NormalizeBeforeFilter,
        };

    private int RangeCount => Maps.Length == 0 ? 0 : Maps.Max(map => map.Range) + 1;

    /// <summary>Makes a problem.</summary>
    /// <param name="seed">The same seed gives the same problem.</param>
    /// <param name="grids">
    /// Frames, rows and columns of each block; blocks are one state apart, as text is in between.
    /// </param>
    /// <param name="hiddenSize">D.</param>
    /// <param name="rowCount">T.</param>
    /// <param name="tokenCount">Answer tokens; each has a range of its own.</param>
    /// <param name="mapsPerToken">Distinct tokens that are explained at each step.</param>
    public static RandomProblem Create(
        int seed,
        (int Frames, int Rows, int Columns)[] grids,
        int hiddenSize,
        int rowCount,
        int tokenCount,
        int mapsPerToken = 1
    )
    {
        var random = new Random(seed);
        var blocks = new TamBlock[grids.Length];
        var cell = 0;
        for (var b = 0; b < blocks.Length; b++)
        {
            blocks[b] = new TamBlock(cell, grids[b].Frames, grids[b].Rows, grids[b].Columns);
            cell += blocks[b].CellCount + 1;
        }

        var maps = new List<TamMap>();
        var weights = new List<float>();
        for (var token = 0; token < tokenCount; token++)
        {
            // Later tokens have more text before them, and about half of it is relevant.
            var reach = 1 + (rowCount - 1) * token / Math.Max(1, tokenCount - 1);
            float[] shares = [.. Enumerable.Range(0, rowCount).Select(t => t < reach ? Math.Max(0, Value(random)) : 0)];
            var sum = Math.Max(shares.Sum(), 1e-6f);
            for (var candidate = 0; candidate < mapsPerToken; candidate++)
            {
                var row = random.Next(rowCount);
                for (var b = 0; b < blocks.Length; b++)
                {
                    maps.Add(new TamMap(b, row, token));
                    weights.AddRange(shares.Select((share, t) => t == row ? 0 : share / sum));
                }
            }
        }

        return new RandomProblem
        {
            HiddenSize = hiddenSize,
            Blocks = blocks,
            Maps = [.. maps],
            CellStates = [.. Enumerable.Range(0, (cell - 1) * hiddenSize).Select(_ => Value(random))],
            OutputRows = [.. Enumerable.Range(0, rowCount * hiddenSize).Select(_ => Value(random))],
            Weights = [.. weights],
        };
    }

    /// <summary>The same problem with other options of the method.</summary>
    public RandomProblem With(
        float strength = 1,
        int kernelSize = 3,
        ConstantWindow constantWindow = ConstantWindow.Zero,
        bool normalizeBeforeFilter = false
    ) =>
        new()
        {
            HiddenSize = HiddenSize,
            Blocks = Blocks,
            Maps = Maps,
            CellStates = CellStates,
            OutputRows = OutputRows,
            Weights = Weights,
            Strength = strength,
            KernelSize = kernelSize,
            ConstantWindow = constantWindow,
            NormalizeBeforeFilter = normalizeBeforeFilter,
        };

    /// <summary>Lets an engine compute it.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="text">
    /// The range of the text's relevance that every token's maps are normalised with; null for none.
    /// </param>
    public (float[] Maps, ValueRange[] Ranges) Compute(ITamEngine engine, ValueRange? text = null)
    {
        var maps = new float[Problem.MapValueCount];
        var ranges = new ValueRange[RangeCount];
        Array.Fill(ranges, text ?? ValueRange.Empty);
        engine.Compute(Problem, maps, ranges);
        return (maps, ranges);
    }

    private static float Value(Random random) => (float)(random.NextDouble() * 2 - 1);
}
