using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Tamx;

/// <summary>A word of the answer, with a map per vision block and its relevance to the text before it.</summary>
/// <remarks>
/// Each token is normalised by its own range. So the maps of a word's tokens are put back on the raw scale, joined, and
/// normalised by a range that covers them all. Otherwise a token with weak maps would outshine the others. A word of
/// one token has that token's own maps (the same objects).
/// </remarks>
public sealed class ExplainedWord
{
    /// <summary>Text and tokens.</summary>
    public required AnswerWord Word { get; init; }

    /// <summary>The map of each vision block; null for blocks that end at or after the word's first token.</summary>
    public required IReadOnlyList<ActivationMap?> VisionMaps { get; init; }

    /// <summary>
    /// Relevance in [0, 1] of the text before the word. One value per entry of the first token's
    /// <see cref="AnswerToken.TextPositions"/>.
    /// </summary>
    public required ImmutableArray<float> TextRelevance { get; init; }

    /// <summary>The range of raw values that was mapped to [0, 1].</summary>
    public required (float Minimum, float Maximum) RawRange { get; init; }

    /// <summary>Joins the maps of a word's tokens.</summary>
    /// <param name="word">The word.</param>
    /// <param name="answer">The answer's tokens.</param>
    /// <param name="aggregation">How they are joined.</param>
    public static ExplainedWord Join(AnswerWord word, IReadOnlyList<AnswerToken> answer, WordAggregation aggregation)
    {
        ArgumentNullException.ThrowIfNull(word);
        ArgumentNullException.ThrowIfNull(answer);
        ExplainedToken[] tokens = [.. word.TokenIndices.Select(index => answer[index].Token)];
        var first = tokens[0];
        if (tokens.Length == 1)
        {
            return new ExplainedWord
            {
                Word = word,
                VisionMaps = first.VisionMaps,
                TextRelevance = first.TextRelevance,
                RawRange = first.RawRange,
            };
        }

        var range = (
            Minimum: tokens.Min(token => token.RawRange.Minimum),
            Maximum: tokens.Max(token => token.RawRange.Maximum)
        );
        return new ExplainedWord
        {
            Word = word,
            VisionMaps =
            [
                .. first.VisionMaps.Select(
                    (map, block) =>
                        map is null
                            ? null
                            : new ActivationMap(
                                map.Grid,
                                Join(map.Values.Length, token => answer[token].Token.VisionMaps[block]!.Values)
                            )
                ),
            ],
            TextRelevance = ImmutableCollectionsMarshal.AsImmutableArray(
                Join(first.TextRelevance.Length, token => TextOf(token))
            ),
            RawRange = range,
        };

        // A token's relevance of the first one's text. A long text is not all there; what is not, counts as 0.
        ReadOnlyMemory<float> TextOf(int index)
        {
            var (wanted, found) = (answer[word.TokenIndices[0]].TextPositions, answer[index].TextPositions);
            var values = new float[wanted.Count];
            for (var (i, k) = (0, 0); i < wanted.Count; i++)
            {
                while (k < found.Count && found[k] < wanted[i])
                {
                    k++;
                }

                values[i] = k < found.Count && found[k] == wanted[i] ? answer[index].Token.TextRelevance[k] : 0;
            }

            return values;
        }

        float[] Join(int length, Func<int, ReadOnlyMemory<float>> valuesOf)
        {
            var width = (double)range.Maximum - range.Minimum;
            var joined = new float[length];
            if (!(width > 0))
            {
                return joined;
            }

            var isMax = aggregation == WordAggregation.Max;
            var raw = new double[length];
            foreach (var index in word.TokenIndices)
            {
                var token = answer[index].Token;
                var values = valuesOf(index).Span[..length];
                var (minimum, scale) = (
                    (double)token.RawRange.Minimum,
                    (double)token.RawRange.Maximum - token.RawRange.Minimum
                );
                for (var i = 0; i < length; i++)
                {
                    var value = minimum + values[i] * scale;
                    raw[i] = isMax && token != first ? Math.Max(raw[i], value) : raw[i] + value;
                }
            }

            var count = isMax ? 1 : tokens.Length;
            for (var i = 0; i < length; i++)
            {
                joined[i] = (float)Math.Clamp((raw[i] / count - range.Minimum) / width, 0, 1);
            }

            return joined;
        }
    }
}
