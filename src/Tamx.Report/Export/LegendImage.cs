using System.Globalization;

namespace Tamx.Report;

/// <summary>
/// The scale under an exported picture: lowest value, colours, highest value. It draws its own digits, because no font
/// may be installed.
/// </summary>
internal static class LegendImage
{
    private const string Characters = "0123456789.-+E";
    private const int GlyphWidth = 5;
    private const int GlyphHeight = 7;

    /// <summary>7 rows of 5 pixels for each character, the highest bit left.</summary>
    private static readonly byte[][] Glyphs =
    [
        [0x0E, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0E],
        [0x04, 0x0C, 0x04, 0x04, 0x04, 0x04, 0x0E],
        [0x0E, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1F],
        [0x1F, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0E],
        [0x02, 0x06, 0x0A, 0x12, 0x1F, 0x02, 0x02],
        [0x1F, 0x10, 0x1E, 0x01, 0x01, 0x11, 0x0E],
        [0x06, 0x08, 0x10, 0x1E, 0x11, 0x11, 0x0E],
        [0x1F, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08],
        [0x0E, 0x11, 0x11, 0x0E, 0x11, 0x11, 0x0E],
        [0x0E, 0x11, 0x11, 0x0F, 0x01, 0x02, 0x0C],
        [0x00, 0x00, 0x00, 0x00, 0x00, 0x0C, 0x0C],
        [0x00, 0x00, 0x00, 0x1F, 0x00, 0x00, 0x00],
        [0x00, 0x04, 0x04, 0x1F, 0x04, 0x04, 0x00],
        [0x1F, 0x10, 0x10, 0x1E, 0x10, 0x10, 0x1F],
    ];

    /// <summary>Draws into rows <paramref name="top"/> to top + height of white pixels [rows, width, 3].</summary>
    public static void Draw(
        byte[] pixels,
        int width,
        int top,
        int height,
        (float Low, float High) range,
        byte[] colours
    )
    {
        var low = Format(range.Low);
        var high = Format(range.High);
        var size = Math.Max(1, height / 14);
        var pad = height / 2;
        var lowWidth = TextWidth(low, size);
        var highWidth = TextWidth(high, size);
        var textTop = top + ((height - (GlyphHeight * size)) / 2);
        var left = (2 * pad) + lowWidth;
        var right = width - (2 * pad) - highWidth;
        if (right - left < height)
        {
            // No room for numbers: only the colours.
            (left, right) = (0, width);
        }
        else
        {
            Write(pixels, width, low, pad, textTop, size);
            Write(pixels, width, high, width - pad - highWidth, textTop, size);
        }

        for (var x = left; x < right; x++)
        {
            ReadOnlySpan<byte> colour = colours.AsSpan(3 * (256 * (x - left) / (right - left)), 3);
            for (var y = top + (height * 3 / 10); y < top + (height * 7 / 10); y++)
            {
                colour.CopyTo(pixels.AsSpan(3 * ((y * width) + x)));
            }
        }
    }

    /// <summary>Three significant digits.</summary>
    internal static string Format(float value) =>
        value.ToString(
            Math.Abs(value) is 0 or (>= 0.001f and < 100_000) ? "0.####" : "0.0E+0",
            CultureInfo.InvariantCulture
        );

    private static int TextWidth(string text, int size) => ((text.Length * (GlyphWidth + 1)) - 1) * size;

    private static void Write(byte[] pixels, int width, string text, int left, int top, int size)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var glyph = Glyphs[Characters.IndexOf(text[i], StringComparison.Ordinal)];
            for (var y = 0; y < GlyphHeight * size; y++)
            {
                for (var x = 0; x < GlyphWidth * size; x++)
                {
                    if ((glyph[y / size] >> (GlyphWidth - 1 - (x / size)) & 1) != 0)
                    {
                        pixels
                            .AsSpan(3 * (((top + y) * width) + left + (i * (GlyphWidth + 1) * size) + x), 3)
                            .Fill(0x22);
                    }
                }
            }
        }
    }
}
