using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Tamx.Llama.Tests.Media;

/// <summary>Writes PNG files byte by byte, also such as no encoder would write.</summary>
internal static class PngBytes
{
    public const byte Grey = 0;
    public const byte Rgb = 2;

    /// <summary>A file with the given header and picture data (before compression).</summary>
    public static byte[] Make(uint width, uint height, byte bitDepth, byte colourType, byte[] scanlines)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteUInt32BigEndian(header, width);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), height);
        header[8] = bitDepth;
        header[9] = colourType;
        using var compressed = new MemoryStream();
        using (ZLibStream zlib = new(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(scanlines);
        }

        return
        [
            0x89,
            .. "PNG\r\n\x1a\n"u8,
            .. Chunk("IHDR"u8, header),
            .. Chunk("IDAT"u8, compressed.ToArray()),
            .. Chunk("IEND"u8, []),
        ];
    }

    /// <summary>A file with one more chunk right after its header.</summary>
    public static byte[] WithChunk(byte[] file, string type, byte[] data)
    {
        const int HeaderEnd = 8 + 25;
        return [.. file[..HeaderEnd], .. Chunk(Encoding.ASCII.GetBytes(type), data), .. file[HeaderEnd..]];
    }

    /// <summary>The types of a file's chunks, in order.</summary>
    public static IEnumerable<string> ChunkTypes(byte[] file)
    {
        const int SignatureBytes = 8;
        for (var at = SignatureBytes; at < file.Length; at += 12 + BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at)))
        {
            yield return Encoding.ASCII.GetString(file, at + 4, 4);
        }
    }

    private static byte[] Chunk(ReadOnlySpan<byte> type, byte[] data)
    {
        var chunk = new byte[12 + data.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        type.CopyTo(chunk.AsSpan(4));
        data.CopyTo(chunk, 8);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + data.Length), Crc(chunk.AsSpan(4, 4 + data.Length)));
        return chunk;
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = 0xFFFFFFFF;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }

        return ~crc;
    }
}
