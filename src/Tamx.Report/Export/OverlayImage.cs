using Tamx.Llama.Media;

namespace Tamx.Report;

/// <summary>Draws a map over a picture as the page does: in the picture's resolution, with a scale below.</summary>
internal static class OverlayImage
{
    private const int PixelsPerBareCell = 32;

    /// <summary>
    /// The picture shows through low values. This share of the opacity remains at the low end of the scale.
    /// </summary>
    private const double LeastCover = 0.35;

    /// <summary>How much colour and brightness the picture loses under a map.</summary>
    private const double Greyness = 0.6;
    private const double Brightness = 0.92;

    /// <summary>Draws the image.</summary>
    /// <param name="picture">The picture; null draws 32 white pixels per cell instead.</param>
    /// <param name="values">Values in raw units [rows, columns].</param>
    /// <param name="rows">Rows of cells.</param>
    /// <param name="columns">Columns of cells.</param>
    /// <param name="range">The values that get the lowest and the highest colour.</param>
    /// <param name="options">Colours, opacity, smooth or cells.</param>
    public static RgbImage Draw(
        RgbImage? picture,
        ReadOnlySpan<float> values,
        int rows,
        int columns,
        (float Low, float High) range,
        MapExportOptions options
    )
    {
        var width = picture?.Width ?? (columns * PixelsPerBareCell);
        var height = picture?.Height ?? (rows * PixelsPerBareCell);
        var bar = Math.Max(24, (int)Math.Round(width * 0.04));
        var pixels = new byte[3 * width * (height + bar)];
        Array.Fill(pixels, byte.MaxValue);
        var colours = ColourTable.Of(options.Colours);
        var shown = Enlarge(values, rows, columns, height, width, options.Smooth);
        var scale = range.High > range.Low ? 255 / ((double)range.High - range.Low) : 0;
        var under = picture is null ? pixels : picture.Pixels;
        for (var i = 0; i < shown.Length; i++)
        {
            var level = (int)Math.Clamp(Math.Round((shown[i] - (double)range.Low) * scale), 0, 255);
            var cover = options.Opacity * (LeastCover + ((1 - LeastCover) * Math.Min(1, 2 * level / 255.0)));
            var grey = (0.2126 * under[3 * i]) + (0.7152 * under[(3 * i) + 1]) + (0.0722 * under[(3 * i) + 2]);
            for (var channel = 0; channel < 3; channel++)
            {
                double own = under[(3 * i) + channel];
                var dimmed = picture is null ? own : Brightness * (own + (Greyness * (grey - own)));
                pixels[(3 * i) + channel] = (byte)
                    Math.Round((cover * colours[(3 * level) + channel]) + ((1 - cover) * dimmed));
            }
        }

        LegendImage.Draw(pixels, width, height, bar, range, colours);
        return RgbImage.FromPixels(width, height + bar, pixels, picture?.Name ?? "map");
    }

    /// <summary>
    /// One value per pixel: its cell's, or a cubic interpolation (Catmull-Rom) of the values at the cells' centres.
    /// Border values are repeated outside.
    /// </summary>
    private static float[] Enlarge(
        ReadOnlySpan<float> values,
        int rows,
        int columns,
        int height,
        int width,
        bool smooth
    )
    {
        var across = Taps(columns, width, smooth);
        var down = Taps(rows, height, smooth);
        var wide = new float[rows * width];
        for (var row = 0; row < rows; row++)
        {
            for (var x = 0; x < width; x++)
            {
                foreach ((var cell, var weight) in across[x])
                {
                    wide[(row * width) + x] += weight * values[(row * columns) + cell];
                }
            }
        }

        var large = new float[height * width];
        for (var y = 0; y < height; y++)
        {
            foreach ((var cell, var weight) in down[y])
            {
                for (var x = 0; x < width; x++)
                {
                    large[(y * width) + x] += weight * wide[(cell * width) + x];
                }
            }
        }

        return large;
    }

    private static (int Cell, float Weight)[][] Taps(int cells, int pixels, bool smooth)
    {
        var taps = new (int, float)[pixels][];
        for (var i = 0; i < pixels; i++)
        {
            var place = ((i + 0.5) * cells / pixels) - 0.5;
            if (!smooth)
            {
                taps[i] = [((int)Math.Floor(place + 0.5), 1f)];
                continue;
            }

            var left = (int)Math.Floor(place);
            var t = place - left;
            double[] weights =
            [
                (((2 - t) * t) - 1) * t * 0.5,
                ((((3 * t) - 5) * t * t) + 2) * 0.5,
                ((((4 - (3 * t)) * t) + 1) * t) * 0.5,
                (t - 1) * t * t * 0.5,
            ];
            taps[i] = [.. weights.Select((weight, k) => (Math.Clamp(left + k - 1, 0, cells - 1), (float)weight))];
        }

        return taps;
    }
}
