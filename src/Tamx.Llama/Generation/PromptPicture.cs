using Tamx.Llama.Families;

namespace Tamx.Llama;

/// <summary>A picture as it stands in the prompt, or a temporal patch of a video.</summary>
public sealed record PromptPicture
{
    /// <summary>What the picture, the frame or the video is called.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// The picture's file as it came. For a temporal patch its first frame: the file as it came, or for a video file a
    /// JPEG at the size that the model sees. That JPEG is empty until the prompt has been computed.
    /// </summary>
    public ReadOnlyMemory<byte> Encoded { get; init; }

    /// <summary>Its media type, for example <c>image/jpeg</c>.</summary>
    public required string MediaType { get; init; }

    /// <summary>Width of <see cref="Encoded"/> in pixels as displayed.</summary>
    public required int Width { get; init; }

    /// <summary>Height in pixels as displayed.</summary>
    public required int Height { get; init; }

    /// <summary>Which vision block of the prompt it stands in.</summary>
    public required int BlockIndex { get; init; }

    /// <summary>Which temporal patch of that block it is; 0 for a picture.</summary>
    public required int FrameIndex { get; init; }

    /// <summary>Which video of the prompt it belongs to; null for a picture.</summary>
    public int? VideoIndex { get; init; }

    /// <summary>Time in the video, in seconds: the mean of the patch's two frames. Null for a picture.</summary>
    public double? Seconds { get; init; }

    /// <summary>Position of its first cell in the token sequence. Its cells follow each other, row by row.</summary>
    public required int FirstPosition { get; init; }

    /// <summary>Cells per row. The cells cover the whole picture.</summary>
    public required int Columns { get; init; }

    /// <summary>Rows of cells.</summary>
    public required int Rows { get; init; }

    /// <summary>
    /// Columns of tiles that it was cut into; 1 for none. The cells of a tile, row by row, stand before those of the
    /// next.
    /// </summary>
    public int TileColumns { get; init; } = 1;

    /// <summary>Rows of tiles.</summary>
    public int TileRows { get; init; } = 1;

    /// <summary>By how many places the sequence is ahead of the grid (<see cref="ProjectorKind.CellOffset"/>).</summary>
    internal int CellOffset { get; init; }

    /// <summary>Whether a token that is no cell follows each row but the last.</summary>
    internal bool HasRowEnds { get; init; }

    /// <summary>Tokens from its first cell to its last.</summary>
    internal int TokenCount => (Columns * Rows) + (HasRowEnds ? Rows - 1 : 0);

    /// <summary>Whether the sequence has the cells in the grid's order, and nothing between them.</summary>
    internal bool IsInOrder => (TileColumns, TileRows, CellOffset, HasRowEnds) == (1, 1, 0, false);

    /// <summary>Which of the picture's tokens in the sequence is a cell of the grid.</summary>
    /// <param name="cell">The cell, counted row by row.</param>
    internal int SequenceIndexOf(int cell)
    {
        var count = Columns * Rows;
        var (width, height) = (Columns / TileColumns, Rows / TileRows);
        var (row, column) = Math.DivRem(cell, Columns);
        var tile = (row / height * TileColumns) + (column / width);
        var index = (tile * width * height) + (row % height * width) + (column % width);
        return HasRowEnds ? index + row : (index - CellOffset + count) % count;
    }
}
