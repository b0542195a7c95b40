using Tamx.Llama.Chat;
using Tamx.Llama.Media;

namespace Tamx;

/// <summary>Pictures changed in part or as a whole, at their size.</summary>
public static class PictureEdits
{
    private const byte Grey = 128;

    /// <summary>A picture with some of its cells in middle grey.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="rows">Rows of cells.</param>
    /// <param name="columns">Cells per row.</param>
    /// <param name="isGrey">Per cell, row-major, whether it is greyed out.</param>
    /// <returns>Red, green and blue bytes, [height, width, 3].</returns>
    public static byte[] GreyOut(RgbImage image, int rows, int columns, IReadOnlyList<bool> isGrey)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(isGrey);
        var pixels = image.Pixels.ToArray();
        for (var y = 0; y < image.Height; y++)
        {
            var row = CellGeometry.CellOf(y, image.Height, rows) * columns;
            for (var x = 0; x < image.Width; x++)
            {
                if (isGrey[row + CellGeometry.CellOf(x, image.Width, columns)])
                {
                    pixels.AsSpan(((y * image.Width) + x) * 3, 3).Fill(Grey);
                }
            }
        }

        return pixels;
    }

    /// <summary>What stands in for a picture.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="kind">What it shall be.</param>
    /// <returns>Red, green and blue bytes, [height, width, 3].</returns>
    public static byte[] Neutral(RgbImage image, NeutralPicture kind)
    {
        ArgumentNullException.ThrowIfNull(image);
        return kind switch
        {
            NeutralPicture.Blurred => Blur(image),
            NeutralPicture.Shuffled => Shuffle(image),
            _ => Fill(image),
        };
    }

    /// <summary>The conversation with something in place of each picture and of each frame of its videos.</summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="kind">What it shall be.</param>
    internal static ChatTurn[] Neutral(IReadOnlyList<ChatTurn> messages, NeutralPicture kind)
    {
        return [.. messages.Select(message => message with { Parts = [.. message.Parts.Select(Replace)] })];

        ChatPart Replace(ChatPart part) =>
            part switch
            {
                ImagePart picture => OfPicture(picture),
                VideoPart video => video with { Video = video.Video.Edit(frame => Neutral(frame, kind)) },
                _ => part,
            };

        ImagePart OfPicture(ImagePart picture)
        {
            var image = RgbImage.Decode(picture.Encoded, picture.Name);
            return new ImagePart(Bitmap24.Encode(image.Width, image.Height, Neutral(image, kind)), picture.Name)
            {
                Bounds = picture.Bounds,
            };
        }
    }

    private static byte[] Fill(RgbImage image)
    {
        var sums = new long[3];
        for (var i = 0; i < image.Pixels.Length; i++)
        {
            sums[i % 3] += image.Pixels[i];
        }

        var pixels = new byte[image.Pixels.Length];
        var count = image.Pixels.Length / 3;
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (byte)((sums[i % 3] + (count / 2)) / count);
        }

        return pixels;
    }

    /// <summary>A box blur by sums over rows, then over columns.</summary>
    private static byte[] Blur(RgbImage image)
    {
        var rows = BlurLines(image.Pixels, image.Height, image.Width, 3 * image.Width, 3);
        return BlurLines(rows, image.Width, image.Height, 3, 3 * image.Width);
    }

    private static byte[] BlurLines(ReadOnlySpan<byte> pixels, int lines, int length, int lineStep, int step)
    {
        var blurred = new byte[pixels.Length];
        var reach = Math.Max(1, length / 8);
        var sums = new long[length + 1];
        for (var line = 0; line < lines; line++)
        {
            for (var channel = 0; channel < 3; channel++)
            {
                var start = (line * lineStep) + channel;
                for (var i = 0; i < length; i++)
                {
                    sums[i + 1] = sums[i] + pixels[start + (i * step)];
                }

                for (var i = 0; i < length; i++)
                {
                    var (from, to) = (Math.Max(0, i - reach), Math.Min(length, i + reach + 1));
                    blurred[start + (i * step)] = (byte)((sums[to] - sums[from]) / (to - from));
                }
            }
        }

        return blurred;
    }

    /// <summary>Tiles of 32 pixels, about a cell each, in an order that is the same at every run.</summary>
    private static byte[] Shuffle(RgbImage image)
    {
        const int Tile = 32;
        var (rows, columns) = (image.Height / Tile, image.Width / Tile);
        var pixels = image.Pixels.ToArray();
        int[] order = [.. Enumerable.Range(0, rows * columns)];
        new Random(1).Shuffle(order);
        for (var tile = 0; tile < order.Length; tile++)
        {
            for (var y = 0; y < Tile; y++)
            {
                image.Pixels.Slice(Offset(order[tile], y), 3 * Tile).CopyTo(pixels.AsSpan(Offset(tile, y)));
            }
        }

        return pixels;

        int Offset(int tile, int y) => 3 * ((((tile / columns * Tile) + y) * image.Width) + (tile % columns * Tile));
    }
}
