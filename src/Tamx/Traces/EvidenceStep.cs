using System.Collections.Immutable;

namespace Tamx;

/// <summary>
/// What attention, from every earlier position, added to the logits that an answer token was chosen by.
/// </summary>
/// <remarks>
/// A logit here is the difference to the mean logit of the vocabulary. It is the sum of the scores of all positions and
/// of <see cref="Rest"/>.
/// </remarks>
public sealed record EvidenceStep
{
    /// <summary>The explained ids [K]: the answer token's, then the step's other candidates.</summary>
    public required ImmutableArray<int> TokenIds { get; init; }

    /// <summary>The score of each id and each position before the token [K, positions], row-major, signed.</summary>
    public required ReadOnlyMemory<float> Scores { get; init; }

    /// <summary>What came from no position: the input embedding and the feed-forward layers [K].</summary>
    public required ImmutableArray<float> Rest { get; init; }

    /// <summary>Logit less mean logit [K].</summary>
    public required ImmutableArray<float> Logits { get; init; }

    /// <summary>The scores of one id [positions].</summary>
    /// <param name="index">Its index in <see cref="TokenIds"/>.</param>
    public ReadOnlySpan<float> ScoresOf(int index)
    {
        var count = Scores.Length / TokenIds.Length;
        return Scores.Span.Slice(index * count, count);
    }
}
