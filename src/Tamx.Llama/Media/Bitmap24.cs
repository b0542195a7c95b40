using System.Buffers.Binary;

namespace Tamx.Llama.Media;

/// <summary>Writes pictures as BMP, so that pixels in memory can be handed to a model as they are.</summary>
public static class Bitmap24
{
    private const int HeaderBytes = 54;

    /// <summary>Encodes a picture: 24 bits per pixel, uncompressed.</summary>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="rgb">Red, green and blue bytes, row by row from the top left: [height, width, 3].</param>
    /// <exception cref="ArgumentException">The number of bytes does not fit.</exception>
    public static byte[] Encode(int width, int height, ReadOnlySpan<byte> rgb)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (rgb.Length != 3L * width * height)
        {
            throw new ArgumentException($"{width} x {height} pixels are not {rgb.Length} bytes", nameof(rgb));
        }

        // Rows are padded to 4 bytes, stand from bottom to top, and hold blue first.
        var rowBytes = ((3 * width) + 3) / 4 * 4;
        var file = new byte[checked(HeaderBytes + (rowBytes * height))];
        "BM"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(2), file.Length);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(10), HeaderBytes);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(14), 40);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(18), width);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(22), height);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(26), 1);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(28), 24);
        for (var y = 0; y < height; y++)
        {
            var row = file.AsSpan(HeaderBytes + ((height - 1 - y) * rowBytes));
            for (var x = 0; x < width; x++)
            {
                var pixel = rgb.Slice(((y * width) + x) * 3, 3);
                (row[3 * x], row[(3 * x) + 1], row[(3 * x) + 2]) = (pixel[2], pixel[1], pixel[0]);
            }
        }

        return file;
    }
}
