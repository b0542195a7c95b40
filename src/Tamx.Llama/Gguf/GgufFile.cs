namespace Tamx.Llama.Gguf;

/// <summary>Metadata and tensor table of one GGUF file (version 2 or 3, little endian).</summary>
/// <remarks>
/// Tensor data stays on disk. The file is untrusted: counts, lengths, shapes and offsets are checked before they are
/// used. A file that opens is laid out as llama.cpp expects. The format is described in ggml's docs/gguf.md. Immutable
/// and safe to share between threads.
/// </remarks>
public sealed class GgufFile
{
    // A Qwen3-VL of 94 layers has about 30 keys and 1,200 tensors. llama.cpp compares each new name with all before it,
    // so more of them would take it minutes.
    private const int MaxKeys = 16384;
    private const int MaxTensors = 32768;

    // llama.cpp's own limit, including the terminating zero.
    private const int MaxTensorNameBytes = 63;
    private const int DefaultAlignment = 32;

    // ggml asserts that every tensor it maps lies at a multiple of this.
    private const int MinAlignment = 32;
    private const int MaxAlignment = 1 << 20;
    private const string AlignmentKey = "general.alignment";

    // Smallest encodings: key length + 1 character + type + 1 byte; name length + 1 character + dimensions + 1 size +
    // type + offset.
    private const int SmallestKeyBytes = 14;
    private const int SmallestTensorBytes = 33;

    private readonly Dictionary<string, GgufTensor> _tensorsByName;

    private GgufFile(string path, long byteCount, uint version, GgufMetadata metadata, GgufTensor[] tensors)
    {
        Path = path;
        ByteCount = byteCount;
        Version = version;
        Metadata = metadata;
        Tensors = tensors;
        _tensorsByName = tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
    }

    /// <summary>The path as it was given.</summary>
    public string Path { get; }

    /// <summary>Size of the file.</summary>
    public long ByteCount { get; }

    /// <summary>GGUF version, 2 or 3.</summary>
    public uint Version { get; }

    /// <summary>The key-value pairs.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>The tensors, in file order.</summary>
    public IReadOnlyList<GgufTensor> Tensors { get; }

    /// <summary>The tensor of a name, or null if there is none.</summary>
    /// <param name="name">The name.</param>
    public GgufTensor? FindTensor(string name) => _tensorsByName.GetValueOrDefault(name);

    /// <summary>Reads and checks the head of a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ModelFormatException">The file is missing, unreadable, no GGUF, damaged or hostile.</exception>
    public static GgufFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
        {
            throw new ModelFormatException(path, "is a folder; name the .gguf file in it");
        }

