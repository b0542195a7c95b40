namespace Tamx.Llama.Gguf;

/// <summary>Types of metadata values, as GGUF files number them.</summary>
public enum GgufValueType
{
    /// <summary>8-bit unsigned integer.</summary>
    U8 = 0,

    /// <summary>8-bit signed integer.</summary>
    I8 = 1,

    /// <summary>16-bit unsigned integer.</summary>
    U16 = 2,

    /// <summary>16-bit signed integer.</summary>
    I16 = 3,

    /// <summary>32-bit unsigned integer.</summary>
    U32 = 4,

    /// <summary>32-bit signed integer.</summary>
    I32 = 5,

    /// <summary>32-bit float.</summary>
    F32 = 6,

    /// <summary>One byte, 0 or 1.</summary>
    Bool = 7,

    /// <summary>UTF-8 text with its length in front.</summary>
    Text = 8,

    /// <summary>Values of one type with their count in front.</summary>
    Array = 9,

    /// <summary>64-bit unsigned integer.</summary>
    U64 = 10,

    /// <summary>64-bit signed integer.</summary>
    I64 = 11,

    /// <summary>64-bit float.</summary>
    F64 = 12,
}
