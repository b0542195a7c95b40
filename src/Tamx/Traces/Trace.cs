namespace Tamx;

/// <summary>Everything the method needs of one run of a model, and nothing else.</summary>
/// <remarks>
/// Saved and loaded as .safetensors with TAMX's tensor names, so that dumps travel both ways. Shapes: S tokens, D hidden size,
/// N distinct token ids in use, G answer steps with K candidates each.
/// </remarks>
public sealed partial class Trace
{
    /// <summary>Token ids of prompt and answer [S]; vision cells carry the image or video pad id.</summary>
    public required int[] TokenIds { get; init; }

    /// <summary>Hidden size D.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Last hidden states after the final norm, [S-1 or S, D] row-major; row p belongs to position p and predicts token p+1.</summary>
    public required ReadOnlyMemory<float> HiddenStates { get; init; }

    /// <summary>Token ids whose output-embedding row is held, strictly ascending [N].</summary>
    public required int[] OutputIds { get; init; }

    /// <summary>Output-embedding (lm_head) rows of <see cref="OutputIds"/>, [N, D] row-major.</summary>
    public required float[] OutputRows { get; init; }

    /// <summary>Patch grid of each image before the merge, in order of appearance.</summary>
    public IReadOnlyList<PatchGrid> ImageGrids { get; init; } = [];

    /// <summary>Patch grid of each video before the merge, in order of appearance.</summary>
    public IReadOnlyList<PatchGrid> VideoGrids { get; init; } = [];

    /// <summary>
    /// Candidates per generated token, [G, K]: the answer is then the last G tokens. Null in encode mode
    /// (the answer is then the last turn).
    /// </summary>
    public int[][]? CandidateIds { get; init; }

    /// <summary>Probabilities of <see cref="CandidateIds"/> under the model's softmax [G, K], or null.</summary>
    public float[][]? CandidateProbabilities { get; init; }

    /// <summary>Probability of each answer token [G], or null.</summary>
    public float[]? AnswerProbabilities { get; init; }

    /// <summary>Marker ids of the vocabulary.</summary>
    public MarkerIds Markers { get; init; } = MarkerIds.QwenPublished;

    /// <summary>Bytes (UTF-8, possibly a part of a character) of each token in <see cref="OutputIds"/> [N], or null in a dump without texts.</summary>
    public byte[][]? OutputTexts { get; init; }

    /// <summary>Pictures for display, at most one per temporal patch of each block.</summary>
    public IReadOnlyList<TracePicture> Pictures { get; init; } = [];

    /// <summary>How the trace was made.</summary>
    public RunInfo Run { get; init; } = new();

    /// <summary>Number of hidden rows, S-1 or S.</summary>
    public int HiddenRowCount => HiddenSize == 0 ? 0 : HiddenStates.Length / HiddenSize;

    /// <summary>A token's bytes (UTF-8, possibly a part of a character), or null where the trace has no text for it.</summary>
    /// <param name="tokenId">Token id.</param>
    public byte[]? FindText(int tokenId) =>
        OutputTexts is { } texts && Array.BinarySearch(OutputIds, tokenId) is >= 0 and var index ? texts[index] : null;
}
