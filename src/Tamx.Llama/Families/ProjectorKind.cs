using Tamx.Llama.Gguf;

namespace Tamx.Llama.Families;

/// <summary>A kind of vision tower and projector, as libmtmd computes it.</summary>
/// <remarks>All kinds cut a picture into whole cells of some patches by as many, row by row.</remarks>
/// <param name="Type"><c>clip.projector_type</c>.</param>
internal sealed record ProjectorKind(string Type)
{
    /// <summary>Patches per side that become one cell. The vision graphs are written for this number.</summary>
    public int SpatialMergeSize { get; init; } = 2;

    /// <summary>Whether the file says how many, and the graph takes any number.</summary>
    public bool IsMergeFree { get; init; }

    /// <summary>The key that says so.</summary>
    public string MergeKey { get; init; } = "clip.vision.spatial_merge_size";

    /// <summary>Whether that key must be there: without it, libmtmd takes another number.</summary>
    public bool NeedsMergeKey { get; init; }

    /// <summary>A tensor that is there where patches are merged, and then needs that key; null for none.</summary>
    public string? MergeTensor { get; init; }

    /// <summary>
    /// Whether cells lie on M-RoPE's axes (time, row, column). Else each has the position after the one before it.
    /// </summary>
    public bool UsesMrope { get; init; } = true;

    /// <summary>
    /// Whether each picture is brought to the square that the position table was made for. Else it keeps its aspect
    /// ratio, as near as whole cells allow, and its size within bounds.
    /// </summary>
    public bool IsSquare { get; init; }

    /// <summary>
    /// Whether a cell sees those before it alone. Else all cells of a picture see each other, and are decoded together.
    /// </summary>
    public bool IsCausal { get; init; } = true;

    /// <summary>Whether two frames of a video are one temporal patch. Else there are no videos.</summary>
    public bool TakesFramePairs { get; init; } = true;

    /// <summary>Whether patches have places from a table.</summary>
    public bool HasPositionTable { get; init; }

    /// <summary>Whether that table is looked up row by row, so that it may be of any type of weights.</summary>
    public bool LooksUpPositions { get; init; }

    /// <summary>
    /// The tensor, and its axis, that has as many values as a vision token; null where
    /// <c>clip.vision.projection_dim</c> says so. Old converters wrote another number there, which libmtmd does not
    /// look at.
    /// </summary>
    public (string Tensor, int Axis)? ProjectionSize { get; init; }

    /// <summary>Whether patches have a bias, where there is a table.</summary>
    public bool HasPatchBias { get; init; } = true;

    /// <summary>The tensor that stands after each row of cells but the last, among the cells; null for none.</summary>
    public string? RowEndTensor { get; init; }

    /// <summary>Whether the layers' matrices have biases.</summary>
    public bool HasBias { get; init; } = true;

    /// <summary>Whether a norm comes before the first layer.</summary>
    public bool HasPreNorm { get; init; }

    /// <summary>Whether sizes of pictures may be listed that libmtmd then cuts into tiles.</summary>
    public bool MayHavePinpoints { get; init; } = true;

    /// <summary>Whether a class token stands beside the patches in the tower. It becomes no cell.</summary>
    public bool HasClassToken { get; init; }

    /// <summary>Whether queries, keys and values come from one matrix.</summary>
    public bool HasFusedAttention { get; init; }

    /// <summary>Whether norms have a bias.</summary>
    public bool HasNormBias { get; init; } = true;

    /// <summary>Whether the feed-forward part has a gate.</summary>
    public bool HasGate { get; init; }

    /// <summary>Whether what a layer's two parts write is scaled per value.</summary>
    public bool HasLayerScale { get; init; }

    /// <summary>
    /// The tower that has root-mean-square norms without bias, norms of queries and keys, and no biases at these: of
    /// this hidden size and so many layers. Null where all towers of the kind are alike.
    /// </summary>
    public (int HiddenSize, int LayerCount)? RmsTower { get; init; }

    /// <summary>Whether a norm follows the last layer.</summary>
    public bool HasPostNorm { get; init; } = true;

    /// <summary>
    /// Whether most layers attend within windows of 112 pixels; null where the key for it is not read.
    /// </summary>
    public bool? HasWindows { get; init; }

    /// <summary>Whether old converters swapped the names of the feed-forward matrices.</summary>
    public bool MaySwapFeedForward { get; init; }

    /// <summary>Whether features of inner layers may go to the text model's first layers.</summary>
    public bool MayHaveDeepstack { get; init; }

    /// <summary>Whether a picture may become several such squares, and the whole picture one more after them.</summary>
    public bool IsTiled { get; init; }

    /// <summary>
    /// Which patch the first cell shows. llama.cpp sets CLIP's class token behind the patches and then drops the first
    /// of them in its place (clip.cpp, <c>clip_graph_llava</c>): cell i shows patch i + 1, and the last cell is the
    /// class token. Tried on b10221 by changing one patch at a time.
    /// </summary>
    public int CellOffset { get; init; }

    /// <summary>
    /// Whether libmtmd cuts every square into tiles again, and the square as a whole is the last of what it makes.
    /// </summary>
    public bool IsWholeLast { get; init; }

    /// <summary>Steps of M-RoPE's time axis per second of a video; null for one step per temporal patch.</summary>
    public float? StepsPerSecond { get; init; }

    /// <summary>Checks the tensors that make cells of the tower's output.</summary>
    public Action<TensorChecklist, ProjectorFacts> CheckMerger { get; init; } = CheckTwoLayers;

    /// <summary>The kind of a type, or null.</summary>
    public static ProjectorKind? Find(string? type) => All.FirstOrDefault(kind => kind.Type == type);

    /// <summary>The kind of a type that was checked.</summary>
    public static ProjectorKind Of(string type) =>
        Find(type) ?? throw new ArgumentException($"no family has projector {type}");

    /// <summary>All that some family has.</summary>
    public static IEnumerable<ProjectorKind> All => ModelFamily.All.SelectMany(family => family.Projectors).Distinct();

    /// <summary>Qwen's merger: two layers, the first as wide as a cell's patches together.</summary>
    private static void CheckTwoLayers(TensorChecklist tensors, ProjectorFacts facts)
    {
        tensors.Linear("mm.0", facts.MergedSize, facts.MergedSize);
        tensors.Linear("mm.2", facts.MergedSize, facts.ProjectionSize);
    }
}
