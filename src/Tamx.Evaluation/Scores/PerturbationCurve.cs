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

/// <summary>Insertion and deletion curves.</summary>
internal static class PerturbationCurve
{
    private const byte Grey = 128;

    /// <summary>The area under a curve over [0, 1] with values at equal distances: the trapezoidal rule.</summary>
    /// <param name="values">At least two values.</param>
    /// <exception cref="ArgumentException">There are fewer than two values.</exception>
    public static double Area(IReadOnlyList<double> values) =>
        values.Count >= 2
            ? (values.Sum() - ((values[0] + values[^1]) / 2)) / (values.Count - 1)
            : throw new ArgumentException("a curve has at least two values", nameof(values));

    /// <summary>The cells of a map from the largest value to the smallest; equal ones in reading order.</summary>
    /// <param name="map">The map.</param>
    public static int[] BestFirst(IReadOnlyList<float> map) =>
        [.. Enumerable.Range(0, map.Count).OrderByDescending(cell => map[cell])];

    /// <summary>A picture with some of its cells in middle grey.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="rows">Rows of cells.</param>
    /// <param name="columns">Cells per row.</param>
    /// <param name="isGrey">Per cell, row-major, whether it is greyed out.</param>
    /// <returns>Red, green and blue bytes, [height, width, 3].</returns>
    public static byte[] GreyOut(RgbImage image, int rows, int columns, IReadOnlyList<bool> isGrey)
    {
        var pixels = image.Pixels.ToArray();
        for (var y = 0; y < image.Height; y++)
        {
            var row = CellGeometry.CellOf(y, image.Height, rows) * columns;
            for (var x = 0; x < image.Width; x++)
            {
                if (isGrey[row + CellGeometry.CellOf(x, image.Width, columns)])
                {
                    pixels.AsSpan(((y * image.Width) + x) * 3, 3).Fill(Grey);
                }
            }
        }

        return pixels;
    }

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

        async Task<double> ScoreAsync(int greyCount, IReadOnlyList<int> cells)
        {
            var isGrey = new bool[cells.Count];
            foreach (var cell in cells.Take(greyCount))
            {
                isGrey[cell] = true;
            }

            var pixels = GreyOut(image, grid.Rows, grid.Columns, isGrey);
            var picture = new ImagePart(Bitmap24.Encode(image.Width, image.Height, pixels), sample.Picture.Name);
            ChatTurn[] turns = [new(TurnRole.User, [picture, new TextPart(sample.Prompt)])];
            using var completion = model.CreateCompletion(turns, answer);
            var sum = 0.0;
            await foreach (var token in completion.GenerateAsync(cancellationToken).ConfigureAwait(false))
            {
                sum += token.LogProbability;
            }

            return sum / answer.Count;
        }
    }
}
