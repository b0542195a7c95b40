namespace Tamx.Llama.Media;

/// <summary>What a picture may be at most (and at least). Each limit is checked before any pixel is decoded.</summary>
public sealed record ImageLimits
{
    /// <summary>The limits in force where none are given.</summary>
    public static ImageLimits Default { get; } = new();

    /// <summary>Bytes of the encoded file. 64 MB by default.</summary>
    public long MaxFileBytes { get; init; } = 64_000_000;

    /// <summary>Width x height. 64 megapixels by default.</summary>
    public long MaxPixels { get; init; } = 64_000_000;

    /// <summary>Pixels on the longer side. 16,384 by default.</summary>
    public int MaxSide { get; init; } = 16_384;

    /// <summary>Pixels on the shorter side. 8 by default.</summary>
    public int MinSide { get; init; } = 8;

    /// <summary>Longer side over shorter side; 200 by default, as Qwen's own image processor has it.</summary>
    public double MaxAspectRatio { get; init; } = 200;
}
