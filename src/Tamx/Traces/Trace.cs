using System.Collections.Immutable;
using System.Text;

namespace Tamx;

/// <summary>Everything the method needs of one run of a model, and nothing else.</summary>
/// <remarks>
/// Immutable; safe to share between threads. <see cref="TraceFile"/> saves and loads it. Shapes: S tokens, D hidden
/// size, N distinct token ids in use, G answer steps with K candidates each.
/// </remarks>
public sealed class Trace
{
    private bool _isValid;

    /// <summary>Token ids of prompt and answer [S]; vision cells carry the image or video pad id.</summary>
    public required ImmutableArray<int> TokenIds { get; init; }

    /// <summary>Hidden size D.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>
    /// Last hidden states after the final norm, [S-1 or S, D] row-major. Row p is that of position p, which predicts
    /// token p+1.
    /// </summary>
    public required ReadOnlyMemory<float> HiddenStates { get; init; }

    /// <summary>What was captured of earlier layers, by ascending layer. Empty by default.</summary>
    public IReadOnlyList<LayerStates> Layers { get; init; } = [];

    /// <summary>
    /// What attention read for each answer token, in their order; null where it was not captured.
    /// </summary>
    public IReadOnlyList<EvidenceStep>? Evidence { get; init; }

    /// <summary>Token ids whose output-embedding rows the trace has, strictly ascending [N].</summary>
    public required ImmutableArray<int> OutputIds { get; init; }

    /// <summary>Output-embedding (lm_head) rows of <see cref="OutputIds"/>, [N, D] row-major.</summary>
    public required ReadOnlyMemory<float> OutputRows { get; init; }

    /// <summary>Patch grid of each image before the merge, in order of appearance.</summary>
    public IReadOnlyList<PatchGrid> ImageGrids { get; init; } = [];

    /// <summary>Patch grid of each video before the merge, in order of appearance.</summary>
    public IReadOnlyList<PatchGrid> VideoGrids { get; init; } = [];

    /// <summary>
    /// Candidates of each generated token, [G, K]; the answer is then the last G tokens. Null in encode mode, where the
    /// answer is the last turn.
    /// </summary>
    public IReadOnlyList<ImmutableArray<int>>? CandidateIds { get; init; }

    /// <summary>Probabilities of <see cref="CandidateIds"/> under the model's softmax [G, K], or null.</summary>
    public IReadOnlyList<ImmutableArray<float>>? CandidateProbabilities { get; init; }

    /// <summary>Probability of each answer token [G], or null.</summary>
    public ImmutableArray<float>? AnswerProbabilities { get; init; }

    /// <summary>
    /// Of an answer with a region (<see cref="RunInfo.Region"/>): ln p of each answer token with the region hidden, kept
    /// alone or looked at, less that without [G]. Null where there is no region, or the answer was cut off.
    /// </summary>
    public ImmutableArray<float>? RegionChanges { get; init; }

    /// <summary>Marker ids of the vocabulary.</summary>
    public MarkerIds Markers { get; init; } = MarkerIds.QwenPublished;

    /// <summary>
    /// Bytes of each token in <see cref="OutputIds"/> [N], or null in a dump without texts. They are UTF-8 and may be a
    /// part of a character.
    /// </summary>
    public IReadOnlyList<ReadOnlyMemory<byte>>? OutputTexts { get; init; }

    /// <summary>Pictures for display, at most one per temporal patch of each block.</summary>
    public IReadOnlyList<TracePicture> Pictures { get; init; } = [];

    /// <summary>How the trace was made.</summary>
    public RunInfo Run { get; init; } = new();

    /// <summary>Number of hidden rows, S-1 or S.</summary>
    public int HiddenRowCount => HiddenSize == 0 ? 0 : HiddenStates.Length / HiddenSize;

    /// <summary>The file the trace was loaded from, for messages.</summary>
    internal string? SourcePath { get; init; }

    /// <summary>A token's text, or null if the trace has none.</summary>
    /// <param name="tokenId">Token id.</param>
    /// <returns>The text. U+FFFD stands for a part of a character.</returns>
    public string? FindText(int tokenId) =>
        FindBytes(tokenId) is { } bytes ? Encoding.UTF8.GetString(bytes.Span) : null;

    /// <summary>
    /// A token's bytes, or null if the trace has none. They are UTF-8 and may be a part of a character.
    /// </summary>
    /// <param name="tokenId">Token id.</param>
    public ReadOnlyMemory<byte>? FindBytes(int tokenId) =>
        OutputTexts is { } texts && OutputIds.BinarySearch(tokenId) is >= 0 and var index
            ? texts[index]
            : default(ReadOnlyMemory<byte>?);

    /// <summary>
    /// Refuses a trace whose parts do not fit each other, or that holds NaN or infinities. A trace found valid is not
    /// checked again.
    /// </summary>
    /// <exception cref="TraceFormatException">Names the part or the position, and what would be right.</exception>
    public void Validate()
    {
        if (!_isValid)
        {
            TraceValidation.Check(this);
            _isValid = true;
        }
    }

    /// <summary>Reads the sequence's layout: turns, vision blocks, context and answer.</summary>
    /// <param name="options">Merge sizes, and which ids count as text; null for the defaults.</param>
    /// <returns>The layout. With candidates per step the answer is the last tokens, otherwise the last turn.</returns>
    /// <exception cref="InvalidInputException">
    /// The sequence holds no answer, or its vision blocks and grids do not fit.
    /// </exception>
    public SequenceLayout ParseLayout(TamOptions? options = null)
    {
        try
        {
            var layout = SequenceLayout.Parse(TokenIds, Markers, ImageGrids, VideoGrids, CandidateIds?.Count, options);
            RequireForEach(layout, TraceFormat.AnswerProbabilities, AnswerProbabilities);
            RequireForEach(layout, TraceFormat.RegionChanges, RegionChanges);
            return layout;
        }
        catch (InvalidInputException e) when (SourcePath is not null)
        {
            throw new TraceFormatException(SourcePath, e);
        }
    }

    private static void RequireForEach(SequenceLayout layout, string name, ImmutableArray<float>? values)
    {
        if (values is { } some && some.Length != layout.AnswerPositions.Count)
        {
            throw new InvalidInputException(
                $"{name} has {some.Length} values for {layout.AnswerPositions.Count} answer tokens"
            );
        }
    }

    /// <summary>What was captured of a layer.</summary>
    /// <exception cref="TraceFormatException">The layer was not captured.</exception>
    internal LayerStates LayerAt(int layer) =>
        Layers.FirstOrDefault(states => states.Layer == layer)
        ?? throw new TraceFormatException(
            SourcePath,
            Layers.Count == 0
                ? (FormattableString)$"holds no layer but the last; capture layer {layer} ({LayersSetting})"
                : $"holds the layers {string.Join(", ", Layers.Select(states => states.Layer))} and the last, not layer {layer}; capture it ({LayersSetting})"
        );

    private static Setting LayersSetting => new(nameof(Llama.CompletionOptions.Layers));

    /// <summary>Reads the layout of a prompt, where the whole trace stands before an answer.</summary>
    internal SequenceLayout ParsePromptLayout(TamOptions options) =>
        SequenceLayout.ParsePrompt(TokenIds, Markers, ImageGrids, VideoGrids, options);

    internal TraceFormatException Fault(FormattableString message) => new(SourcePath, message);

    internal void Require(bool condition, FormattableString message)
    {
        if (!condition)
        {
            throw Fault(message);
        }
    }
}
