namespace Tamx;

/// <summary>A grid of frames x rows x columns, of vision cells (merged) or of patches (before the merge).</summary>
/// <param name="Frames">Temporal patches; 1 for an image.</param>
/// <param name="Rows">Height.</param>
/// <param name="Columns">Width.</param>
public readonly record struct PatchGrid(int Frames, int Rows, int Columns)
{
    /// <summary>Frames x rows x columns.</summary>
    public int CellCount => checked(Frames * Rows * Columns);

    /// <inheritdoc/>
    public override string ToString() => $"{Frames}x{Rows}x{Columns}";
}
