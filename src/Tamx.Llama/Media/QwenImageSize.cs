namespace Tamx.Llama.Media;

/// <summary>The size at which Qwen-VL looks at a picture.</summary>
internal static class QwenImageSize
{
    // qwen-vl-utils' bounds of a picture. No message can go beyond them.
    private const int MinGivenCells = 4;
    private const int MaxGivenCells = 16_384;

    /// <summary>Most cells of a video's frame.</summary>
    internal const int MaxFrameCells = 768;

    /// <summary>
    /// Scales a picture to whole cells whose number lies between bounds. The aspect ratio stays as near as whole cells
    /// allow.
    /// </summary>
    /// <remarks>
    /// <c>smart_resize</c> of Qwen's image processor. Pictures get this size before they reach libmtmd, which would pad
    /// them instead. The map would then have cells that belong to no part of the picture.
    /// </remarks>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="cellSize">Side of a cell in pixels (patch size x merge size).</param>
    /// <param name="minCells">Least number of cells.</param>
    /// <param name="maxCells">Most cells.</param>
    public static (int Width, int Height) Fit(int width, int height, int cellSize, double minCells, double maxCells)
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

    /// <summary>The size of a picture whose message may ask for a size.</summary>
    /// <remarks>
    /// <c>fetch_image</c> of qwen-vl-utils. A given size becomes 4 to 16,384 whole cells. Without one, given bounds
    /// replace the model's.
    /// </remarks>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="cellSize">Side of a cell in pixels.</param>
    /// <param name="bounds">What the message says.</param>
    /// <param name="minCells">The model's least number of cells.</param>
    /// <param name="maxCells">The model's most cells.</param>
    public static (int Width, int Height) Fit(
        int width,
        int height,
        int cellSize,
        PixelBounds? bounds,
        int minCells,
        int maxCells
    )
    {
        var cellPixels = (double)cellSize * cellSize;
        var isGiven = bounds is { Width: not null, Height: not null };
        var least = bounds?.MinPixels / cellPixels ?? (isGiven ? MinGivenCells : minCells);
        var most = bounds?.MaxPixels / cellPixels ?? (isGiven ? MaxGivenCells : maxCells);

        // If only one bound is given, it holds against the model's other one. There is always one cell.
        least = Math.Min(least, bounds?.MinPixels is null ? most : MaxGivenCells);
        most = Math.Clamp(most < least ? MaxGivenCells : most, 1, MaxGivenCells);
        return Fit(bounds?.Width ?? width, bounds?.Height ?? height, cellSize, least, most);
    }

    /// <summary>The size of a video's frames, one for all: like a picture's, but with bounds for frames.</summary>
    /// <remarks>
    /// <c>fetch_video</c> of qwen-vl-utils. A frame has 128 to 768 cells. All temporal patches together take at most 90
    /// % of the model's sequence, of which at most 128,000 tokens count (MODEL_SEQ_LEN). The most is never below 1.05
    /// times the least.
    /// </remarks>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="cellSize">Side of a cell in pixels.</param>
    /// <param name="patchCount">Number of temporal patches.</param>
    /// <param name="contextSize">Tokens that the context holds.</param>
    /// <param name="minCells">Least cells of a frame; 0 for 128.</param>
    /// <param name="maxCells">Most cells of a frame; 0 for 768.</param>
    /// <param name="bounds">What the message says, which goes first.</param>
    public static (int Width, int Height) FitFrames(
        int width,
        int height,
        int cellSize,
        int patchCount,
        int contextSize,
        int minCells,
        int maxCells,
        PixelBounds? bounds = null
    )
    {
        const int MinFrameCells = 128;
        const int MaxSequence = 128_000;
        if (bounds is { Width: not null, Height: not null })
        {
            return Fit(width, height, cellSize, bounds, minCells, maxCells);
        }

        var cellPixels = (double)cellSize * cellSize;
        var given = Math.Min(bounds?.MinPixels / cellPixels ?? minCells, MaxGivenCells);
        var most = Math.Max(bounds?.MaxPixels / cellPixels ?? (maxCells > 0 ? maxCells : MaxFrameCells), given);
        var least = given > 0 ? given : Math.Min(MinFrameCells, most);
        var share = Math.Floor(Math.Min(contextSize, MaxSequence) * 0.9 / patchCount);
        share = Math.Min(share, bounds?.TotalPixels / cellPixels / patchCount ?? share);
        return Fit(
            width,
            height,
            cellSize,
            least,
            Math.Max(1, Math.Max(Math.Min(most, share), Math.Min(Math.Floor(least * 1.05), most)))
        );
    }
}
