using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;

namespace Tamx.Evaluation;

/// <summary>
/// How an answer's likelihood changes while cells of the picture are greyed out or come back: in the order that maps
/// give, and at random.
/// </summary>
/// <param name="Maps">Whose order.</param>
/// <param name="Deletion">
/// Mean ln p per token with 0, 1/n, ... all cells greyed out, best cells first. A good map lets it fall early: a small
/// area.
/// </param>
/// <param name="Insertion">
/// The same with 0, 1/n, ... all cells shown and the rest grey, best cells first. A good map lets it rise early: a
/// large area.
/// </param>
/// <param name="RandomDeletion">Deletion in random order.</param>
/// <param name="RandomInsertion">Insertion in random order: the reverse order of the same pictures.</param>
/// <remarks>
/// Source: Petsiuk, Das and Saenko, "RISE", 2018. There it is the probability of a class, here the mean log-probability
/// of the answer's tokens.
/// </remarks>
internal sealed record PerturbationCurves(
    MapKind Maps,
    IReadOnlyList<double> Deletion,
    IReadOnlyList<double> Insertion,
    IReadOnlyList<double> RandomDeletion,
    IReadOnlyList<double> RandomInsertion
);

/// <summary>Areas under the curves of one word's probability.</summary>
/// <param name="Deletion">Best cells greyed out first: the lower, the better.</param>
/// <param name="Insertion">Best cells shown first: the higher, the better.</param>
internal readonly record struct PerturbationAreas(double Deletion, double Insertion);

/// <summary>Insertion and deletion curves.</summary>
internal static class PerturbationCurve
{
    /// <summary>Measures the curves of one answer.</summary>
    /// <param name="model">The model.</param>
    /// <param name="sample">Picture and question.</param>
    /// <param name="answer">The answer's token ids.</param>
    /// <param name="maps">Which maps the order comes from.</param>
    /// <param name="order">Cells, best first.</param>
    /// <param name="grid">Rows and columns of cells.</param>
    /// <param name="stepCount">
    /// Steps from the whole picture to none of it, at least 1. The model reads 3 x steps - 1 pictures.
    /// </param>
    /// <param name="seed">Seed of the random order.</param>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    public static async Task<PerturbationCurves> MeasureAsync(
        VisionLanguageModel model,
        EvaluationSample sample,
        IReadOnlyList<int> answer,
        MapKind maps,
        IReadOnlyList<int> order,
        PatchGrid grid,
        int stepCount,
        ulong seed,
        CancellationToken cancellationToken
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stepCount, 1);
        var image = RgbImage.Decode(sample.Picture.Encoded, sample.Picture.Name);
        var whole = await ScoreAsync(0, order).ConfigureAwait(false);
        var none = await ScoreAsync(order.Count, order).ConfigureAwait(false);
        var deletion = await CurveAsync(order).ConfigureAwait(false);

        // Showing the best k cells is greying out all but them, that is the worst n - k first.
        int[] worstFirst = [.. order.Reverse()];
        var insertion = await CurveAsync(worstFirst).ConfigureAwait(false);
        var random = await CurveAsync(new SeededRandom(seed).Permutation(order.Count)).ConfigureAwait(false);
        return new PerturbationCurves(maps, deletion, [.. insertion.Reverse()], random, [.. random.Reverse()]);

        async Task<double[]> CurveAsync(IReadOnlyList<int> cells)
        {
            var values = new double[stepCount + 1];
            (values[0], values[^1]) = (whole, none);
            for (var step = 1; step < stepCount; step++)
            {
                var greyCount = (int)Math.Round((double)step * cells.Count / stepCount);
                values[step] = await ScoreAsync(greyCount, cells).ConfigureAwait(false);
            }

            return values;
        }

        async Task<double> ScoreAsync(int greyCount, IReadOnlyList<int> cells) =>
            (
                await ReadAsync(model, sample, image, answer, grid, cells.Take(greyCount), cancellationToken)
                    .ConfigureAwait(false)
            ).Average();
    }

    /// <summary>Areas under insertion and deletion of an answer's last token, as probabilities.</summary>
    /// <param name="model">The model.</param>
    /// <param name="sample">Picture and question.</param>
    /// <param name="answer">The answer's token ids up to the word's first.</param>
    /// <param name="order">Cells, best first.</param>
    /// <param name="grid">Rows and columns of cells.</param>
    /// <param name="stepCount">Steps, at least 1. The model reads 2 x steps pictures.</param>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    public static async Task<PerturbationAreas> MeasureWordAsync(
        VisionLanguageModel model,
        EvaluationSample sample,
        IReadOnlyList<int> answer,
        IReadOnlyList<int> order,
        PatchGrid grid,
        int stepCount,
        CancellationToken cancellationToken
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stepCount, 1);
        var image = RgbImage.Decode(sample.Picture.Encoded, sample.Picture.Name);
        var (deletion, insertion) = (new double[stepCount + 1], new double[stepCount + 1]);
        for (var step = 0; step <= stepCount; step++)
        {
            var count = (int)Math.Round((double)step * order.Count / stepCount);
            deletion[step] = await ProbabilityAsync(order.Take(count)).ConfigureAwait(false);
            insertion[step] =
                step == stepCount ? deletion[0] : await ProbabilityAsync(order.Skip(count)).ConfigureAwait(false);
        }

        return new PerturbationAreas(MapCheck.Area(deletion), MapCheck.Area(insertion));

        async Task<double> ProbabilityAsync(IEnumerable<int> greyCells) =>
            Math.Exp(
                (
                    await ReadAsync(model, sample, image, answer, grid, greyCells, cancellationToken)
                        .ConfigureAwait(false)
                )[^1]
            );
    }

    /// <summary>ln p of each token of an answer while some cells are grey.</summary>
    private static Task<double[]> ReadAsync(
        VisionLanguageModel model,
        EvaluationSample sample,
        RgbImage image,
        IReadOnlyList<int> answer,
        PatchGrid grid,
        IEnumerable<int> greyCells,
        CancellationToken cancellationToken
    )
    {
        var isGrey = new bool[grid.CellCount];
        foreach (var cell in greyCells)
        {
            isGrey[cell] = true;
        }

        var pixels = PictureEdits.GreyOut(image, grid.Rows, grid.Columns, isGrey);
        var picture = new ImagePart(Bitmap24.Encode(image.Width, image.Height, pixels), sample.Picture.Name);
        ChatTurn[] messages = [new(TurnRole.User, [picture, new TextPart(sample.Prompt)])];
        return GivenAnswer.ReadAsync(model, messages, answer, cancellationToken);
    }
}
