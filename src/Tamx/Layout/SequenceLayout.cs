namespace Tamx;

/// <summary>What stands where in a token sequence: turns, vision blocks, the context text and the answer.</summary>
public sealed partial record SequenceLayout
{
    /// <summary>The conversation's turns, in order; turns without text and pictures are left out.</summary>
    public required IReadOnlyList<Turn> Turns { get; init; }

    /// <summary>Vision blocks in order of appearance.</summary>
    public required IReadOnlyList<VisionBlock> VisionBlocks { get; init; }

    /// <summary>Positions of the text before the answer, ascending; which text counts is the options' choice.</summary>
    public required IReadOnlyList<int> ContextPositions { get; init; }

    /// <summary>Positions of the answer's tokens, ascending.</summary>
    public required IReadOnlyList<int> AnswerPositions { get; init; }
}
