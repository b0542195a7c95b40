namespace Tamx.Llama.Imaging;

/// <summary>The size at which Qwen-VL looks at a picture.</summary>
internal static class QwenImageSize
{
    /// <summary>
    /// Rounds both sides to whole cells and scales the picture so that its cells are between the bounds, keeping the
    /// aspect ratio as nearly as whole cells allow.
    /// </summary>
    /// <remarks>
    /// <c>smart_resize</c> of Qwen's image processor. Pictures are brought to this size before they reach libmtmd, which would pad
    /// them instead: the padding would belong to cells of the map but to no part of the picture.
    /// </remarks>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="cellSize">Side of a cell in pixels (patch size x merge size).</param>
    /// <param name="minCells">Least number of cells.</param>
    /// <param name="maxCells">Most cells.</param>
    public static (int Width, int Height) Fit(int width, int height, int cellSize, int minCells, int maxCells)
    {
        double cell = cellSize;
        var columns = Math.Max(1, Math.Round(width / cell, MidpointRounding.ToEven));
        var rows = Math.Max(1, Math.Round(height / cell, MidpointRounding.ToEven));
        var area = width * (height / (cell * cell));
        if (columns * rows > maxCells)
        {
            var shrink = Math.Sqrt(area / maxCells);
            columns = Math.Max(1, Math.Floor(width / shrink / cell));
            rows = Math.Max(1, Math.Floor(height / shrink / cell));
        }
        else if (columns * rows < minCells)
        {
            var grow = Math.Sqrt(minCells / area);
            columns = Math.Ceiling(width * grow / cell);
            rows = Math.Ceiling(height * grow / cell);
        }

        // A long strip can still be over the bound, since its short side cannot fall below one cell.
        columns = Math.Min(columns, Math.Max(1, Math.Floor(maxCells / rows)));
        rows = Math.Min(rows, Math.Max(1, Math.Floor(maxCells / columns)));
        return ((int)columns * cellSize, (int)rows * cellSize);
    }
}
