using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace Tamx.Report;

/// <summary>
/// Numbers as levels of 8 or 16 bits. Vectors are packed one after another and deflated together (raw, RFC 1951). All
/// is little-endian.
/// </summary>
/// <remarks>
/// <para>
/// Dense: [minimum float32][maximum float32][one level per value]. value = minimum + level / highest x (maximum -
/// minimum).
/// </para>
/// <para>
/// Sparse: [maximum float32][count int32][count gaps][count levels]. value = level / highest x maximum. Missing values
/// are 0. A gap is the distance from the previous index (from -1 for the first). It has 7 bits a byte, lowest first;
/// the top bit says that another byte follows.
/// </para>
/// </remarks>
internal static class PackedVectors
{
    /// <summary>Bytes before a vector's values.</summary>
    public const int HeaderBytes = 2 * sizeof(float);

    private static readonly byte[] EmptyDeflateStream = [0x03, 0x00];

    /// <summary>Bytes of a dense vector of <paramref name="length"/> values before deflation.</summary>
    public static long DenseBytes(int length, int bits) => HeaderBytes + ((long)length * bits / 8);

    /// <summary>Packs all of <paramref name="values"/> (finite). An empty vector has the range [0, 0].</summary>
    public static byte[] Dense(ReadOnlySpan<float> values, int bits)
    {
        var minimum = values.IsEmpty ? 0 : float.PositiveInfinity;
        var maximum = values.IsEmpty ? 0 : float.NegativeInfinity;
        foreach (var value in values)
        {
            minimum = Math.Min(minimum, value);
            maximum = Math.Max(maximum, value);
        }

        var packed = new byte[DenseBytes(values.Length, bits)];
        BinaryPrimitives.WriteSingleLittleEndian(packed, minimum);
        BinaryPrimitives.WriteSingleLittleEndian(packed.AsSpan(sizeof(float)), maximum);

        // In double, because the difference of two floats may overflow a float.
        var range = (double)maximum - minimum;
        var scale = range > 0 ? HighestLevel(bits) / range : 0;
        for (var i = 0; i < values.Length; i++)
        {
            WriteLevel(packed.AsSpan(HeaderBytes), i, (int)Math.Round((values[i] - (double)minimum) * scale), bits);
        }

        return packed;
    }

    /// <summary>
    /// Packs the greatest <paramref name="most"/> of <paramref name="values"/> (finite, at least 0), without those that
    /// round to 0.
    /// </summary>
    public static byte[] Sparse(ReadOnlySpan<float> values, int most, int bits)
    {
        float maximum = 0;
        foreach (var value in values)
        {
            maximum = Math.Max(maximum, value);
        }

        var scale = maximum > 0 ? HighestLevel(bits) / (double)maximum : 0;
        var kept = new List<(int Index, int Level)>();
        for (var i = 0; i < values.Length; i++)
        {
            var level = (int)Math.Round(Math.Max(0, values[i]) * scale);
            if (level > 0)
            {
                kept.Add((i, level));
            }
        }

        if (kept.Count > most)
        {
            kept.Sort((a, b) => b.Level != a.Level ? b.Level.CompareTo(a.Level) : a.Index.CompareTo(b.Index));
            kept.RemoveRange(most, kept.Count - most);
            kept.Sort((a, b) => a.Index.CompareTo(b.Index));
        }

        var packed = new ArrayBufferWriter<byte>(HeaderBytes + (3 * kept.Count) + 1);
        BinaryPrimitives.WriteSingleLittleEndian(packed.GetSpan(HeaderBytes), maximum);
        BinaryPrimitives.WriteInt32LittleEndian(packed.GetSpan(HeaderBytes)[sizeof(float)..], kept.Count);
        packed.Advance(HeaderBytes);
        var before = -1;
        foreach ((var index, var _) in kept)
        {
            var gap = (uint)(index - before);
            before = index;
            for (; gap >= 0x80; gap >>= 7)
            {
                packed.Write([(byte)(gap | 0x80)]);
            }

            packed.Write([(byte)gap]);
        }

        var levelBytes = kept.Count * bits / 8;
        var levels = packed.GetSpan(levelBytes);
        for (var i = 0; i < kept.Count; i++)
        {
            WriteLevel(levels, i, kept[i].Level, bits);
        }

        packed.Advance(levelBytes);
        return packed.WrittenSpan.ToArray();
    }

    /// <summary>Deflates and writes packed vectors in order. <paramref name="destination"/> stays open.</summary>
    public static async Task WriteAsync(
        Stream destination,
        IEnumerable<byte[]> vectors,
        CancellationToken cancellationToken
    )
    {
        var isEmpty = true;
        var deflate = new DeflateStream(destination, CompressionLevel.SmallestSize, leaveOpen: true);
        await using (deflate.ConfigureAwait(false))
        {
            foreach (var vector in vectors)
            {
                isEmpty = false;
                await deflate.WriteAsync(vector, cancellationToken).ConfigureAwait(false);
            }
        }

        if (isEmpty)
        {
            // DeflateStream writes nothing if there is no data. A browser takes that for a stream cut short.
            await destination.WriteAsync(EmptyDeflateStream, cancellationToken).ConfigureAwait(false);
        }
    }

    private static int HighestLevel(int bits) => (1 << bits) - 1;

    private static void WriteLevel(Span<byte> levels, int index, int level, int bits)
    {
        if (bits == 8)
        {
            levels[index] = (byte)level;
        }
        else
        {
            BinaryPrimitives.WriteUInt16LittleEndian(levels[(2 * index)..], (ushort)level);
        }
    }
}
