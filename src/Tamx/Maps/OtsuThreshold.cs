namespace Tamx;

/// <summary>Otsu's threshold of an 8-bit map.</summary>
/// <remarks>
/// <para>
/// With p_i the share of values equal to i, for each level t: q1 = sum of p_i over i &lt;= t, q2 = 1 - q1, m1 and m2
/// the means of the two classes. The threshold is the t of largest q1 q2 (m1 - m2)^2, and values above it are
/// foreground. Source: Otsu, "A threshold selection method from gray-level histograms", 1979.
/// </para>
/// <para>
/// As in OpenCV (results checked with 4.5.1), the first of equal maxima wins, and m1 is carried from level to level in
/// double precision. A level that leaves a class smaller than 1.2e-7 is passed over. So a map of one value has
/// threshold 0, and is all foreground unless that value is 0.
/// </para>
/// </remarks>
internal static class OtsuThreshold
{
    private const double SmallestClass = 1.1920928955078125e-7;

    /// <summary>The threshold of a map.</summary>
    /// <param name="values">The map's values.</param>
    /// <returns>A level from 0 to 254; values above it are foreground.</returns>
    /// <exception cref="ArgumentException">There are no values.</exception>
    public static int Of(ReadOnlySpan<byte> values)
    {
        if (values.IsEmpty)
        {
            throw new ArgumentException("There are no values.", nameof(values));
        }

        Span<int> histogram = stackalloc int[256];
        histogram.Clear();
        foreach (var value in values)
        {
            histogram[value]++;
        }

        var share = 1.0 / values.Length;
        var mean = 0.0;
        for (var level = 0; level < 256; level++)
        {
            mean += level * (double)histogram[level];
        }

        mean *= share;
        var (lowMean, lowShare, best, threshold) = (0.0, 0.0, 0.0, 0);
        for (var level = 0; level < 256; level++)
        {
            var levelShare = histogram[level] * share;
            lowMean *= lowShare;
            lowShare += levelShare;
            var highShare = 1 - lowShare;
            if (Math.Min(lowShare, highShare) < SmallestClass || Math.Max(lowShare, highShare) > 1 - SmallestClass)
            {
                continue;
            }

            lowMean = (lowMean + (level * levelShare)) / lowShare;
            var highMean = (mean - (lowShare * lowMean)) / highShare;
            var variance = lowShare * highShare * (lowMean - highMean) * (lowMean - highMean);
            if (variance > best)
            {
                (best, threshold) = (variance, level);
            }
        }

        return threshold;
    }
}