        try
        {
            using var stream = InputFile.Open(path);
            return Read(path, stream, stream.Length);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelFormatException(path, "no such file", exception);
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ModelFormatException(path, $"cannot be read: {exception.Message}", exception);
        }
    }

    internal static GgufFile Read(string path, Stream stream, long byteCount)
    {
        var reader = new GgufReader(path, stream, byteCount);
        var version = ReadVersion(reader);
        var tensorCount = reader.ReadCount(SmallestTensorBytes, MaxTensors, "tensors");
        var keyCount = reader.ReadCount(SmallestKeyBytes, MaxKeys, "keys");

        var values = new Dictionary<string, GgufValue>(keyCount, StringComparer.Ordinal);
        for (var i = 0; i < keyCount; i++)
        {
            var key = reader.ReadName($"key {i}");
            if (!values.TryAdd(key, reader.ReadValue($"key {OutsideText.Quoted(key)}")))
            {
                throw reader.Error($"key {OutsideText.Quoted(key)} occurs twice");
            }
        }

        var alignment = AlignmentOf(reader, values);
        var declared = new DeclaredTensor[tensorCount];
        var names = new HashSet<string>(tensorCount, StringComparer.Ordinal);
        for (var i = 0; i < tensorCount; i++)
        {
            declared[i] = ReadTensor(reader, i);
            if (!names.Add(declared[i].Name))
            {
                throw reader.Error($"tensor {OutsideText.Quoted(declared[i].Name)} occurs twice");
            }
        }

        var tensors = Place(path, reader, declared, alignment, byteCount);
        return new GgufFile(path, byteCount, version, new GgufMetadata(path, values), tensors);
    }

    private static uint ReadVersion(GgufReader reader)
    {
        const uint Magic = 0x46554747; // "GGUF"
        if (reader.Remaining == 0)
        {
            throw reader.Error("is empty; a .gguf file is needed");
        }

        if (reader.ReadUInt32("the magic number") != Magic)
        {
            throw reader.Error("is no GGUF file (it does not start with the letters GGUF)");
        }

        var version = reader.ReadUInt32("the version");
        return version switch
        {
            2 or 3 => version,
            1 => throw reader.Error(
                "is GGUF version 1, which is no longer read; convert the model again (version 2 or 3)"
            ),
            _ when (version & 0xFFFF) == 0 && version != 0 => throw reader.Error(
                "is a big-endian GGUF file; a little-endian one is needed"
            ),
            _ => throw reader.Error($"is GGUF version {version}; version 2 or 3 is needed"),
        };
    }

    private static int AlignmentOf(GgufReader reader, Dictionary<string, GgufValue> values)
    {
        if (!values.TryGetValue(AlignmentKey, out var value))
        {
            return DefaultAlignment;
        }

        if (value.Type != GgufValueType.U32)
        {
            throw reader.Error($"key {AlignmentKey} is {value.Type}; it must be {GgufValueType.U32}");
        }

        var alignment = value.IntegerAt(0);
        if (alignment is < MinAlignment or > MaxAlignment || !long.IsPow2(alignment))
        {
            throw reader.Error(
                $"key {AlignmentKey} is {alignment}; it must be a power of two from {MinAlignment} to {MaxAlignment}"
            );
        }

        return (int)alignment;
    }

    private static DeclaredTensor ReadTensor(GgufReader reader, int index)
    {
        var name = reader.ReadName($"the name of tensor {index}");
        var what = $"tensor {OutsideText.Quoted(name)}";
        if (
            System.Text.Encoding.UTF8.GetByteCount(name) > MaxTensorNameBytes
            || name.Contains('\0', StringComparison.Ordinal)
        )
        {
            throw reader.Error(
                $"{what} has a name that llama.cpp cannot hold ({MaxTensorNameBytes} bytes at most, no zero byte)"
            );
        }

        var dimensions = reader.ReadUInt32(what);
        if (dimensions is 0 or > 4)
        {
            throw reader.Error($"{what} has {dimensions} dimensions; 1 to 4 are allowed");
        }

        var shape = new long[dimensions];
        for (var i = 0; i < shape.Length; i++)
        {
            var size = reader.ReadUInt64(what);
            if (size is 0 or > long.MaxValue)
            {
                throw reader.Error(
                    $"{what} has the size {size} in dimension {i}; it must be at least 1 and fit the file"
                );
            }

            shape[i] = (long)size;
        }

        var typeId = reader.ReadUInt32(what);
        var type = TensorType.Find(typeId) ?? throw reader.Error($"{what} has the unknown type {typeId}");
        if (shape[0] % type.BlockElements != 0)
        {
            throw reader.Error(
                $"{what} has rows of {shape[0]} elements; type {type} needs a multiple of {type.BlockElements}"
            );
        }

        try
        {
            var elementCount = shape.Aggregate(1L, (product, size) => checked(product * size));
            var bytes = checked(elementCount / type.BlockElements * type.BlockBytes);
            return new DeclaredTensor(name, type, shape, elementCount, bytes, reader.ReadUInt64(what));
        }
        catch (OverflowException exception)
        {
            throw reader.Error($"{what} of shape [{string.Join(", ", shape)}] is larger than any file", exception);
        }
    }

    /// <summary>Turns offsets in the data section into positions in the file. Only alignment leaves gaps.</summary>
    private static GgufTensor[] Place(
        string path,
        GgufReader reader,
        DeclaredTensor[] declared,
        int alignment,
        long byteCount
    )
    {
        var dataStart = Aligned(reader.Position, alignment);
        long next = 0;
        var tensors = new GgufTensor[declared.Length];
        for (var i = 0; i < declared.Length; i++)
        {
            var tensor = declared[i];
            var what = $"tensor {OutsideText.Quoted(tensor.Name)}";
            if (tensor.Offset != (ulong)next)
            {
                throw reader.Error(
                    $"{what} starts at offset {tensor.Offset}; the tensors before it end at {next} (alignment "
                        + $"{alignment})"
                );
            }

            if (tensor.ByteCount > byteCount - dataStart - next)
            {
                var missing = tensor.ByteCount - Math.Max(0, byteCount - dataStart - next);
                throw reader.Error(
                    $"{what} needs {missing} bytes more than the file has; it is truncated (download or copy it "
                        + "again)"
                );
            }

            tensors[i] = new GgufTensor
            {
                Name = tensor.Name,
                Type = tensor.Type,
                Shape = tensor.Shape,
                FilePath = path,
                Offset = dataStart + next,
                ByteCount = tensor.ByteCount,
                ElementCount = tensor.ElementCount,
            };
            next = Aligned(next + tensor.ByteCount, alignment);
        }

        return tensors;
    }

    private static long Aligned(long position, int alignment) =>
        checked((position + alignment - 1) / alignment * alignment);

    private sealed record DeclaredTensor(
        string Name,
        TensorType Type,
        long[] Shape,
        long ElementCount,
        long ByteCount,
        ulong Offset
    );
}
