namespace Tamx;

/// <summary>Where the cells of a map lie in the picture. They cover exactly the picture, whatever its size.</summary>
public static class CellGeometry
{
    /// <summary>The cell of a pixel's centre, along one axis: floor((pixel + 1/2) x cells / pixels).</summary>
    /// <param name="pixel">The pixel, from 0.</param>
    /// <param name="pixelCount">Pixels along the axis.</param>
    /// <param name="cellCount">Cells along the axis.</param>
    public static int CellOf(int pixel, int pixelCount, int cellCount) =>
        (int)(((2L * pixel) + 1) * cellCount / (2L * pixelCount));

    /// <summary>The pixel at the middle of a cell, along one axis: floor((cell + 1/2) x pixels / cells).</summary>
    /// <param name="cell">The cell, from 0.</param>
    /// <param name="cellCount">Cells along the axis.</param>
    /// <param name="pixelCount">Pixels along the axis.</param>
    public static int MiddleOf(int cell, int cellCount, int pixelCount) =>
        (int)(((2L * cell) + 1) * pixelCount / (2L * cellCount));
}
