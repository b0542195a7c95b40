namespace Tamx;

/// <summary>The parts of a token sequence: turns, vision blocks, context text and answer.</summary>
public sealed partial record SequenceLayout
{
    /// <summary>The conversation's turns in order, without those that have neither text nor pictures.</summary>
    public required IReadOnlyList<Turn> Turns { get; init; }

    /// <summary>Vision blocks in order of appearance.</summary>
    public required IReadOnlyList<VisionBlock> VisionBlocks { get; init; }

    /// <summary>Positions of the text before the answer, ascending. The options say which text counts.</summary>
    public required IReadOnlyList<int> ContextPositions { get; init; }

    /// <summary>Positions of the answer's tokens, ascending.</summary>
    public required IReadOnlyList<int> AnswerPositions { get; init; }

    /// <summary>
    /// How many of the answer's tokens, from its first, are its thought: up to <c>&lt;/think&gt;</c>, or all where that
    /// never comes; 0 for an answer without one.
    /// </summary>
    public int ThoughtCount { get; init; }

    /// <summary>
    /// The block of a picture's tiles where a block is the whole picture after them; else the block itself.
    /// </summary>
    /// <param name="block">Index of a vision block.</param>
    internal int TilesOf(int block) =>
        block > 0 && VisionBlocks[block - 1].EndPosition > VisionBlocks[block].StartPosition ? block - 1 : block;
}
