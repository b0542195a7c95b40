namespace Tamx.Evaluation;

/// <summary>A word of a generated answer that is scored.</summary>
/// <param name="Word">The word.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Labels">Labels of the objects it stands for; empty for a function word, which stands for none.</param>
internal sealed record MatchedWord(AnswerWord Word, WordKind Kind, IReadOnlyList<int> Labels);

/// <summary>Finds the words of a generated answer that something is known about.</summary>
internal static class WordMatching
{
    /// <summary>Finds a sample's words: by its expected words where it has them, else by its categories.</summary>
    /// <param name="words">The generated words.</param>
    /// <param name="sample">The sample.</param>
    public static IReadOnlyList<MatchedWord> Match(IReadOnlyList<AnswerWord> words, EvaluationSample sample) =>
        sample.Words is { } expected ? MatchExpected(words, expected) : MatchCategories(words, sample.Categories);

    /// <summary>
    /// Lines the generated words up with the expected ones (longest common subsequence, letter by letter). What the
    /// model wrote instead of an expected word, or besides, is not scored: nobody knows what it should show.
    /// </summary>
    private static List<MatchedWord> MatchExpected(
        IReadOnlyList<AnswerWord> words,
        IReadOnlyList<ExpectedWord> expected
    )
    {
        // common[i, j]: words in common from generated word i and expected word j on.
        var common = new int[words.Count + 1, expected.Count + 1];
        for (var i = words.Count - 1; i >= 0; i--)
        {
            for (var j = expected.Count - 1; j >= 0; j--)
            {
                common[i, j] =
                    words[i].Text == expected[j].Text
                        ? common[i + 1, j + 1] + 1
                        : Math.Max(common[i + 1, j], common[i, j + 1]);
            }
        }

        var matched = new List<MatchedWord>();
        for (int i = 0, j = 0; i < words.Count && j < expected.Count; )
        {
            if (words[i].Text == expected[j].Text)
            {
                matched.Add(new MatchedWord(words[i], expected[j].Kind, expected[j].Labels));
                i++;
                j++;
            }
            else if (common[i + 1, j] >= common[i, j + 1])
            {
                i++;
            }
            else
            {
                j++;
            }
        }

        return matched;
    }

    private static List<MatchedWord> MatchCategories(
        IReadOnlyList<AnswerWord> words,
        IReadOnlyList<LabelledCategory> categories
    )
    {
        var labels = PaperProtocol.Label(words, categories);
        var matched = new List<MatchedWord>();
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] > 0)
            {
                matched.Add(new MatchedWord(words[i], WordKind.Noun, [labels[i]]));
            }
            else if (labels[i] == PaperLabel.Function)
            {
                matched.Add(new MatchedWord(words[i], WordKind.Function, []));
            }
        }

        return matched;
    }
}
