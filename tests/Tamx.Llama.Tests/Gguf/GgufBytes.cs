using System.Text;
using Tamx.Llama.Gguf;

namespace Tamx.Llama.Tests.Gguf;

/// <summary>Writes a GGUF file's bytes one field after another, right or wrong, for tests of the reader.</summary>
internal sealed class GgufBytes
{
    private readonly List<byte> _bytes = [];

    /// <summary>Magic, version and counts.</summary>
    public static GgufBytes Head(ulong tensorCount = 0, ulong keyCount = 0, uint version = 3) =>
        new GgufBytes().Raw("GGUF"u8).U32(version).U64(tensorCount).U64(keyCount);

    public GgufBytes U8(byte value) => Raw([value]);

    public GgufBytes U32(uint value) => Raw(BitConverter.GetBytes(value));

    public GgufBytes U64(ulong value) => Raw(BitConverter.GetBytes(value));

    public GgufBytes Type(GgufValueType type) => U32((uint)type);

    public GgufBytes Text(string text) => Text(Encoding.UTF8.GetBytes(text));

    public GgufBytes Text(ReadOnlySpan<byte> text) => U64((ulong)text.Length).Raw(text);

    /// <summary>A tensor's line in the table.</summary>
    public GgufBytes Tensor(string name, uint type, ulong offset, params ulong[] shape)
    {
        Text(name).U32((uint)shape.Length);
        foreach (var size in shape)
        {
            U64(size);
        }

        return U32(type).U64(offset);
    }

    /// <summary>Zeros up to the next multiple of 32, then <paramref name="count"/> more.</summary>
    public GgufBytes Data(int count) => Raw(new byte[(32 - (_bytes.Count % 32)) % 32]).Raw(new byte[count]);

    public GgufBytes Raw(ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public GgufFile Read() => Read([.. _bytes]);

    public static GgufFile Read(byte[] bytes) => GgufFile.Read("test.gguf", new MemoryStream(bytes), bytes.Length);
}
