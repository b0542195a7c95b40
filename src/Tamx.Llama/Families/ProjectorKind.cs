namespace Tamx.Llama.Families;

/// <summary>A kind of vision tower and projector, as libmtmd computes it.</summary>
/// <remarks>
/// All kinds so far cut a picture into whole cells of 2 x 2 patches, row by row, place the cells on M-RoPE's axes
/// (time, row, column), decode them causally, and take two frames as one temporal patch.
/// </remarks>
/// <param name="Type"><c>clip.projector_type</c>.</param>
internal sealed record ProjectorKind(string Type)
{
    /// <summary>Patches per side that become one cell. The vision graphs are written for this number.</summary>
    public int SpatialMergeSize { get; init; } = 2;

    /// <summary>Whether patches have a bias, and places from a table that is stretched to the picture.</summary>
    public bool HasPositionTable { get; init; }

    /// <summary>Whether queries, keys and values come from one matrix.</summary>
    public bool HasFusedAttention { get; init; }

    /// <summary>Whether norms have a bias.</summary>
    public bool HasNormBias { get; init; } = true;

    /// <summary>Whether the feed-forward part has a gate.</summary>
    public bool HasGate { get; init; }

    /// <summary>
    /// Whether most layers attend within windows of 112 pixels; null where the key for it is not read.
    /// </summary>
    public bool? HasWindows { get; init; }

    /// <summary>Whether old converters swapped the names of the feed-forward matrices.</summary>
    public bool MaySwapFeedForward { get; init; }

    /// <summary>Whether features of inner layers may go to the text model's first layers.</summary>
    public bool MayHaveDeepstack { get; init; }

    /// <summary>Steps of M-RoPE's time axis per second of a video; null for one step per temporal patch.</summary>
    public float? StepsPerSecond { get; init; }

    /// <summary>The kind of a type, or null.</summary>
    public static ProjectorKind? Find(string? type) => All.FirstOrDefault(kind => kind.Type == type);

    /// <summary>The kind of a type that was checked.</summary>
    public static ProjectorKind Of(string type) =>
        Find(type) ?? throw new ArgumentException($"no family has projector {type}");

    /// <summary>All that some family has.</summary>
    public static IEnumerable<ProjectorKind> All => ModelFamily.All.SelectMany(family => family.Projectors).Distinct();
}
