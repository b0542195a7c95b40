using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx;

/// <summary>
/// Whether a word depends on what its map lights: its probability while the picture's cells are greyed out, or shown
/// on grey, in the map's order and at random.
/// </summary>
/// <remarks>
/// Source: Petsiuk, Das and Saenko, "RISE", 2018 (deletion and insertion). The answer stays as it was written, and the
/// model reads it again for each picture.
/// </remarks>
public sealed record MapCheck
{
    /// <summary>The word's index in <see cref="ActivationMaps.Words"/>.</summary>
    public required int WordIndex { get; init; }

    /// <summary>The word.</summary>
    public required string Text { get; init; }

    /// <summary>Probability with 0, 1/n, ... all cells grey, the map's best first. It should fall early.</summary>
    public required IReadOnlyList<double> Deletion { get; init; }

    /// <summary>Probability with 0, 1/n, ... all cells shown, the map's best first. It should rise early.</summary>
    public required IReadOnlyList<double> Insertion { get; init; }

    /// <summary>Deletion in a random order.</summary>
    public required IReadOnlyList<double> RandomDeletion { get; init; }

    /// <summary>Insertion in that order reversed.</summary>
    public required IReadOnlyList<double> RandomInsertion { get; init; }

    /// <summary>Probability with the map's best fifth of the cells greyed out.</summary>
    public required double WithoutBestFifth { get; init; }

    /// <summary>Probability with a random fifth of the cells greyed out.</summary>
    public required double WithoutRandomFifth { get; init; }

    /// <summary>Area under <see cref="Deletion"/>: the lower, the better.</summary>
    public double DeletionArea => Area(Deletion);

    /// <summary>Area under <see cref="Insertion"/>: the higher, the better.</summary>
    public double InsertionArea => Area(Insertion);

    /// <summary>The finding in words.</summary>
    public string Sentence =>
        string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"Hiding the lit fifth of the picture takes \"{Text}\" from {Percent(Deletion[0])} to {Percent(WithoutBestFifth)}; a random fifth leaves {Percent(WithoutRandomFifth)}."
        );

    /// <summary>The area under a curve over [0, 1] with values at equal distances: the trapezoidal rule.</summary>
    /// <param name="values">At least two values.</param>
    /// <exception cref="ArgumentException">There are fewer than two values.</exception>
    public static double Area(IReadOnlyList<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return values.Count >= 2
            ? (values.Sum() - ((values[0] + values[^1]) / 2)) / (values.Count - 1)
            : throw new ArgumentException("a curve has at least two values", nameof(values));
    }

    /// <summary>The cells of a map from the largest value to the smallest; equal ones in reading order.</summary>
    /// <param name="map">The map.</param>
    public static int[] BestFirst(IReadOnlyList<float> map)
    {
        ArgumentNullException.ThrowIfNull(map);
        return [.. Enumerable.Range(0, map.Count).OrderByDescending(cell => map[cell])];
    }

    /// <summary>Checks the map of a word on the last picture before it.</summary>
    /// <param name="model">The model that gave the answer.</param>
    /// <param name="messages">The conversation that was explained.</param>
    /// <param name="maps">Its maps.</param>
    /// <param name="wordIndex">The word's index in <see cref="ActivationMaps.Words"/>.</param>
    /// <param name="stepCount">
    /// Steps from the whole picture to none of it, at least 1. The model reads about 3 x steps pictures.
    /// </param>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    /// <returns>The check; null if no picture stands before the word.</returns>
    /// <exception cref="LlamaException">llama.cpp failed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task<MapCheck?> MeasureAsync(
        VisionLanguageModel model,
        IReadOnlyList<ChatTurn> messages,
        ActivationMaps maps,
        int wordIndex,
        int stepCount = 8,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(maps);
        ArgumentOutOfRangeException.ThrowIfLessThan(stepCount, 1);
        if (MaskedPicture.Of(model, messages, maps, wordIndex) is not { } picture)
        {
            return null;
        }

        var best = BestFirst(picture.Map.Values.ToArray());
        int[] random = [.. best.Order()];
        new Random(wordIndex + 1).Shuffle(random);

        var whole = await ProbabilityAsync([]).ConfigureAwait(false);
        var none = await ProbabilityAsync(best).ConfigureAwait(false);
        var deletion = await CurveAsync(best).ConfigureAwait(false);

        // Showing the best k cells is greying out all but them, that is the worst n - k first.
        var insertion = await CurveAsync([.. best.Reverse()]).ConfigureAwait(false);
        var randomDeletion = await CurveAsync(random).ConfigureAwait(false);
        var fifth = Math.Max(1, (int)Math.Round(best.Length / 5.0));
        return new MapCheck
        {
            WordIndex = wordIndex,
            Text = maps.Words[wordIndex].Word.Text,
            Deletion = deletion,
            Insertion = [.. insertion.Reverse()],
            RandomDeletion = randomDeletion,
            RandomInsertion = [.. randomDeletion.Reverse()],
            WithoutBestFifth = await ProbabilityAsync(best.Take(fifth)).ConfigureAwait(false),
            WithoutRandomFifth = await ProbabilityAsync(random.Take(fifth)).ConfigureAwait(false),
        };

        async Task<double[]> CurveAsync(int[] order)
        {
            var values = new double[stepCount + 1];
            (values[0], values[^1]) = (whole, none);
            for (var step = 1; step < stepCount; step++)
            {
                var count = (int)Math.Round((double)step * order.Length / stepCount);
                values[step] = await ProbabilityAsync(order.Take(count)).ConfigureAwait(false);
            }

            return values;
        }

        Task<double> ProbabilityAsync(IEnumerable<int> greyCells) =>
            picture.ProbabilityAsync(greyCells, cancellationToken);
    }

    private static string Percent(double probability) =>
        probability.ToString(probability < 0.01 ? "P1" : "P0", System.Globalization.CultureInfo.InvariantCulture);
}
