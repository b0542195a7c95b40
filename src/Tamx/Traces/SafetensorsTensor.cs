namespace Tamx;

/// <summary>A tensor's entry in a .safetensors header.</summary>
/// <param name="Name">Name, unique in the file.</param>
/// <param name="DType">Element type.</param>
/// <param name="Shape">Length of each axis; empty for a single value.</param>
/// <param name="Offset">Start of its bytes, counted from the end of the header.</param>
/// <param name="ByteCount">Number of bytes.</param>
public sealed record SafetensorsTensor(
    string Name,
    SafetensorsDType DType,
    IReadOnlyList<long> Shape,
    long Offset,
    long ByteCount
)
{
    /// <summary>
    /// Bits per element for each type name in the format's present version. Later versions may add types.
    /// </summary>
    private static readonly Dictionary<string, int> BitsByName = new(StringComparer.Ordinal)
    {
        ["BOOL"] = 8,
        ["F4"] = 4,
        ["F6_E2M3"] = 6,
        ["F6_E3M2"] = 6,
        ["U8"] = 8,
        ["I8"] = 8,
        ["F8_E5M2"] = 8,
        ["F8_E4M3"] = 8,
        ["F8_E8M0"] = 8,
        ["F8_E4M3FNUZ"] = 8,
        ["F8_E5M2FNUZ"] = 8,
        ["I16"] = 16,
        ["U16"] = 16,
        ["F16"] = 16,
        ["BF16"] = 16,
        ["I32"] = 32,
        ["U32"] = 32,
        ["F32"] = 32,
        ["C64"] = 64,
        ["F64"] = 64,
        ["I64"] = 64,
        ["U64"] = 64,
    };

    /// <summary>The types that Tamx reads, by name alone: <see cref="Enum.TryParse{T}(string, out T)"/> takes numbers.</summary>
    private static readonly Dictionary<string, SafetensorsDType> TypesByName = Enum.GetValues<SafetensorsDType>()
        .ToDictionary(dtype => dtype.ToString(), StringComparer.Ordinal);

    /// <summary>The element type's name in the file.</summary>
    public string DTypeName { get; init; } = DType.ToString();

    /// <summary>Number of elements.</summary>
    public long ElementCount => Shape.Contains(0) ? 0 : Shape.Aggregate(1L, (count, length) => count * length);

    /// <summary>Dtype and shape for messages, for example <c>F32 [3, 4]</c>.</summary>
    /// <returns>The text.</returns>
    public string Describe() => $"{DTypeName} [{string.Join(", ", Shape)}]";

    /// <summary>Bits per element of a named type; null if the format has no such name today.</summary>
    internal static int? FindElementBits(string dtypeName) =>
        BitsByName.TryGetValue(dtypeName, out var bits) ? bits : null;

    /// <summary>The type of a name, if Tamx reads it.</summary>
    internal static SafetensorsDType FindDType(string dtypeName) =>
        TypesByName.GetValueOrDefault(dtypeName, SafetensorsDType.Other);

    internal static int ElementBytes(SafetensorsDType dtype) =>
        dtype switch
        {
            SafetensorsDType.F64 or SafetensorsDType.I64 => 8,
            SafetensorsDType.F32 or SafetensorsDType.I32 => 4,
            SafetensorsDType.BF16 or SafetensorsDType.F16 => 2,
            SafetensorsDType.U8 => 1,
            _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Not an element type."),
        };
}
