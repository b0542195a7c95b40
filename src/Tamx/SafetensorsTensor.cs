namespace Tamx;

/// <summary>A tensor's entry in a .safetensors header.</summary>
/// <param name="Name">Name, unique in the file.</param>
/// <param name="DType">Element type.</param>
/// <param name="Shape">Length of each axis; empty for a single value.</param>
/// <param name="Offset">Where its bytes begin, counted from the end of the header.</param>
/// <param name="ByteCount">Number of bytes: the product of the shape times the element's size.</param>
public sealed record SafetensorsTensor(string Name, SafetensorsDType DType, IReadOnlyList<long> Shape, long Offset, long ByteCount)
{
    /// <summary>Number of elements.</summary>
    public long ElementCount => ByteCount / ElementBytes(DType);

    /// <summary>Dtype and shape for messages, for example <c>F32 [3, 4]</c>.</summary>
    /// <returns>The text.</returns>
    public string Describe() => $"{DType} [{string.Join(", ", Shape)}]";

    internal static int ElementBytes(SafetensorsDType dtype) => dtype switch
    {
        SafetensorsDType.F64 or SafetensorsDType.I64 => 8,
        SafetensorsDType.F32 or SafetensorsDType.I32 => 4,
        SafetensorsDType.BF16 or SafetensorsDType.F16 => 2,
        SafetensorsDType.U8 => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Not an element type."),
    };
}
