using System.Buffers.Binary;
using System.IO.Compression;

namespace Tamx.Evaluation.Scenes;

/// <summary>Writes pictures as PNG (ISO/IEC 15948): 8 bits, RGB, no filter.</summary>
internal static class PngPicture
{
    private static readonly byte[] Signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>A PNG file's bytes.</summary>
    /// <param name="rgb">Pixels, row by row, red green blue.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <exception cref="ArgumentException">The pixels do not fill whole rows.</exception>
    public static byte[] Encode(ReadOnlySpan<byte> rgb, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        var rowBytes = checked(width * 3);
        if (rgb.IsEmpty || rgb.Length % rowBytes != 0)
        {
            throw new ArgumentException($"{rgb.Length} bytes are no whole rows of {rowBytes}.", nameof(rgb));
        }

        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], rgb.Length / rowBytes);
        (header[8], header[9]) = (8, 2);

        using var pixels = new MemoryStream();
        using (var compressor = new ZLibStream(pixels, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (var start = 0; start < rgb.Length; start += rowBytes)
            {
                compressor.WriteByte(0);
                compressor.Write(rgb.Slice(start, rowBytes));
            }
        }

        using var file = new MemoryStream();
        file.Write(Signature);
        WriteChunk(file, "IHDR"u8, header);
        WriteChunk(file, "IDAT"u8, pixels.GetBuffer().AsSpan(0, (int)pixels.Length));
        WriteChunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static void WriteChunk(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(type);
        file.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, PngChecksum.Of(type, data));
        file.Write(number);
    }
}
