using System.Buffers.Binary;
using System.IO.Compression;

namespace Tamx.Report;

/// <summary>
/// Vectors of numbers at 8 bits each. One vector is [minimum float32 LE][maximum float32 LE][one byte per value]:
/// value = minimum + byte / 255 x (maximum - minimum). Vectors stand one after another and are deflated together (raw, RFC 1951).
/// </summary>
internal static class PackedVectors
{
    /// <summary>Bytes before a vector's values.</summary>
    public const int HeaderBytes = 2 * sizeof(float);

    private static readonly byte[] EmptyDeflateStream = [0x03, 0x00];

    /// <summary>Bytes of a vector of <paramref name="length"/> values before the deflation.</summary>
    public static long PackedBytes(int length) => HeaderBytes + (long)length;

    /// <summary>Packs <paramref name="values"/> (finite); an empty vector has the range [0, 0].</summary>
    public static byte[] Pack(ReadOnlySpan<float> values)
    {
        float minimum = values.IsEmpty ? 0 : float.PositiveInfinity;
        float maximum = values.IsEmpty ? 0 : float.NegativeInfinity;
        foreach (float value in values)
        {
            minimum = Math.Min(minimum, value);
            maximum = Math.Max(maximum, value);
        }

        byte[] packed = new byte[HeaderBytes + values.Length];
        BinaryPrimitives.WriteSingleLittleEndian(packed, minimum);
        BinaryPrimitives.WriteSingleLittleEndian(packed.AsSpan(sizeof(float)), maximum);

        // In double, since the difference of two floats may overflow a float.
        double range = (double)maximum - minimum;
        double scale = range > 0 ? 255 / range : 0;
        for (int i = 0; i < values.Length; i++)
        {
            packed[HeaderBytes + i] = (byte)Math.Round((values[i] - (double)minimum) * scale);
        }

        return packed;
    }

    /// <summary>Packs, deflates and writes the vectors in order; <paramref name="destination"/> stays open.</summary>
    public static async Task WriteAsync(Stream destination, IReadOnlyCollection<float[]> vectors, CancellationToken cancellationToken)
    {
        if (vectors.Count == 0)
        {
            // DeflateStream writes nothing for no data, and a browser takes nothing for a stream cut short.
            await destination.WriteAsync(EmptyDeflateStream, cancellationToken).ConfigureAwait(false);
            return;
        }

        var deflate = new DeflateStream(destination, CompressionLevel.SmallestSize, leaveOpen: true);
        await using (deflate.ConfigureAwait(false))
        {
            foreach (float[] vector in vectors)
            {
                await deflate.WriteAsync(Pack(vector), cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
