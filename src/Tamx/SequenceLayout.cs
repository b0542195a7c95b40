namespace Tamx;

/// <summary>What stands where in a token sequence: turns, vision blocks, the context text and the answer.</summary>
public sealed record SequenceLayout
{
    /// <summary>The conversation's turns, in order; turns without text and pictures are left out.</summary>
    public required IReadOnlyList<Turn> Turns { get; init; }

    /// <summary>Vision blocks in order of appearance.</summary>
    public required IReadOnlyList<VisionBlock> VisionBlocks { get; init; }

    /// <summary>Positions of the text of all turns before the answer, ascending.</summary>
    public required IReadOnlyList<int> ContextPositions { get; init; }

    /// <summary>Positions of the answer's tokens, ascending.</summary>
    public required IReadOnlyList<int> AnswerPositions { get; init; }
}
