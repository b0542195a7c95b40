namespace Tamx.Evaluation;

/// <summary>A set of pixels of a picture.</summary>
internal sealed class PixelMask
{
    private readonly bool[] _pixels;

    /// <summary>Wraps a set of pixels.</summary>
    /// <param name="width">Width of the picture.</param>
    /// <param name="height">Height of the picture.</param>
    /// <param name="pixels">[height, width], row-major: whether the pixel is in the set. Kept, not copied.</param>
    /// <exception cref="ArgumentException">The number of pixels does not fit.</exception>
    public PixelMask(int width, int height, bool[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (pixels.Length != (long)width * height)
        {
            throw new ArgumentException($"{width} x {height} are not {pixels.Length} pixels", nameof(pixels));
        }

        Width = width;
        Height = height;
        _pixels = pixels;
        Count = pixels.Count(pixel => pixel);
    }

    /// <summary>Width of the picture.</summary>
    public int Width { get; }

    /// <summary>Height of the picture.</summary>
    public int Height { get; }

    /// <summary>Pixels in the set.</summary>
    public int Count { get; }

    /// <summary>Share of the picture that is in the set: what a map that knows nothing scores.</summary>
    public double Area => (double)Count / _pixels.Length;

    /// <summary>Whether each pixel is in the set, row-major.</summary>
    public ReadOnlySpan<bool> Pixels => _pixels;

    /// <summary>The map a perfect method would give: the share of each cell that is in the set.</summary>
    /// <param name="rows">Rows of cells.</param>
    /// <param name="columns">Cells per row.</param>
    /// <returns>[rows, columns], values from 0 to 1. A pixel belongs to the cell its centre lies in.</returns>
    public float[] Coverage(int rows, int columns)
    {
        var covered = new int[rows * columns];
        var total = new int[rows * columns];
        for (var y = 0; y < Height; y++)
        {
            var row = CellGeometry.CellOf(y, Height, rows) * columns;
            for (var x = 0; x < Width; x++)
            {
                var cell = row + CellGeometry.CellOf(x, Width, columns);
                total[cell]++;
                covered[cell] += _pixels[(y * Width) + x] ? 1 : 0;
            }
        }

        return [.. covered.Zip(total, (inside, all) => all == 0 ? 0f : (float)inside / all)];
    }
}
