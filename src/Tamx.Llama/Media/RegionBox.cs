using System.Text.Json.Serialization;

namespace Tamx;

/// <summary>A box of a picture, or a point where both corners are one. All in parts of the picture's sides.</summary>
/// <param name="Left">Left edge, from 0 to 1.</param>
/// <param name="Top">Top edge, from 0 to 1.</param>
/// <param name="Right">Right edge, from <paramref name="Left"/> to 1.</param>
/// <param name="Bottom">Bottom edge, from <paramref name="Top"/> to 1.</param>
public readonly record struct RegionBox(double Left, double Top, double Right, double Bottom)
{
    /// <summary>Whether it is a point.</summary>
    [JsonIgnore]
    public bool IsPoint => Left == Right && Top == Bottom;

    /// <summary>The share of the picture that it covers; 0 for a point.</summary>
    [JsonIgnore]
    public double Area => (Right - Left) * (Bottom - Top);

    /// <summary>
    /// The cells around a point: the one it lies in and the eight beside it. A box is returned as it is.
    /// </summary>
    internal RegionBox OnGrid(int rows, int columns)
    {
        if (!IsPoint)
        {
            return this;
        }

        var (left, right) = Around(Left, columns);
        var (top, bottom) = Around(Top, rows);
        return new RegionBox(left, top, right, bottom);

        static (double From, double To) Around(double place, int count)
        {
            var cell = Math.Min((int)(place * count), count - 1);
            return ((double)Math.Max(cell - 1, 0) / count, (double)Math.Min(cell + 2, count) / count);
        }
    }

    /// <summary>The share of each cell that lies in the box.</summary>
    /// <param name="rows">Rows of cells.</param>
    /// <param name="columns">Cells per row.</param>
    /// <returns>[rows, columns], values from 0 to 1.</returns>
    internal double[] Coverage(int rows, int columns)
    {
        var coverage = new double[rows * columns];
        for (var row = 0; row < rows; row++)
        {
            var height = Shared(Top, Bottom, row, rows);
            for (var column = 0; column < columns && height > 0; column++)
            {
                coverage[(row * columns) + column] = height * Shared(Left, Right, column, columns);
            }
        }

        return coverage;

        static double Shared(double from, double to, int cell, int count) =>
            Math.Max(0, Math.Min(to * count, cell + 1) - Math.Max(from * count, cell));
    }
}
