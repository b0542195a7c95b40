namespace Tamx.Evaluation;

/// <summary>What the paper's evaluation makes of a word.</summary>
internal static class PaperLabel
{
    /// <summary>A noun that is no category. Categories are positive.</summary>
    public const int OtherNoun = -1;

    /// <summary>A function word.</summary>
    public const int Function = -2;

    /// <summary>Any other word.</summary>
    public const int Other = -3;
}

/// <summary>
/// The paper's figures for one picture. They are lists, since the figures of a data set are means over all pictures'
/// entries together.
/// </summary>
/// <param name="ObjIou">
/// IoU per noun of a category that the picture holds. Words of one category that follow each other count once.
/// </param>
/// <param name="Precision">Precision of the same words.</param>
/// <param name="Recall">Recall of the same words.</param>
/// <param name="FuncIou">
/// Per function word the share of its map's cells that are below the mean threshold of the nouns.
/// </param>
internal sealed record PaperFigures(
    IReadOnlyList<double> ObjIou,
    IReadOnlyList<double> Precision,
    IReadOnlyList<double> Recall,
    IReadOnlyList<double> FuncIou
);

/// <summary>The evaluation protocol of the paper (arXiv 2506.23270), as its published code computes it.</summary>
/// <remarks>
/// Followed to the letter, oddities included:
/// <list type="bullet">
/// <item>A word of several tokens is represented by the token of best IoU.</item>
/// <item>
/// Thresholds are taken of every noun, also of one whose category the picture does not hold, and averaged for the
/// function words.
/// </item>
/// <item>
/// Nouns are scored at the picture's size. A function word scores the share of cells below that threshold, on the grid
/// of cells; with an empty map it scores 1.
/// </item>
/// <item>
/// When two words in a row name the same category, the last two IoUs are merged to the better one. That holds even when
/// the category is not in the picture and the IoUs belong to earlier words.
/// </item>
/// </list>
/// Where the code divides by zero, the value is 0 here. (Precision of a map without foreground, which turns the data
/// set's mean to NaN.) ROUGE-L and METEOR measure the answer, not the maps, and are left out.
/// </remarks>
internal static class PaperProtocol
{
    /// <summary>
    /// What each word is: the number of the last category that a noun matches, or one of <see cref="PaperLabel"/>.
    /// </summary>
    /// <param name="words">The answer's words.</param>
    /// <param name="categories">The data's categories with their numbers, from 1.</param>
    public static int[] Label(IReadOnlyList<AnswerWord> words, IReadOnlyList<LabelledCategory> categories) =>
        [.. words.Select(word => LabelOf(word.Text, categories))];

    /// <summary>The figures of one picture.</summary>
    /// <param name="words">The answer's words.</param>
    /// <param name="labels">What each word is, as from <see cref="Label"/>.</param>
    /// <param name="maps">
    /// Per token of the answer its map, [rows, columns], as <see cref="ByteMap.FromUnit"/> gives it.
    /// </param>
    /// <param name="rows">Rows of cells.</param>
    /// <param name="columns">Cells per row.</param>
    /// <param name="truth">The category of each pixel.</param>
    public static PaperFigures Evaluate(
        IReadOnlyList<AnswerWord> words,
        IReadOnlyList<int> labels,
        IReadOnlyList<byte[]> maps,
        int rows,
        int columns,
        LabelMap truth
    )
    {
        var scores = new List<RegionOverlap>();
        var thresholds = new List<double>();
        for (var i = 0; i < words.Count; i++)
        {
            if (labels[i] is not (> 0 or PaperLabel.OtherNoun))
            {
                continue;
            }

            byte[][] resized = [.. words[i].TokenIndices.Select(Resized)];
            thresholds.Add(resized.Max(map => OtsuThreshold.Of(map)));
            if (labels[i] > 0)
            {
                var mask = truth.MaskOf([labels[i]]);
                if (mask.Count > 0)
                {
                    var overlaps = resized.Select(map => RegionOverlap.Of(map, OtsuThreshold.Of(map), mask));
                    scores.Add(overlaps.MaxBy(overlap => overlap.Iou));
                }

                if (i > 0 && labels[i - 1] == labels[i] && scores.Count > 1)
                {
                    scores[^2] = scores[^1].Iou > scores[^2].Iou ? scores[^1] : scores[^2];
                    scores.RemoveAt(scores.Count - 1);
                }
            }
        }

        return new PaperFigures(
            [.. scores.Select(score => score.Iou)],
            [.. scores.Select(score => score.Precision)],
            [.. scores.Select(score => score.Recall)],
            thresholds.Count == 0 ? [] : FunctionWords(words, labels, maps, thresholds.Average())
        );

        byte[] Resized(int token) => ByteMap.Resize(maps[token], rows, columns, truth.Height, truth.Width);
    }

    /// <summary>The figures of a data set.</summary>
    /// <param name="pictures">The figures of its pictures.</param>
    public static PaperSummary Summarize(IEnumerable<PaperFigures> pictures)
    {
        PaperFigures[] all = [.. pictures];
        var objIou = Mean(figures => figures.ObjIou);
        var funcIou = Mean(figures => figures.FuncIou);
        var f1 = objIou + funcIou > 0 ? 2 * objIou * funcIou / (objIou + funcIou) : null;
        var precision = Mean(figures => figures.Precision);
        return new PaperSummary(objIou, funcIou, f1, precision, Mean(figures => figures.Recall));

        double? Mean(Func<PaperFigures, IReadOnlyList<double>> values) =>
            all.SelectMany(values).Select(value => (double?)value).Average();
    }

    private static int LabelOf(string word, IReadOnlyList<LabelledCategory> categories) =>
        WordLists.IsFunctionWord(word) ? PaperLabel.Function
        : categories.LastOrDefault(category => NounForms.Matches(category.Name, word)) is { } category ? category.Label
        : WordLists.IsNoun(word) ? PaperLabel.OtherNoun
        : PaperLabel.Other;

    private static double[] FunctionWords(
        IReadOnlyList<AnswerWord> words,
        IReadOnlyList<int> labels,
        IReadOnlyList<byte[]> maps,
        double threshold
    )
    {
        return [.. words.Where((_, i) => labels[i] == PaperLabel.Function).Select(ShareBelow)];

        double ShareBelow(AnswerWord word) =>
            word.TokenIndices.Average(token =>
                (double)maps[token].Count(value => value < threshold) / maps[token].Length
            );
    }
}

/// <summary>The paper's figures for a data set; null where no word counted.</summary>
/// <param name="ObjIou">Mean over all words of all pictures.</param>
/// <param name="FuncIou">Mean over all function words of all pictures.</param>
/// <param name="F1Iou">2 ab / (a + b) of the two means.</param>
/// <param name="Precision">Mean precision.</param>
/// <param name="Recall">Mean recall.</param>
public sealed record PaperSummary(double? ObjIou, double? FuncIou, double? F1Iou, double? Precision, double? Recall);
