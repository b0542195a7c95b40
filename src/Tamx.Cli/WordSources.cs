using System.ComponentModel;
using System.Globalization;

namespace Tamx.Cli;

/// <summary>A word of an answer about a picture, and what it came from most.</summary>
internal sealed record WordSources(
    string Word,
    [property: Description(
        "From 0 to 1: the greatest value of the word's map, against that of the answer's strongest word. Words that name things in the picture have much of it."
    )]
        double Strength,
    [property: Description("The cells of the picture that it came from most, in the picture's pixels.")]
        IReadOnlyList<PictureSource> Picture,
    [property: Description("The words before it that it came from most.")] IReadOnlyList<TextSource> Text
)
{
    private const int MostSources = 3;

    /// <summary>The answer's words, without its thought.</summary>
    public static IEnumerable<ExplainedWord> WordsOf(Explanation explanation) =>
        explanation.Maps.Words.Where(word =>
            word.Word.Text.Length > 0 && word.Word.TokenIndices[0] >= explanation.Maps.Layout.ThoughtCount
        );

    /// <summary>A word of the answer.</summary>
    /// <param name="explanation">The answer.</param>
    /// <param name="text">The word; case, and blanks around it, do not matter.</param>
    /// <param name="occurrence">Which of several, from 1.</param>
    /// <exception cref="InvalidInputException">There is no such word.</exception>
    public static ExplainedWord Find(Explanation explanation, string text, int occurrence)
    {
        ExplainedWord[] all = [.. WordsOf(explanation)];
        ExplainedWord[] found =
        [
            .. all.Where(word => word.Word.Text.Equals(text.Trim(), StringComparison.OrdinalIgnoreCase)),
        ];
        return found.ElementAtOrDefault(occurrence - 1)
            ?? throw new InvalidInputException(
                found.Length > 0
                    ? $"occurrence is {occurrence}; the answer has \"{text}\" {found.Length} times"
                    : $"the answer has no word \"{text}\"; its words are: {string.Join(' ', all.Select(word => word.Word.Text))}"
            );
    }

    public static WordSources Of(Explanation explanation, ExplainedWord word)
    {
        var strongest = WordsOf(explanation).Max(PeakOf);
        return new WordSources(
            word.Word.Text,
            strongest > 0 ? Rounded(Math.Clamp(PeakOf(word) / strongest, 0, 1)) : 0,
            PictureOf(explanation, word),
            TextOf(explanation, word)
        );
    }

    /// <summary>A sentence for a reader.</summary>
    public string ToText()
    {
        var text = string.Join(
            ", ",
            Text.Select(source => $"\"{source.Text}\" ({source.From}, {Shown(source.Value)})")
        );
        var places = string.Join(
            ", ",
            Picture.Select(place =>
                $"{place.X}, {place.Y} ({place.Width} x {place.Height} pixels, {Shown(place.Value)})"
            )
        );
        return $"\"{Word}\" came from the picture at {(places.Length > 0 ? places : "no place")}; "
            + $"from the words {(text.Length > 0 ? text : "none")}.";
    }

    private static double PeakOf(ExplainedWord word)
    {
        var (least, most) = word.RawRange;
        return word.VisionMaps[0] is { } map ? least + (map.Peak.Value * ((double)most - least)) : 0;
    }

    private static PictureSource[] PictureOf(Explanation explanation, ExplainedWord word)
    {
        if (word.VisionMaps[0] is not { } map)
        {
            return [];
        }

        var (picture, grid, values) = (explanation.Trace.Pictures[0], map.Grid, map.Values.ToArray());
        return
        [
            .. Enumerable
                .Range(0, values.Length)
                .Where(cell => values[cell] > 0)
                .OrderByDescending(cell => values[cell])
                .Take(MostSources)
                .Select(cell =>
                {
                    var (row, column) = Math.DivRem(cell, grid.Columns);
                    var (x, right) = (
                        Edge(column, grid.Columns, picture.Width),
                        Edge(column + 1, grid.Columns, picture.Width)
                    );
                    var (y, bottom) = (Edge(row, grid.Rows, picture.Height), Edge(row + 1, grid.Rows, picture.Height));
                    return new PictureSource(x, y, right - x, bottom - y, Rounded(values[cell]));
                }),
        ];

        static int Edge(int cell, int cells, int pixels) => (int)Math.Round((double)cell * pixels / cells);
    }

    private static TextSource[] TextOf(Explanation explanation, ExplainedWord word)
    {
        var positions = explanation.Maps.Answer[word.Word.TokenIndices[0]].TextPositions;
        var relevance = new Dictionary<int, float>();
        for (var i = 0; i < positions.Count; i++)
        {
            relevance[positions[i]] = word.TextRelevance[i];
        }

        return
        [
            .. TextWordsOf(explanation)
                .Select(source => new TextSource(
                    source.Text,
                    source.From,
                    Rounded(source.Positions.Max(position => relevance.GetValueOrDefault(position)))
                ))
                .Where(source => source.Value > 0)
                .OrderByDescending(source => source.Value)
                .Take(MostSources),
        ];
    }

    /// <summary>The conversation's words, and the answer's.</summary>
    private static IEnumerable<(string Text, string From, int[] Positions)> TextWordsOf(Explanation explanation)
    {
        var (trace, layout) = (explanation.Trace, explanation.Maps.Layout);
        var context = layout.ContextPositions.ToHashSet();
        foreach (var turn in layout.Turns)
        {
            int[] positions = [.. turn.TextPositions.Where(context.Contains)];
            var words = AnswerWord.Group([
                .. positions.Select(position => trace.FindBytes(trace.TokenIds[position]) ?? default),
            ]);
            foreach (var word in words.Where(word => word.Text.Length > 0))
            {
                yield return (word.Text, turn.Role, [.. word.TokenIndices.Select(index => positions[index])]);
            }
        }

        foreach (var word in explanation.Maps.Words.Where(word => word.Word.Text.Length > 0))
        {
            yield return (
                word.Word.Text,
                "answer",
                [.. word.Word.TokenIndices.Select(index => layout.AnswerPositions[index])]
            );
        }
    }

    private static double Rounded(double value) => Math.Round(value, 3);

    private static string Shown(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
