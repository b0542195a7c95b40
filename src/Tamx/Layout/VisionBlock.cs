namespace Tamx;

/// <summary>One run of vision tokens between a vision start and a vision end marker.</summary>
public sealed record VisionBlock
{
    /// <summary>
    /// Position before the first cell: of the vision start marker, or of the last cell of a picture's tiles, where the
    /// whole picture follows them.
    /// </summary>
    public required int StartPosition { get; init; }

    /// <summary>
    /// Position after the last cell: of the vision end marker, or of the whole picture's first cell after its tiles.
    /// </summary>
    public required int EndPosition { get; init; }

    /// <summary>True if the block holds frames of a video.</summary>
    public required bool IsVideo { get; init; }

    /// <summary>Index of the turn the block stands in, or -1 if it stands in none.</summary>
    public required int TurnIndex { get; init; }

    /// <summary>The grid of cells; its <see cref="PatchGrid.CellCount"/> equals <see cref="CellCount"/>.</summary>
    public required PatchGrid Grid { get; init; }

    /// <summary>Position of the first vision token.</summary>
    public int FirstCellPosition => StartPosition + 1;

    /// <summary>Number of vision tokens, one per cell.</summary>
    public int CellCount => EndPosition - StartPosition - 1;
}
