namespace Tamx.Llama.Gguf;

/// <summary>Where a tensor lies and what it looks like; its data is not read.</summary>
public sealed record GgufTensor
{
    /// <summary>Name, for example <c>blk.0.attn_q.weight</c>.</summary>
    public required string Name { get; init; }

    /// <summary>How elements are stored.</summary>
    public required TensorType Type { get; init; }

    /// <summary>1 to 4 sizes, the fastest moving first: a matrix has shape [columns, rows].</summary>
    public required IReadOnlyList<long> Shape { get; init; }

    /// <summary>The file that holds the data (one of several in a split model).</summary>
    public required string FilePath { get; init; }

    /// <summary>First byte of the data, from the start of the file.</summary>
    public required long Offset { get; init; }

    /// <summary>Size of the data.</summary>
    public required long ByteCount { get; init; }

    /// <summary>Product of the shape.</summary>
    public required long ElementCount { get; init; }

    /// <summary>Bytes of one row (of Shape[0] elements).</summary>
    public long RowBytes => Shape[0] / Type.BlockElements * Type.BlockBytes;

    /// <summary>The shape as text, for example <c>[256, 1024]</c>.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Type} {ShapeText}";
}
