namespace Tamx.Kernels;

/// <summary>Everything an engine needs for all maps of an answer. It has spans only, and owns nothing.</summary>
/// <remarks>Shapes: V vision cells, D hidden size, T token ids in use, B blocks, M maps, R ranges.</remarks>
public readonly ref struct TamProblem
{
    /// <summary>D.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>
    /// Hidden states of the vision cells [V, D], block after block. Between blocks there may be states of no block, for
    /// which nothing is computed. So a run's states can be passed as they lie, from the first cell to the last.
    /// </summary>
    public required ReadOnlySpan<float> CellStates { get; init; }

    /// <summary>Output-embedding rows of the token ids in use [T, D].</summary>
    public required ReadOnlySpan<float> OutputRows { get; init; }

    /// <summary>The vision blocks [B].</summary>
    public required ReadOnlySpan<TamBlock> Blocks { get; init; }

    /// <summary>The maps to compute [M].</summary>
    public required ReadOnlySpan<TamMap> Maps { get; init; }

    /// <summary>
    /// Q [M, T]: how much each token id in use interferes with a map. The weights of equal ids are summed. A row
    /// of zeros subtracts nothing. May be empty where <see cref="EciStrength"/> is 0.
    /// </summary>
    public required ReadOnlySpan<float> Weights { get; init; }

    /// <summary>R, the number of normalisation ranges.</summary>
    public required int RangeCount { get; init; }

    /// <summary>Share of the interference that is subtracted, 0 to 1. For 0, E is not computed.</summary>
    public required float EciStrength { get; init; }

    /// <summary>Side of the rank filter's window: 1 (no filter), 3, 5, 7 or 9.</summary>
    public required int KernelSize { get; init; }

    /// <summary>What the filter makes of a constant window.</summary>
    public ConstantWindow ConstantWindow { get; init; }

    /// <summary>Normalise before the filter rather than after it.</summary>
    public bool NormalizeBeforeFilter { get; init; }

    /// <summary>V.</summary>
    public int CellCount => CellStates.Length / HiddenSize;

    /// <summary>T.</summary>
    public int OutputRowCount => OutputRows.Length / HiddenSize;

    /// <summary>Values in all maps together.</summary>
    public int MapValueCount
    {
        get
        {
            var count = 0;
            foreach (var map in Maps)
            {
                count = checked(count + Blocks[map.Block].CellCount);
            }

            return count;
        }
    }

    /// <summary>Checks that all parts fit each other. Engines call it first.</summary>
    /// <param name="maps">The destination of the maps.</param>
    /// <param name="ranges">The ranges.</param>
    /// <exception cref="ArgumentException">Something does not fit; the message names it.</exception>
    public void Validate(ReadOnlySpan<float> maps, ReadOnlySpan<ValueRange> ranges)
    {
        Require(HiddenSize >= 1, "The hidden size must be at least 1.");
        Require(CellStates.Length % HiddenSize == 0, "The cell states are not a whole number of rows.");
        Require(OutputRows.Length % HiddenSize == 0, "The output rows are not a whole number of rows.");
        Validate(CellCount, OutputRowCount, maps, ranges);
    }

    /// <summary>
    /// Checks that all parts fit each other, for <see cref="ITamEngine.Refine"/>. Engines call it first.
    /// </summary>
    /// <param name="activations">A [T, V].</param>
    /// <param name="cellCount">V.</param>
    /// <param name="maps">The destination of the maps.</param>
    /// <param name="ranges">The ranges.</param>
    /// <exception cref="ArgumentException">Something does not fit; the message names it.</exception>
    public void Validate(
        ReadOnlySpan<float> activations,
        int cellCount,
        ReadOnlySpan<float> maps,
        ReadOnlySpan<ValueRange> ranges
    )
    {
        ArgumentOutOfRangeException.ThrowIfNegative(cellCount);
        Require(
            cellCount == 0 ? activations.IsEmpty : activations.Length % cellCount == 0,
            "The activations are not a whole number of rows."
        );
        Validate(cellCount, cellCount == 0 ? OutputRowCount : activations.Length / cellCount, maps, ranges);
    }

    private void Validate(int cellCount, int outputRowCount, ReadOnlySpan<float> maps, ReadOnlySpan<ValueRange> ranges)
    {
        RankFilter.ValidateKernelSize(KernelSize);
        Require(EciStrength is >= 0 and <= 1, "The ECI strength must be from 0 to 1.");
        foreach (var block in Blocks)
        {
            Require(
                block.FirstCell >= 0 && block.FrameCount >= 1 && block.RowCount >= 1 && block.ColumnCount >= 1,
                "A block is empty."
            );
            Require(block.CellCount <= cellCount - block.FirstCell, "A block reaches past the cells.");
        }

        foreach (var map in Maps)
        {
            Require((uint)map.Block < (uint)Blocks.Length, "A map names a block that does not exist.");
            Require((uint)map.OutputRow < (uint)outputRowCount, "A map names an output row that does not exist.");
            Require((uint)map.Range < (uint)RangeCount, "A map names a range that does not exist.");
        }

        Require(
            Weights.Length == (long)Maps.Length * outputRowCount || (EciStrength == 0 && Weights.IsEmpty),
            "There must be one weight per map and output row."
        );
        Require(maps.Length == MapValueCount, "The destination does not have the size of all maps.");
        Require(ranges.Length == RangeCount, "There must be one range per normalisation.");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new ArgumentException(message);
        }
    }
}
