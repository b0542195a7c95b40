using System.Buffers.Binary;

namespace Tamx.Llama.Media;

/// <summary>The chunks of a PNG that make up its pixels.</summary>
internal static class PngChunks
{
    private const int SignatureBytes = 8;

    // Length and type before a chunk's data, checksum after it.
    private const int FrameBytes = 12;

    /// <summary>A PNG without the chunks that say how colours were meant.</summary>
    /// <remarks>
    /// Gamma, chromaticities and profiles are not applied, as in browsers (gamma) and Pillow (all), with which the
    /// models were trained. The decoder would apply gamma. What it does not get, it cannot unpack either. Orientation
    /// stays: <c>eXIf</c>, or a text with the profile. What does not look like chunks is left to the decoder.
    /// </remarks>
    /// <param name="file">The file's bytes.</param>
    public static byte[] WithoutColourProfiles(ReadOnlySpan<byte> file)
    {
        var kept = new byte[file.Length];
        file[..SignatureBytes].CopyTo(kept);
        var count = SignatureBytes;
        for (var rest = file[SignatureBytes..]; !rest.IsEmpty; )
        {
            var length = rest.Length < FrameBytes ? uint.MaxValue : BinaryPrimitives.ReadUInt32BigEndian(rest);
            var isWhole = length <= rest.Length - FrameBytes;
            var chunk = isWhole ? rest[..((int)length + FrameBytes)] : rest;
            if (!isWhole || IsKept(chunk))
            {
                chunk.CopyTo(kept.AsSpan(count));
                count += chunk.Length;
            }

            rest = rest[chunk.Length..];
        }

        return kept.AsSpan(0, count).ToArray();
    }

    /// <summary>Whether pixels, transparency or orientation come of a chunk, or it is critical and unknown.</summary>
    private static bool IsKept(ReadOnlySpan<byte> chunk)
    {
        var type = chunk[4..8];
        var data = chunk[8..^4];
        var isCritical = (type[0] & 0x20) == 0;
        return isCritical
            || type.SequenceEqual("tRNS"u8)
            || type.SequenceEqual("eXIf"u8)
            || (type[1..].SequenceEqual("EXt"u8) && data.StartsWith("Raw profile type"u8))
            || (type[1..].SequenceEqual("TXt"u8) && data.StartsWith("Raw profile type"u8));
    }
}
