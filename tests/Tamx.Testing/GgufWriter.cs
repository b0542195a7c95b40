using System.Text;
using Tamx.Llama.Gguf;

namespace Tamx.Testing;

/// <summary>
/// Collects metadata and tensors and writes them as a GGUF file (version 3, little endian, alignment 32).
/// </summary>
public sealed class GgufWriter
{
    private const int Alignment = 32;

    private readonly List<(string Key, byte[] TypedValue)> _values = [];
    private readonly List<(string Name, TensorType Type, long[] Shape, byte[] Data)> _tensors = [];

    /// <summary>The keys, in file order.</summary>
    public IEnumerable<string> Keys => _values.Select(value => value.Key);

    /// <summary>The tensors' names, in file order.</summary>
    public IEnumerable<string> TensorNames => _tensors.Select(tensor => tensor.Name);

    /// <summary>The tensors, in file order.</summary>
    public IReadOnlyList<(string Name, TensorType Type, long[] Shape, byte[] Data)> Tensors => _tensors;

    /// <summary>Another writer with the same keys and tensors, which may then differ.</summary>
    public GgufWriter Copy()
    {
        GgufWriter copy = new();
        copy._values.AddRange(_values);
        copy._tensors.AddRange(_tensors);
        return copy;
    }

    /// <summary>A key's value as the file has it: its type, then its bytes.</summary>
    public byte[] TypedValueOf(string key) => _values.Single(value => value.Key == key).TypedValue;

    /// <summary>Adds or replaces a key by a value as the file shall have it: its type, then its bytes.</summary>
    public void AddTyped(string key, byte[] typedValue)
    {
        var index = _values.FindIndex(value => value.Key == key);
        if (index >= 0)
        {
            _values[index] = (key, typedValue);
        }
        else
        {
            _values.Add((key, typedValue));
        }
    }

    /// <summary>Replaces a tensor.</summary>
    public void ReplaceTensor(int index, string name, TensorType type, long[] shape, byte[] data) =>
        _tensors[index] = (name, type, shape, data);

    public void Add(string key, string value) => Add(key, GgufValueType.Text, writer => WriteText(writer, value));

    public void Add(string key, bool value) => Add(key, GgufValueType.Bool, writer => writer.Write(value));

    public void Add(string key, int value) => Add(key, GgufValueType.I32, writer => writer.Write(value));

    public void Add(string key, uint value) => Add(key, GgufValueType.U32, writer => writer.Write(value));

    public void Add(string key, ushort value) => Add(key, GgufValueType.U16, writer => writer.Write(value));

    public void Add(string key, float value) => Add(key, GgufValueType.F32, writer => writer.Write(value));

    public void Add(string key, IReadOnlyCollection<string> values) =>
        AddArray(key, GgufValueType.Text, values, WriteText);

    /// <summary>Adds an array of texts by their bytes, which need not be UTF-8.</summary>
    public void Add(string key, IReadOnlyCollection<byte[]> values) =>
        AddArray(key, GgufValueType.Text, values, WriteBytes);

    public void Add(string key, IReadOnlyCollection<int> values) =>
        AddArray(key, GgufValueType.I32, values, (writer, value) => writer.Write(value));

    public void Add(string key, IReadOnlyCollection<float> values) =>
        AddArray(key, GgufValueType.F32, values, (writer, value) => writer.Write(value));

    /// <summary>Removes a key; false if there is none.</summary>
    public bool Remove(string key) => _values.RemoveAll(value => value.Key == key) > 0;

    public void AddTensor(string name, TensorType type, long[] shape, byte[] data) =>
        _tensors.Add((name, type, shape, data));

    /// <summary>Adds an F32 tensor of zeros.</summary>
    public void AddZeros(string name, params long[] shape) =>
        AddTensor(name, TensorType.F32, shape, new byte[shape.Aggregate(4L, (product, size) => product * size)]);

    /// <summary>Removes a tensor; false if there is none.</summary>
    public bool RemoveTensor(string name) => _tensors.RemoveAll(tensor => tensor.Name == name) > 0;

    public byte[] ToArray()
    {
        using MemoryStream stream = new();
        Write(stream);
        return stream.ToArray();
    }

    public void Save(string path)
    {
        using var stream = File.Create(path);
        Write(stream);
    }

    /// <summary>
    /// Writes the file in several parts, NAME-00001-of-0000N.gguf and so on, as llama-gguf-split does: the first has
    /// the keys, and the tensors are shared out in order.
    /// </summary>
    /// <returns>The parts' paths.</returns>
    public IReadOnlyList<string> SaveSplit(string folder, string name, int partCount)
    {
        var paths = new List<string>();
        for (var part = 0; part < partCount; part++)
        {
            GgufWriter writer = new();
            if (part == 0)
            {
                writer._values.AddRange(_values);
            }

            writer.Add("split.no", (ushort)part);
            writer.Add("split.count", (ushort)partCount);
            writer.Add("split.tensors.count", _tensors.Count);
            writer._tensors.AddRange(
                _tensors[(_tensors.Count * part / partCount)..(_tensors.Count * (part + 1) / partCount)]
            );
            paths.Add(Path.Combine(folder, $"{name}-{part + 1:D5}-of-{partCount:D5}.gguf"));
            writer.Save(paths[^1]);
        }

        return paths;
    }

    private static void WriteText(BinaryWriter writer, string text) => WriteBytes(writer, Encoding.UTF8.GetBytes(text));

    private static void WriteBytes(BinaryWriter writer, byte[] bytes)
    {
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static long Padding(long position) => (Alignment - (position % Alignment)) % Alignment;

    private void Add(string key, GgufValueType type, Action<BinaryWriter> writeValue)
    {
        using MemoryStream stream = new();
        using BinaryWriter writer = new(stream);
        writer.Write((uint)type);
        writeValue(writer);
        writer.Flush();
        Remove(key);
        _values.Add((key, stream.ToArray()));
    }

    private void AddArray<T>(
        string key,
        GgufValueType type,
        IReadOnlyCollection<T> values,
        Action<BinaryWriter, T> writeValue
    ) =>
        Add(
            key,
            GgufValueType.Array,
            writer =>
            {
                writer.Write((uint)type);
                writer.Write((ulong)values.Count);
                foreach (var value in values)
                {
                    writeValue(writer, value);
                }
            }
        );

    private void Write(Stream stream)
    {
        using BinaryWriter writer = new(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((ulong)_tensors.Count);
        writer.Write((ulong)_values.Count);
        foreach ((var key, var typedValue) in _values)
        {
            WriteText(writer, key);
            writer.Write(typedValue);
        }

        long offset = 0;
        foreach ((var name, var type, var shape, var data) in _tensors)
        {
            WriteText(writer, name);
            writer.Write((uint)shape.Length);
            foreach (var size in shape)
            {
                writer.Write((ulong)size);
            }

            writer.Write(type.Id);
            writer.Write((ulong)offset);
            offset += data.Length + Padding(data.Length);
        }

        writer.Write(new byte[Padding(stream.Position)]);
        foreach ((_, _, _, var data) in _tensors)
        {
            writer.Write(data);
            writer.Write(new byte[Padding(data.Length)]);
        }
    }
}
