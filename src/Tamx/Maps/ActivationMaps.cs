using System.Collections.Immutable;

namespace Tamx;

/// <summary>
/// The method's result: for every answer token where in the vision blocks and in the text it came from.
/// </summary>
/// <remarks>
/// Plain data, independent of the trace it was computed from. Instances are immutable and safe to share between
/// threads.
/// </remarks>
public sealed partial class ActivationMaps
{
    /// <summary>Turns, vision blocks, context and answer positions.</summary>
    public required SequenceLayout Layout { get; init; }

    /// <summary>The options in force, with every preset resolved to its single options.</summary>
    public required TamOptions Options { get; init; }

    /// <summary>Name of the engine that computed the maps.</summary>
    public required string EngineName { get; init; }

    /// <summary>One entry per answer token, in the order of <see cref="SequenceLayout.AnswerPositions"/>.</summary>
    public required IReadOnlyList<AnswerToken> Answer { get; init; }

    /// <summary>
    /// One entry per context token, in the order of <see cref="SequenceLayout.ContextPositions"/>; empty unless
    /// <see cref="TamOptions.ExplainPrompt"/> is on. ECI subtracts the context before the token, but its text
    /// relevance, and with it the normalisation, covers all of the context, as in the paper's code. There are no
    /// candidates.
    /// </summary>
    public IReadOnlyList<AnswerToken> Prompt { get; init; } = [];

    /// <summary>
    /// The answer's words in order; each answer token belongs to one. Empty in a trace without token texts, as TAMX's
    /// scripts write it. <see cref="TamOptions.WordMaps"/> says how the maps of a word's tokens are joined.
    /// </summary>
    public IReadOnlyList<ExplainedWord> Words { get; init; } = [];
}

/// <summary>
/// An answer token (or a token of the prompt) with its own maps and those of the step's other candidates.
/// </summary>
public sealed class AnswerToken
{
    /// <summary>Position in the sequence.</summary>
    public required int Position { get; init; }

    /// <summary>The token that stands there.</summary>
    public required ExplainedToken Token { get; init; }

    /// <summary>
    /// The step's top candidates, best first (the answer token is usually one of them); empty if none were recorded.
    /// </summary>
    public required IReadOnlyList<ExplainedToken> Candidates { get; init; }

    /// <summary>
    /// Positions that <see cref="ExplainedToken.TextRelevance"/> belongs to: context text positions, then answer
    /// positions, all before <see cref="Position"/>; for a token of the prompt, all context text positions.
    /// </summary>
    public required IReadOnlyList<int> TextPositions { get; init; }

    /// <summary>
    /// The range [minimum, maximum] of the raw values that this token's min-max normalisation mapped to [0, 1]:
    /// raw = minimum + value x (maximum - minimum). Lets a reader put several tokens on one scale. It covers the
    /// candidates too unless <see cref="TamOptions.NormalizeWithCandidates"/> is off; then each has its own
    /// <see cref="ExplainedToken.RawRange"/>.
    /// </summary>
    public required (float Minimum, float Maximum) RawRange { get; init; }
}

/// <summary>A token id with its activation map per vision block and its relevance to the text before it.</summary>
public sealed class ExplainedToken
{
    /// <summary>Token id.</summary>
    public required int TokenId { get; init; }

    /// <summary>
    /// The token's text, or null in a run without texts; U+FFFD stands for a character of which it holds only a part.
    /// </summary>
    public string? Text { get; init; }

    /// <summary>
    /// w . h at the position before the token (natural log units, unnormalised), or NaN where the trace holds no such
    /// row.
    /// </summary>
    public required float Logit { get; init; }

    /// <summary>Probability under the model's softmax at the step, or NaN where it was not recorded.</summary>
    public required float Probability { get; init; }

    /// <summary>
    /// Per vision block the normalised map; null for blocks that end at or after the token.
    /// </summary>
    public required IReadOnlyList<ActivationMap?> VisionMaps { get; init; }

    /// <summary>Normalised relevance in [0, 1] per entry of <see cref="AnswerToken.TextPositions"/>.</summary>
    public required ImmutableArray<float> TextRelevance { get; init; }

    /// <summary>
    /// The range of raw values that was mapped to [0, 1] in the maps and the text relevance of this very token.
    /// </summary>
    public (float Minimum, float Maximum) RawRange { get; init; }
}
