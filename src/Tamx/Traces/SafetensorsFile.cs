using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Tamx;

/// <summary>A .safetensors file open for reading. Its header is checked in full; tensors are read on demand.</summary>
/// <remarks>
/// Format: 8 bytes little-endian header length, a JSON object of name -> { dtype, shape, data_offsets }, then the data
/// without gaps. The file is untrusted. Each claim of the header is checked against the file's size before memory is
/// allocated. So memory stays within a small multiple of the file's size. Safe to read from several threads.
/// Little-endian machines only, as .NET itself.
/// </remarks>
public sealed class SafetensorsFile : IDisposable
{
    /// <summary>The format's own limit on the header's length in bytes.</summary>
    public const int MaxHeaderBytes = 100_000_000;

    private const int LeastMappedBytes = 1 << 26;
    private const int PrefixBytes = 8;
    private const int MaxJsonDepth = 4;
    private const int MaxRank = 8;
    private const string MetadataName = "__metadata__";

    private readonly SafeFileHandle _file;
    private readonly long _dataStart;
    private readonly Dictionary<string, SafetensorsTensor> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private SafetensorsFile(string path, SafeFileHandle file)
    {
        Path = path;
        _file = file;
        var fileBytes = RandomAccess.GetLength(file);
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        if (fileBytes < PrefixBytes)
        {
            throw Fault($"the file has {fileBytes} bytes and is no .safetensors file; the smallest has 10");
        }

        ReadAt(prefix, 0);
        var headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerBytes > MaxHeaderBytes)
        {
            throw Fault($"the header length is {headerBytes} bytes; at most {MaxHeaderBytes} are allowed");
        }

        if ((long)headerBytes > fileBytes - PrefixBytes)
        {
            throw Fault(
                $"the header length is {headerBytes} bytes, but only {fileBytes - PrefixBytes} follow it; the file is truncated or no .safetensors file"
            );
        }

        var header = new byte[(int)headerBytes];
        ReadAt(header, PrefixBytes);
        _dataStart = PrefixBytes + (long)headerBytes;
        try
        {
            ReadHeader(header);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw Fault($"the header is not the JSON that .safetensors asks for: {OutsideText.Part(e.Message)}", e);
        }

        CheckOffsets(fileBytes - _dataStart);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsTensor> Tensors => _tensors;

