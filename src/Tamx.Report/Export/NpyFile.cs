using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Tamx.Report;

/// <summary>
/// Writes arrays in NumPy's .npy format, version 1.0: magic, a header in Python's notation padded to 64 bytes, the
/// values in C order.
/// </summary>
internal static class NpyFile
{
    /// <summary>Writes a float32 array, chunk by chunk.</summary>
    /// <param name="path">The file. It appears whole or not at all.</param>
    /// <param name="shape">Lengths of the axes.</param>
    /// <param name="chunks">The values, in C order.</param>
    /// <param name="cancellationToken">Stops the writing between chunks.</param>
    public static Task WriteAsync(
        string path,
        int[] shape,
        IEnumerable<ReadOnlyMemory<float>> chunks,
        CancellationToken cancellationToken
    ) => WriteAsync(path, "<f4", shape, chunks.Select(chunk => ToBytes(chunk.Span)), cancellationToken);

    /// <summary>Writes an int64 array.</summary>
    public static Task WriteAsync(
        string path,
        int[] shape,
        IEnumerable<int> values,
        CancellationToken cancellationToken
    ) => WriteAsync(path, "<i8", shape, [ToBytes<long>([.. values.Select(value => (long)value)])], cancellationToken);

    private static Task WriteAsync(
        string path,
        string type,
        int[] shape,
        IEnumerable<byte[]> chunks,
        CancellationToken cancellationToken
    ) =>
        WholeFile.WriteAsync(
            path,
            async stream =>
            {
                await stream.WriteAsync(Header(type, shape), cancellationToken).ConfigureAwait(false);
                foreach (var chunk in chunks)
                {
                    await stream.WriteAsync(chunk, cancellationToken).ConfigureAwait(false);
                }
            }
        );

    private static byte[] Header(string type, int[] shape)
    {
        const int Prefix = 10;
        var axes = string.Concat(shape.Select(length => string.Create(CultureInfo.InvariantCulture, $"{length},")));
        var header = $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({axes}), }}";
        var padded = ((Prefix + header.Length + 1 + 63) / 64 * 64) - Prefix;
        var bytes = new byte[Prefix + padded];
        ((ReadOnlySpan<byte>)[0x93, .. "NUMPY"u8, 1, 0]).CopyTo(bytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), (ushort)padded);
        Encoding.ASCII.GetBytes(header.PadRight(padded - 1) + "\n", bytes.AsSpan(Prefix));
        return bytes;
    }

    /// <summary>The values' bytes, little-endian: .NET and llama.cpp's files need such a machine anyway.</summary>
    private static byte[] ToBytes<T>(ReadOnlySpan<T> values)
        where T : unmanaged => MemoryMarshal.AsBytes(values).ToArray();
}
