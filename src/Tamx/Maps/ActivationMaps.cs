using System.Collections.Immutable;

namespace Tamx;

/// <summary>The method's result: where in the vision blocks and in the text each answer token came from.</summary>
/// <remarks>Plain data without the trace it was computed from. Immutable; safe to share between threads.</remarks>
public sealed partial class ActivationMaps
{
    /// <summary>Turns, vision blocks, context and answer positions.</summary>
    public required SequenceLayout Layout { get; init; }

    /// <summary>The options in force, with a preset resolved to its single options.</summary>
    public required TamOptions Options { get; init; }

    /// <summary>Name of the engine that computed the maps.</summary>
    public required string EngineName { get; init; }

    /// <summary>One entry per answer token, in the order of <see cref="SequenceLayout.AnswerPositions"/>.</summary>
    public required IReadOnlyList<AnswerToken> Answer { get; init; }

    /// <summary>
    /// One entry per context token, in the order of <see cref="SequenceLayout.ContextPositions"/>, without candidates.
    /// Empty unless <see cref="TamOptions.ExplainPrompt"/> is on. As in the paper's code, ECI subtracts only the
    /// context before the token, while text relevance and normalisation cover all of the context.
    /// </summary>
    public IReadOnlyList<AnswerToken> Prompt { get; init; } = [];

    /// <summary>
    /// The answer's words in order. Each answer token belongs to one word. Empty in a trace without token texts, such
    /// as TAMX's scripts write. <see cref="TamOptions.WordMaps"/> says how the maps of a word's tokens are joined.
    /// </summary>
    public IReadOnlyList<ExplainedWord> Words { get; init; } = [];

    /// <summary>
    /// Boxes and points that the answer names (<see cref="ClaimedRegion.Read"/>), with where these maps have the evidence
    /// for them.
    /// </summary>
    public IReadOnlyList<CheckedClaim> Claims { get; init; } = [];
}

/// <summary>A token of the answer or the prompt, with its own maps and those of its step's other candidates.</summary>
public sealed class AnswerToken
{
    /// <summary>Position in the sequence.</summary>
    public required int Position { get; init; }

    /// <summary>The token at this position.</summary>
    public required ExplainedToken Token { get; init; }

    /// <summary>
    /// The step's top candidates, best first. Usually the answer token is one. Empty if none were recorded.
    /// </summary>
    public required IReadOnlyList<ExplainedToken> Candidates { get; init; }

    /// <summary>
    /// The positions of <see cref="ExplainedToken.TextRelevance"/>. For an answer token: context text, then answer, all
    /// before <see cref="Position"/>. For a token of the prompt: all context text. Of more than 4,096 positions only
    /// those with the greatest relevance stand here, 512 at most: the token's own and its candidates'. Ascending.
    /// </summary>
    public required IReadOnlyList<int> TextPositions { get; init; }

    /// <summary>
    /// The range [minimum, maximum] of raw values that min-max normalisation mapped to [0, 1]: raw = minimum + value x
    /// (maximum - minimum). With it several tokens can be put on one scale. The range covers the candidates too. If
    /// <see cref="TamOptions.NormalizeWithCandidates"/> is off, each candidate has its own
    /// <see cref="ExplainedToken.RawRange"/>.
    /// </summary>
    public required (float Minimum, float Maximum) RawRange { get; init; }
}

/// <summary>A token id with its activation map per vision block and its relevance to the text before it.</summary>
public sealed class ExplainedToken
{
    /// <summary>Token id.</summary>
    public required int TokenId { get; init; }

    /// <summary>The token's text, or null in a run without texts. U+FFFD stands for a part of a character.</summary>
    public string? Text { get; init; }

    /// <summary>
    /// The logit w . h at the position before the token (natural log units, unnormalised). NaN if the trace has no such
    /// row.
    /// </summary>
    public required float Logit { get; init; }

    /// <summary>Probability under the model's softmax at the step, or NaN if it was not recorded.</summary>
    public required float Probability { get; init; }

    /// <summary>The normalised map of each vision block; null for blocks that end at or after the token.</summary>
    public required IReadOnlyList<ActivationMap?> VisionMaps { get; init; }

    /// <summary>Normalised relevance in [0, 1] of each entry of <see cref="AnswerToken.TextPositions"/>.</summary>
    public required ImmutableArray<float> TextRelevance { get; init; }

    /// <summary>The range of raw values mapped to [0, 1] in this token's own maps and text relevance.</summary>
    public (float Minimum, float Maximum) RawRange { get; init; }
}
