namespace Tamx;

/// <summary>Element types of .safetensors: those that Tamx reads, and one for all others.</summary>
public enum SafetensorsDType
{
    /// <summary>IEEE float, 4 bytes.</summary>
    F32,

    /// <summary>The upper half of an F32, 2 bytes.</summary>
    BF16,

    /// <summary>IEEE float, 2 bytes.</summary>
    F16,

    /// <summary>IEEE float, 8 bytes.</summary>
    F64,

    /// <summary>Signed integer, 8 bytes.</summary>
    I64,

    /// <summary>Signed integer, 4 bytes.</summary>
    I32,

    /// <summary>Byte.</summary>
    U8,

    /// <summary>Any other type. A file may contain such a tensor, but Tamx cannot read it.</summary>
    Other,
}
