namespace Tamx.Kernels;

/// <summary>A vision block's place among the cells of a problem, and its shape.</summary>
/// <param name="FirstCell">Index of the block's first cell.</param>
/// <param name="FrameCount">Frames. The rank filter does not reach from one into another.</param>
/// <param name="RowCount">Rows of a frame.</param>
/// <param name="ColumnCount">Columns of a frame.</param>
public readonly record struct TamBlock(int FirstCell, int FrameCount, int RowCount, int ColumnCount)
{
    /// <summary>Frames x rows x columns.</summary>
    public int CellCount => checked(FrameCount * RowCount * ColumnCount);
}
