namespace Tamx.Evaluation;

/// <summary>How well one map shows one region.</summary>
/// <param name="ObjIou">IoU of the region and the map above Otsu's threshold.</param>
/// <param name="GridIou">
/// The same on the grid, where no interpolation blurs edges: cells above Otsu's threshold of the cells, against the
/// cells that the region covers by half or more. Where it covers none by half, it is those that it covers most.
/// </param>
/// <param name="Precision">Share of that foreground that lies in the region.</param>
/// <param name="Recall">Share of the region that is foreground.</param>
/// <param name="Pointing">
/// The pointing game (Zhang et al., "Top-down neural attention by excitation backprop", 2016): 1 if the middle of the
/// cell with the largest value lies in the region, else 0. Of several such cells it is the share that does. So a
/// uniform map scores chance, which is the region's area. 0 for an all-zero map.
/// </param>
/// <param name="Mass">
/// Share of the map's sum that lies in the region, each pixel counted with its cell's value. Chance is the area. 0 for
/// an all-zero map.
/// </param>
/// <param name="Area">Share of the picture that is in the region.</param>
/// <param name="IsEmpty">Whether the map is all zero.</param>
internal readonly record struct MapScore(
    double ObjIou,
    double GridIou,
    double Precision,
    double Recall,
    double Pointing,
    double Mass,
    double Area,
    bool IsEmpty
)
{
    /// <summary>Scores a map.</summary>
    /// <param name="map">[rows, columns], row-major, at least 0; the scale does not matter.</param>
    /// <param name="rows">Rows of cells.</param>
    /// <param name="columns">Cells per row.</param>
    /// <param name="region">The pixels that the map should show.</param>
    /// <remarks>
    /// For Otsu's threshold the map is stretched to 0..255 and brought to the picture's size with bilinear weights
    /// (<see cref="ByteMap.Resize"/>). An all-zero map has no foreground.
    /// </remarks>
    /// <exception cref="ArgumentException">The number of values does not fit.</exception>
    public static MapScore Of(ReadOnlySpan<float> map, int rows, int columns, PixelMask region)
    {
        var cells = ByteMap.Stretched(map);
        var resized = ByteMap.Resize(cells, rows, columns, region.Height, region.Width);
        var overlap = RegionOverlap.Of(resized, OtsuThreshold.Of(resized), region);
        return new MapScore(
            overlap.Iou,
            RegionOverlap.Of(cells, OtsuThreshold.Of(cells), CellsOf(region, rows, columns)).Iou,
            overlap.Precision,
            overlap.Recall,
            PointingOf(map, rows, columns, region),
            MassOf(map, rows, columns, region),
            region.Area,
            !map.ContainsAnyExcept(0f)
        );
    }

    private static PixelMask CellsOf(PixelMask region, int rows, int columns)
    {
        var coverage = region.Coverage(rows, columns);
        var least = Math.Min(0.5f, coverage.Max());
        return new PixelMask(columns, rows, Array.ConvertAll(coverage, share => share > 0 && share >= least));
    }

    private static double PointingOf(ReadOnlySpan<float> map, int rows, int columns, PixelMask region)
    {
        var (best, hits, count) = (0f, 0, 0);
        for (var cell = 0; cell < map.Length; cell++)
        {
            if (map[cell] > best)
            {
                (best, hits, count) = (map[cell], 0, 0);
            }

            if (best > 0 && map[cell] == best)
            {
                var (row, column) = Math.DivRem(cell, columns);
                var y = CellGeometry.MiddleOf(row, rows, region.Height);
                var x = CellGeometry.MiddleOf(column, columns, region.Width);
                hits += region.Pixels[(y * region.Width) + x] ? 1 : 0;
                count++;
            }
        }

        return count == 0 ? 0 : (double)hits / count;
    }

    private static double MassOf(ReadOnlySpan<float> map, int rows, int columns, PixelMask region)
    {
        var (inside, all) = (0.0, 0.0);
        for (var y = 0; y < region.Height; y++)
        {
            var line = map.Slice(CellGeometry.CellOf(y, region.Height, rows) * columns, columns);
            for (var x = 0; x < region.Width; x++)
            {
                var value = line[CellGeometry.CellOf(x, region.Width, columns)];
                all += value;
                inside += region.Pixels[(y * region.Width) + x] ? value : 0;
            }
        }

        return all == 0 ? 0 : inside / all;
    }
}
