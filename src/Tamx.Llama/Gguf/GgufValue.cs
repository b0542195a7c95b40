using System.Buffers.Binary;
using System.Text;

namespace Tamx.Llama.Gguf;

/// <summary>A metadata value as raw bytes; text is decoded when it is asked for.</summary>
/// <param name="type">Type of the value.</param>
/// <param name="elementType">Type of the elements; the value's own type unless it is an array.</param>
/// <param name="count">Number of elements; 1 unless the value is an array.</param>
/// <param name="bytes">The elements, little endian, one after another.</param>
/// <param name="ends">Where each text ends in <paramref name="bytes"/>; null unless the elements are texts.</param>
internal sealed class GgufValue(GgufValueType type, GgufValueType elementType, int count, byte[] bytes, int[]? ends)
{
    /// <summary>UTF-8 that throws on bytes that are not.</summary>
    public static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    public GgufValueType Type => type;

    public GgufValueType ElementType => elementType;

    public int Count => count;

    public bool HoldsIntegers =>
        elementType is not (GgufValueType.F32 or GgufValueType.F64 or GgufValueType.Bool or GgufValueType.Text);

    public bool HoldsTexts => elementType == GgufValueType.Text;

    public bool HoldsFloats => elementType is GgufValueType.F32 or GgufValueType.F64;

    /// <summary>Bytes of one element, or 0 for texts and arrays, whose size varies.</summary>
    public static int SizeOf(GgufValueType type) =>
        type switch
        {
            GgufValueType.U8 or GgufValueType.I8 or GgufValueType.Bool => 1,
            GgufValueType.U16 or GgufValueType.I16 => 2,
            GgufValueType.U32 or GgufValueType.I32 or GgufValueType.F32 => 4,
            GgufValueType.U64 or GgufValueType.I64 or GgufValueType.F64 => 8,
            _ => 0,
        };

    /// <exception cref="OverflowException">A 64-bit unsigned integer is beyond the signed range.</exception>
    public long IntegerAt(int index)
    {
        var element = ElementAt(index);
        return elementType switch
        {
            GgufValueType.U8 => element[0],
            GgufValueType.I8 => (sbyte)element[0],
            GgufValueType.U16 => BinaryPrimitives.ReadUInt16LittleEndian(element),
            GgufValueType.I16 => BinaryPrimitives.ReadInt16LittleEndian(element),
            GgufValueType.U32 => BinaryPrimitives.ReadUInt32LittleEndian(element),
            GgufValueType.I32 => BinaryPrimitives.ReadInt32LittleEndian(element),
            GgufValueType.U64 => checked((long)BinaryPrimitives.ReadUInt64LittleEndian(element)),
            GgufValueType.I64 => BinaryPrimitives.ReadInt64LittleEndian(element),
            _ => throw new InvalidOperationException($"A {elementType} is no integer."),
        };
    }

    public double FloatAt(int index) =>
        elementType == GgufValueType.F32
            ? BinaryPrimitives.ReadSingleLittleEndian(ElementAt(index))
            : BinaryPrimitives.ReadDoubleLittleEndian(ElementAt(index));

    public bool BoolAt(int index) => bytes[index] != 0;

    public ReadOnlySpan<byte> TextBytesAt(int index)
    {
        var start = index == 0 ? 0 : ends![index - 1];
        return bytes.AsSpan(start, ends![index] - start);
    }

    /// <exception cref="DecoderFallbackException">The text is no UTF-8.</exception>
    public string TextAt(int index) => StrictUtf8.GetString(TextBytesAt(index));

    private ReadOnlySpan<byte> ElementAt(int index)
    {
        var size = SizeOf(elementType);
        return bytes.AsSpan(index * size, size);
    }
}
