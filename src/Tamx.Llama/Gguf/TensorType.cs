namespace Tamx.Llama.Gguf;

/// <summary>A way to store tensor elements, as GGUF files number them (ggml's types).</summary>
/// <remarks>
/// Elements come in blocks of <see cref="BlockElements"/> that take <see cref="BlockBytes"/> bytes; a row is a whole
/// number of blocks.
/// </remarks>
public sealed record TensorType
{
    private static readonly TensorType[] All =
    [
        new(0, "F32", 1, 4),
        new(1, "F16", 1, 2),
        new(2, "Q4_0", 32, 18),
        new(3, "Q4_1", 32, 20),
        new(6, "Q5_0", 32, 22),
        new(7, "Q5_1", 32, 24),
        new(8, "Q8_0", 32, 34),
        new(9, "Q8_1", 32, 36, false),
        new(10, "Q2_K", 256, 84),
        new(11, "Q3_K", 256, 110),
        new(12, "Q4_K", 256, 144),
        new(13, "Q5_K", 256, 176),
        new(14, "Q6_K", 256, 210),
        new(15, "Q8_K", 256, 292, false),
        new(16, "IQ2_XXS", 256, 66),
        new(17, "IQ2_XS", 256, 74),
        new(18, "IQ3_XXS", 256, 98),
        new(19, "IQ1_S", 256, 50),
        new(20, "IQ4_NL", 32, 18),
        new(21, "IQ3_S", 256, 110),
        new(22, "IQ2_S", 256, 82),
        new(23, "IQ4_XS", 256, 136),
        new(24, "I8", 1, 1, false),
        new(25, "I16", 1, 2, false),
        new(26, "I32", 1, 4, false),
        new(27, "I64", 1, 8, false),
        new(28, "F64", 1, 8, false),
        new(29, "IQ1_M", 256, 56),
        new(30, "BF16", 1, 2),
        new(34, "TQ1_0", 256, 54),
        new(35, "TQ2_0", 256, 66),
        new(39, "MXFP4", 32, 17),
        new(40, "NVFP4", 64, 36),
        new(41, "Q1_0", 128, 18),
        new(42, "Q2_0", 64, 18),
    ];

    private static readonly Dictionary<uint, TensorType> ById = All.ToDictionary(type => type.Id);

    private TensorType(uint id, string name, int blockElements, int blockBytes, bool isWeightType = true)
    {
        Id = id;
        Name = name;
        BlockElements = blockElements;
        BlockBytes = blockBytes;
        IsWeightType = isWeightType;
    }

    /// <summary>32-bit floats.</summary>
    public static TensorType F32 { get; } = ById[0];

    /// <summary>16-bit floats (IEEE half).</summary>
    public static TensorType F16 { get; } = ById[1];

    /// <summary>The upper halves of 32-bit floats.</summary>
    internal static TensorType BF16 { get; } = ById[30];

    /// <summary>The number that stands for the type in a file.</summary>
    public uint Id { get; }

    /// <summary>Name, for example <c>Q4_K</c>.</summary>
    public string Name { get; }

    /// <summary>Elements per block; 1 for plain numbers.</summary>
    public int BlockElements { get; }

    /// <summary>Bytes per block.</summary>
    public int BlockBytes { get; }

    /// <summary>True if llama.cpp multiplies with such matrices: no integers, doubles, intermediate formats.</summary>
    public bool IsWeightType { get; }

    /// <summary>True for block formats.</summary>
    public bool IsQuantized => BlockElements > 1;

    /// <summary>The type with a number, or null if there is none.</summary>
    /// <param name="id">The number in the file.</param>
    public static TensorType? Find(uint id) => ById.GetValueOrDefault(id);

    /// <inheritdoc/>
    public override string ToString() => Name;
}
