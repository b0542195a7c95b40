namespace Tamx.Llama.Media;

/// <summary>Into how many square tiles a picture is cut.</summary>
internal static class PictureTiles
{
    /// <summary>The columns and rows of tiles whose shape is nearest to the picture's.</summary>
    /// <remarks>
    /// <c>dynamic_preprocess</c> of InternVL's published code. Of equal shapes, more tiles are taken if the picture has
    /// more than half their pixels.
    /// </remarks>
    /// <param name="width">Width of the picture in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="side">Side of a tile in pixels.</param>
    /// <param name="least">Least tiles, at least 1.</param>
    /// <param name="most">Most tiles, at least as many.</param>
    public static (int Columns, int Rows) Choose(int width, int height, int side, int least, int most)
    {
        var shape = (double)width / height;
        var best = (Columns: 1, Rows: 1);
        var bestDistance = double.PositiveInfinity;
        for (var count = least; count <= most; count++)
        {
            for (var columns = 1; columns <= count; columns++)
            {
                if (count % columns != 0)
                {
                    continue;
                }

                var rows = count / columns;
                var distance = Math.Abs(shape - ((double)columns / rows));
                var isLarge = (double)width * height > 0.5 * side * side * count;
                if (distance < bestDistance || (distance == bestDistance && isLarge))
                {
                    (best, bestDistance) = ((columns, rows), distance);
                }
            }
        }

        return best;
    }

    /// <summary>A picture's tiles, row by row, and the whole picture as one more; one alone is the whole.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="side">Side of a tile in pixels.</param>
    /// <param name="columns">Columns of tiles.</param>
    /// <param name="rows">Rows of tiles.</param>
    public static IEnumerable<RgbImage> Cut(RgbImage picture, int side, int columns, int rows)
    {
        if (columns * rows > 1)
        {
            var large = picture.Resize(columns * side, rows * side);
            for (var row = 0; row < rows; row++)
            {
                for (var column = 0; column < columns; column++)
                {
                    yield return large.Crop(column * side, row * side, side, side);
                }
            }
        }

        yield return picture.Resize(side, side);
    }
}
