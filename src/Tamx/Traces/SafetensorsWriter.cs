using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Tamx;

/// <summary>Collects tensors and writes them as one .safetensors file.</summary>
/// <remarks>Elements are not copied, so they must not change before they are written. Not thread-safe.</remarks>
public sealed class SafetensorsWriter
{
    private readonly List<Tensor> _tensors = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>Free text pairs for <c>__metadata__</c>.</summary>
    public IDictionary<string, string> Metadata { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Adds an F32 tensor.</summary>
    /// <param name="name">Name, not yet in use.</param>
    /// <param name="elements">Elements, row-major.</param>
    /// <param name="shape">Length of each axis; none for one axis of all elements.</param>
    /// <exception cref="ArgumentException">The name is in use or the shape does not fit the elements.</exception>
    public void AddSingles(string name, ReadOnlyMemory<float> elements, params ReadOnlySpan<long> shape) =>
        Add(name, SafetensorsDType.F32, elements.Length, stream => WriteInChunks(stream, elements.Span), shape);

    /// <inheritdoc cref="AddSingles(string, ReadOnlyMemory{float}, ReadOnlySpan{long})"/>
    public void AddSingles(string name, float[] elements, params ReadOnlySpan<long> shape) =>
        AddSingles(name, elements.AsMemory(), shape);

    /// <inheritdoc cref="AddSingles(string, ReadOnlyMemory{float}, ReadOnlySpan{long})"/>
    /// <summary>Adds an I64 tensor.</summary>
    public void AddIntegers(string name, long[] elements, params ReadOnlySpan<long> shape) =>
        Add(name, SafetensorsDType.I64, elements.Length, stream => WriteInChunks<long>(stream, elements), shape);

    /// <inheritdoc cref="AddSingles(string, ReadOnlyMemory{float}, ReadOnlySpan{long})"/>
    /// <summary>Adds a U8 tensor.</summary>
    public void AddBytes(string name, ReadOnlyMemory<byte> elements, params ReadOnlySpan<long> shape) =>
        Add(name, SafetensorsDType.U8, elements.Length, stream => stream.Write(elements.Span), shape);

    /// <inheritdoc cref="AddSingles(string, ReadOnlyMemory{float}, ReadOnlySpan{long})"/>
    /// <summary>Adds a U8 tensor.</summary>
    public void AddBytes(string name, byte[] elements, params ReadOnlySpan<long> shape) =>
        AddBytes(name, elements.AsMemory(), shape);

    /// <summary>Writes the file. It appears under its name only when it is complete.</summary>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public void Write(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        WholeFile.Write(path, Write);
    }

    /// <summary>Writes the content of the file to a stream.</summary>
    /// <param name="destination">Receives it in order, and stays open.</param>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public void Write(Stream destination)
    {
        ArgumentNullException.ThrowIfNull(destination);

        // Wide elements first, so that each tensor is aligned to its element.
        var ordered = _tensors.OrderByDescending(tensor => SafetensorsTensor.ElementBytes(tensor.DType)).ToList();
        WriteHeader(destination, ordered);
        foreach (var tensor in ordered)
        {
            tensor.Write(destination);
        }
    }

    private void Add(
        string name,
        SafetensorsDType dtype,
        long elementCount,
        Action<Stream> write,
        ReadOnlySpan<long> shape
    )
    {
        var axes = shape.IsEmpty ? [elementCount] : shape.ToArray();
        if (axes.Aggregate(1L, (product, length) => checked(product * length)) != elementCount)
        {
            throw new ArgumentException(
                $"Tensor {name}: the shape [{string.Join(", ", axes)}] does not hold {elementCount} elements.",
                nameof(shape)
            );
        }

        if (!_names.Add(name))
        {
            throw new ArgumentException($"Tensor {name} is already there.", nameof(name));
        }

        _tensors.Add(new Tensor(name, dtype, axes, elementCount, write));
    }

    private void WriteHeader(Stream stream, List<Tensor> ordered)
    {
        var header = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            if (Metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in Metadata)
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            long offset = 0;
            foreach (var (name, dtype, shape, elementCount, _) in ordered)
            {
                var end = offset + elementCount * SafetensorsTensor.ElementBytes(dtype);
                json.WriteStartObject(name);
                json.WriteString("dtype", dtype.ToString());
                json.WriteStartArray("shape");
                foreach (var length in shape)
                {
                    json.WriteNumberValue(length);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(end);
                json.WriteEndArray();
                json.WriteEndObject();
                offset = end;
            }

            json.WriteEndObject();
        }

        // Blanks up to a multiple of 8 keep the data aligned.
        var padding = -header.WrittenCount & 7;
        header.GetSpan(padding)[..padding].Fill((byte)' ');
        header.Advance(padding);
        Span<byte> prefix = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, header.WrittenCount);
        stream.Write(prefix);
        stream.Write(header.WrittenSpan);
    }

    private static void WriteInChunks<T>(Stream stream, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        // The bytes of a large array do not fit one span.
        const int Chunk = 1 << 24;
        for (; !values.IsEmpty; values = values[Math.Min(Chunk, values.Length)..])
        {
            stream.Write(MemoryMarshal.AsBytes(values[..Math.Min(Chunk, values.Length)]));
        }
    }

    private sealed record Tensor(
        string Name,
        SafetensorsDType DType,
        long[] Shape,
        long ElementCount,
        Action<Stream> Write
    );
}
