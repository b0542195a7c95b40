namespace Tamx;

/// <summary>A region that the answer claims, with where the evidence for it lies.</summary>
/// <param name="Region">The claim.</param>
/// <param name="Score">How far it and the label's map agree.</param>
public sealed record CheckedClaim(ClaimedRegion Region, RegionScore Score)
{
    /// <summary>Checks the claims of an answer.</summary>
    /// <param name="trace">The run.</param>
    /// <param name="layout">Its layout.</param>
    /// <param name="answer">The answer's tokens with their maps.</param>
    /// <param name="aggregation">How the maps of a label's tokens are joined.</param>
    /// <remarks>
    /// A label's map is joined of its tokens' maps, as a word's is (<see cref="ExplainedWord"/>). A region without a
    /// label has the map of its coordinates.
    /// </remarks>
    internal static IReadOnlyList<CheckedClaim> Of(
        Trace trace,
        SequenceLayout layout,
        IReadOnlyList<AnswerToken> answer,
        WordAggregation aggregation
    ) =>
        [
            .. ClaimedRegion
                .Read(trace, layout)
                .Select(region => new CheckedClaim(
                    region,
                    RegionScore.Of(MapOf(region, answer, aggregation), region.Box)
                )),
        ];

    // The picture stands before the answer, so each of its tokens has a map of it.
    private static ActivationMap MapOf(
        ClaimedRegion region,
        IReadOnlyList<AnswerToken> answer,
        WordAggregation aggregation
    )
    {
        var tokens = region.LabelTokens.Count > 0 ? region.LabelTokens : region.CoordinateTokens;
        var word = ExplainedWord.Join(new AnswerWord(region.Label, tokens), answer, aggregation);
        return word.VisionMaps[region.BlockIndex]!;
    }
}
