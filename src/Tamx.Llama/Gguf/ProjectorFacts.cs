namespace Tamx.Llama.Gguf;

/// <summary>What an mmproj file says about its vision tower and projector. Immutable.</summary>
public sealed record ProjectorFacts
{
    /// <summary>The file.</summary>
    public required string Path { get; init; }

    /// <summary>For example <c>qwen3vl_merger</c> or <c>internvl</c> (docs/models.md).</summary>
    public required string ProjectorType { get; init; }

    /// <summary>The model's own name (general.name), or null.</summary>
    public string? Name { get; init; }

    /// <summary>Side of a patch in pixels.</summary>
    public required int PatchSize { get; init; }

    /// <summary>Patches per side that become one cell (one vision token).</summary>
    public required int SpatialMergeSize { get; init; }

    /// <summary>Side of the square picture that the position table was made for, in pixels.</summary>
    public required int ImageSize { get; init; }

    /// <summary>Whether each picture is brought to that square, or cut into such tiles.</summary>
    public bool IsSquare { get; init; }

    /// <summary>Least tiles that a picture is cut into; the whole picture as one more does not count.</summary>
    public int MinTiles { get; init; } = 1;

    /// <summary>Most tiles; 1 for none.</summary>
    public int MaxTiles { get; init; } = 1;

    /// <summary>Least pixels of a picture (clip.vision.image_min_pixels), or null.</summary>
    public int? MinPixels { get; init; }

    /// <summary>Most pixels of a picture (clip.vision.image_max_pixels), or null.</summary>
    public int? MaxPixels { get; init; }

    /// <summary>Hidden size of the vision tower.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Size of the vision tower's feed-forward layers.</summary>
    public required int FeedForwardSize { get; init; }

    /// <summary>Number of layers of the vision tower.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Attention heads per layer.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Size of a vision token; equals the text model's hidden size.</summary>
    public required int ProjectionSize { get; init; }

    /// <summary>Layers whose features go to the text model's first layers, ascending. None without deepstack.</summary>
    public required IReadOnlyList<int> DeepstackLayerIndices { get; init; }

    /// <summary>What stands after each row of cells but the last; null for nothing.</summary>
    internal GgufTensor? RowEnd { get; init; }

    /// <summary>Number of weights.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Size of the file.</summary>
    public required long ByteCount { get; init; }

    /// <summary>Side of a cell in pixels.</summary>
    public int CellSize => PatchSize * SpatialMergeSize;

    /// <summary>Values of a cell's patches together.</summary>
    internal int MergedSize => checked(HiddenSize * SpatialMergeSize * SpatialMergeSize);
}
