namespace Tamx.Evaluation;

/// <summary>Sum and number of the values that one picture contributes to a mean.</summary>
/// <param name="Sum">Their sum.</param>
/// <param name="Count">Their number.</param>
internal readonly record struct Contribution(double Sum, int Count);

/// <summary>A mean with its confidence interval.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="Low">Lower end of the 95 % interval.</param>
/// <param name="High">Upper end of the 95 % interval.</param>
internal readonly record struct BootstrapInterval(double Mean, double Low, double High)
{
    /// <summary>The mean of all pictures' values, and the interval by the percentile bootstrap (Efron, 1979).</summary>
    /// <param name="pictures">
    /// What each picture contributes. Pictures are drawn, not values: a picture's words depend on each other.
    /// </param>
    /// <param name="resampleCount">How often to draw, at least 1.</param>
    /// <param name="seed">Seed of the drawing; the same gives the same interval everywhere.</param>
    /// <returns>
    /// The interval from the 2.5th to the 97.5th percentile of the means (nearest rank), or null without a value.
    /// </returns>
    public static BootstrapInterval? Of(IReadOnlyList<Contribution> pictures, int resampleCount = 1000, ulong seed = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(resampleCount, 1);
        Contribution[] drawn = [.. pictures.Where(picture => picture.Count > 0)];
        if (drawn.Length == 0)
        {
            return null;
        }

        var random = new SeededRandom(seed);
        var means = new double[resampleCount];
        for (var i = 0; i < means.Length; i++)
        {
            var (sum, count) = (0.0, 0);
            for (var j = 0; j < drawn.Length; j++)
            {
                var picture = drawn[random.Next(drawn.Length)];
                sum += picture.Sum;
                count += picture.Count;
            }

            means[i] = sum / count;
        }

        Array.Sort(means);
        var mean = drawn.Sum(picture => picture.Sum) / drawn.Sum(picture => picture.Count);
        return new BootstrapInterval(mean, Percentile(0.025), Percentile(0.975));

        double Percentile(double share) =>
            means[(int)Math.Clamp(Math.Ceiling(share * means.Length) - 1, 0, means.Length - 1)];
    }
}