    /// <summary>The free text pairs of <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Opens a file and checks its header.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The open file; the caller disposes of it.</returns>
    /// <exception cref="TraceFormatException">There is no such file, or it is no valid .safetensors file.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            InputFile.RequireRegular(path);
        }
        catch (IOException e)
        {
            throw new TraceFormatException(path, $"cannot be read: {e.Message}", e);
        }

        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(path);
            return new SafetensorsFile(path, file);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new TraceFormatException(path, "no such file", e);
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    /// <summary>Reads a tensor of F32, BF16, F16 or F64 as float32.</summary>
    /// <param name="name">The tensor.</param>
    /// <returns>The elements, row-major.</returns>
    /// <exception cref="TraceFormatException">
    /// The tensor is missing, holds integers, or is too large for an array.
    /// </exception>
    public float[] ReadSingles(string name) => ReadSingles(name, 0, Find(name).ElementCount);

    /// <summary>Reads a part of a tensor of F32, BF16, F16 or F64 as float32.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="start">The first element.</param>
    /// <param name="count">How many.</param>
    internal float[] ReadSingles(string name, long start, long count)
    {
        var tensor = Find(name);
        switch (tensor.DType)
        {
            case SafetensorsDType.F32:
                return ReadArray<float>(tensor, start, count);
            case SafetensorsDType.BF16:
                return Array.ConvertAll(
                    ReadArray<ushort>(tensor, start, count),
                    bits => BitConverter.UInt32BitsToSingle((uint)bits << 16)
                );
            case SafetensorsDType.F16:
                return Array.ConvertAll(ReadArray<Half>(tensor, start, count), value => (float)value);
            case SafetensorsDType.F64:
                return Array.ConvertAll(ReadArray<double>(tensor, start, count), value => (float)value);
            default:
                throw Fault($"tensor {name} is {tensor.Describe()}; a float type is needed");
        }
    }

    /// <summary>
    /// A tensor of F32, BF16, F16 or F64 as float32. A large one of F32 stays in the file, which must not be cut short
    /// as long as it is used.
    /// </summary>
    /// <param name="name">The tensor.</param>
    internal ReadOnlyMemory<float> MapSingles(string name)
    {
        var tensor = Find(name);
        return IsMapped(tensor)
            ? new MappedSingles(_file, PositionOf(tensor), (int)tensor.ElementCount).Memory
            : ReadSingles(name);
    }

    /// <summary>Bytes that <see cref="MapSingles"/> takes: of memory, and of the file.</summary>
    internal (long Held, long Mapped) CostOf(SafetensorsTensor tensor) =>
        IsMapped(tensor) ? (0, tensor.ByteCount) : (Math.Max(tensor.ByteCount, sizeof(float) * tensor.ElementCount), 0);

    /// <summary>Small ones, and those that lie askew, are read.</summary>
    private bool IsMapped(SafetensorsTensor tensor) =>
        tensor.DType == SafetensorsDType.F32
        && tensor.ByteCount >= LeastMappedBytes
        && tensor.ElementCount <= Array.MaxLength
        && PositionOf(tensor) % sizeof(float) == 0;

    /// <summary>Where a tensor's bytes begin, from the start of the file.</summary>
    internal long PositionOf(SafetensorsTensor tensor) => _dataStart + tensor.Offset;

    /// <summary>Reads a tensor of F64, F32, BF16 or F16 as float64.</summary>
    /// <param name="name">The tensor.</param>
    /// <returns>The elements, row-major.</returns>
    /// <exception cref="TraceFormatException">
    /// The tensor is missing, holds integers, or is too large for an array.
    /// </exception>
    public double[] ReadDoubles(string name)
    {
        var tensor = Find(name);
        return tensor.DType == SafetensorsDType.F64
            ? ReadArray<double>(tensor)
            : Array.ConvertAll(ReadSingles(name), value => (double)value);
    }

    /// <summary>Reads a tensor of I64 or I32.</summary>
    /// <param name="name">The tensor.</param>
    /// <returns>The elements, row-major.</returns>
    /// <exception cref="TraceFormatException">
    /// The tensor is missing, of another type, or too large for an array.
    /// </exception>
    public long[] ReadIntegers(string name)
    {
        var tensor = Find(name);
        return tensor.DType switch
        {
            SafetensorsDType.I64 => ReadArray<long>(tensor),
            SafetensorsDType.I32 => Array.ConvertAll(ReadArray<int>(tensor), value => (long)value),
            _ => throw Fault($"tensor {name} is {tensor.Describe()}; I64 or I32 is needed"),
        };
    }

    /// <summary>Reads a tensor of I64 or I32 whose values are ids or counts: from 0 to the greatest int.</summary>
    internal int[] ReadIds(string name)
    {
        var values = ReadIntegers(name);
        var ids = new int[values.Length];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = values[i] is >= 0 and <= int.MaxValue
                ? (int)values[i]
                : throw Fault(
                    $"tensor {name} holds {values[i]} at index {i}; values from 0 to {int.MaxValue} are needed"
                );
        }

        return ids;
    }

    /// <summary>Reads a tensor of U8.</summary>
    /// <param name="name">The tensor.</param>
    /// <returns>The bytes.</returns>
    /// <exception cref="TraceFormatException">
    /// The tensor is missing, of another type, or too large for an array.
    /// </exception>
    public byte[] ReadBytes(string name)
    {
        var tensor = Find(name);
        return tensor.DType == SafetensorsDType.U8
            ? ReadArray<byte>(tensor)
            : throw Fault($"tensor {name} is {tensor.Describe()}; U8 is needed");
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    internal TraceFormatException Fault(string message, Exception? innerException = null) =>
        new(Path, message, innerException);

    private SafetensorsTensor Find(string name) =>
        _tensors.TryGetValue(name, out var tensor) ? tensor : throw Fault($"tensor {name} is missing");

    private T[] ReadArray<T>(SafetensorsTensor tensor)
        where T : unmanaged => ReadArray<T>(tensor, 0, tensor.ElementCount);

    private T[] ReadArray<T>(SafetensorsTensor tensor, long start, long count)
        where T : unmanaged
    {
        if (count > Array.MaxLength)
        {
            throw Fault($"tensor {tensor.Name} has {count} elements; at most {Array.MaxLength} can be read");
        }

        var elements = new T[(int)count];
        var position = PositionOf(tensor) + (start * Marshal.SizeOf<T>());
        var rest = elements.AsSpan();
        var chunk = (1 << 26) / Marshal.SizeOf<T>();
        while (!rest.IsEmpty)
        {
            // In chunks, because the bytes of a large array do not fit one span.
            var part = MemoryMarshal.AsBytes(rest[..Math.Min(chunk, rest.Length)]);
            ReadAt(part, position);
            position += part.Length;
            rest = rest[Math.Min(chunk, rest.Length)..];
        }

        return elements;
    }

    private void ReadAt(Span<byte> destination, long position)
    {
        while (!destination.IsEmpty)
        {
            var count = RandomAccess.Read(_file, destination, position);
            if (count == 0)
            {
                throw Fault("the file ends early; it was cut off while it was read");
            }

            destination = destination[count..];
            position += count;
        }
    }

    private void ReadHeader(ReadOnlySpan<byte> header)
    {
        var reader = new Utf8JsonReader(header, new JsonReaderOptions { MaxDepth = MaxJsonDepth });
        reader.Read();
        Expect(reader, JsonTokenType.StartObject, "the header");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (name == MetadataName)
            {
                ReadMetadata(ref reader);
            }
            else if (!_tensors.TryAdd(name, ReadTensor(ref reader, name)))
            {
                throw Fault($"tensor {OutsideText.Name(name)} is listed twice");
            }
        }

        // Reads beyond the object, so that the reader refuses anything but blanks after it.
        reader.Read();
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        Expect(reader, JsonTokenType.StartObject, MetadataName);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            Expect(reader, JsonTokenType.String, MetadataName);
            if (!_metadata.TryAdd(key, reader.GetString()!))
            {
                throw Fault($"{MetadataName} lists {OutsideText.Name(key)} twice");
            }
        }
    }

    private SafetensorsTensor ReadTensor(ref Utf8JsonReader reader, string name)
    {
        var title = $"tensor {OutsideText.Name(name)}";
        Expect(reader, JsonTokenType.StartObject, title);
        string? dtypeName = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var property = reader.GetString()!;
            reader.Read();
            switch (property)
            {
                case "dtype" when dtypeName is null:
                    Expect(reader, JsonTokenType.String, $"{title}: dtype");
                    dtypeName = reader.GetString();
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(ref reader, $"{title}: shape", MaxRank);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(ref reader, $"{title}: data_offsets", 2);
                    break;
                default:
                    throw Fault($"{title} has a property {OutsideText.Name(property)} that is unknown or repeated");
            }
        }

        if (dtypeName is null || shape is null || offsets is not [long begin, long end])
        {
            throw Fault($"{title} needs dtype, shape and two data_offsets");
        }

        if (end < begin)
        {
            throw Fault($"{title} ends at {end}, before its beginning at {begin}");
        }

        CheckSize(title, dtypeName, shape, end - begin);
        var printed = OutsideText.Name(dtypeName);
        return new SafetensorsTensor(name, SafetensorsTensor.FindDType(dtypeName), shape, begin, end - begin)
        {
            DTypeName = printed,
        };
    }

    /// <summary>
    /// Checks a tensor's bytes against its type and shape. A file may have tensors of types that nothing here reads,
    /// such as masks, or of types still to come. For an unknown type each element must have at least one bit.
    /// </summary>
    private void CheckSize(string title, string dtypeName, List<long> shape, long byteCount)
    {
        Int128 count = 1;
        foreach (var length in shape)
        {
            // 2^63 * 2^63 stays below 2^127, and nothing beyond 2^63 is multiplied again.
            count = count > long.MaxValue && length != 0 ? count : count * length;
        }

        var tensor = $"{title} is {OutsideText.Name(dtypeName)} [{string.Join(", ", shape)}]";
        if (SafetensorsTensor.FindElementBits(dtypeName) is { } bits)
        {
            // At most 2^126 elements of 2^6 bits. The product could overflow, so it divides first.
            var needed = count <= long.MaxValue ? ((count * bits) + 7) / 8 : count / 8 * bits;
            if (needed != byteCount)
            {
                throw Fault($"{tensor}, which takes {needed} bytes, but its data_offsets span {byteCount}");
            }
        }
        else if (count > (Int128)byteCount * 8 || count > long.MaxValue || (count == 0 && byteCount > 0))
        {
            throw Fault(
                $"{tensor}, {count} elements, which do not fit the {byteCount} bytes that its data_offsets span"
            );
        }
    }

    private List<long> ReadNumbers(ref Utf8JsonReader reader, string title, int maxCount)
    {
        Expect(reader, JsonTokenType.StartArray, title);
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            Expect(reader, JsonTokenType.Number, title);
            if (!reader.TryGetInt64(out var number) || number < 0)
            {
                throw Fault(
                    $"{title} holds {OutsideText.Name(Encoding.UTF8.GetString(reader.ValueSpan))}; whole numbers from 0 are needed"
                );
            }

            if (numbers.Count == maxCount)
            {
                throw Fault($"{title} has more than {maxCount} numbers");
            }

            numbers.Add(number);
        }

        return numbers;
    }

    private void CheckOffsets(long dataBytes)
    {
        long expected = 0;
        foreach (var tensor in _tensors.Values.OrderBy(tensor => tensor.Offset).ThenBy(tensor => tensor.ByteCount))
        {
            var title = $"tensor {OutsideText.Name(tensor.Name)}";
            if (tensor.Offset > dataBytes || tensor.ByteCount > dataBytes - tensor.Offset)
            {
                throw Fault(
                    $"{title} takes the bytes {tensor.Offset} to {tensor.Offset + (Int128)tensor.ByteCount}, but the file holds {dataBytes} bytes of data"
                );
            }

            if (tensor.Offset != expected)
            {
                var fault =
                    tensor.Offset < expected
                        ? "overlaps the tensor before it"
                        : "leaves a gap after the tensor before it";
                throw Fault($"{title} begins at byte {tensor.Offset} where {expected} is due: it {fault}");
            }

            expected = tensor.Offset + tensor.ByteCount;
        }

        if (expected != dataBytes)
        {
            throw Fault($"the tensors take {expected} bytes, but the file holds {dataBytes} bytes of data");
        }
    }

    private void Expect(in Utf8JsonReader reader, JsonTokenType type, string title)
    {
        if (reader.TokenType != type)
        {
            throw Fault($"{title}: {type} is needed where the header has {reader.TokenType}");
        }
    }
}
