namespace Tamx.Testing;

/// <summary>
/// Comparison of float sequences. The tolerance is always the caller's, and NaN equals nothing but NaN.
/// </summary>
public static class FloatAssert
{
    /// <summary>Passes if every element is within an absolute tolerance; names the worst one otherwise.</summary>
    public static void Equal(
        ReadOnlySpan<float> expected,
        ReadOnlySpan<float> actual,
        double tolerance,
        string? what = null
    ) => Equal(Widen(expected), Widen(actual), tolerance, what);

    /// <summary>Passes if every element is within an absolute tolerance; names the worst one otherwise.</summary>
    public static void Equal(
        ReadOnlySpan<double> expected,
        ReadOnlySpan<double> actual,
        double tolerance,
        string? what = null
    )
    {
        var title = what ?? "values";
        if (expected.Length != actual.Length)
        {
            Assert.Fail($"{title}: {actual.Length} elements, {expected.Length} expected");
        }

        var worst = -1;
        double worstDifference = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            var difference = Difference(expected[i], actual[i]);
            if (difference > worstDifference)
            {
                (worst, worstDifference) = (i, difference);
            }
        }

        if (worstDifference > tolerance)
        {
            Assert.Fail(
                $"{title}: index {worst} is {actual[worst]:R}, {expected[worst]:R} expected; off by {worstDifference:G3}, tolerance {tolerance:G3}"
            );
        }
    }

    private static double Difference(double expected, double actual)
    {
        if (expected.Equals(actual))
        {
            return 0;
        }

        var difference = Math.Abs(expected - actual);
        return double.IsNaN(difference) ? double.PositiveInfinity : difference;
    }

    private static double[] Widen(ReadOnlySpan<float> values)
    {
        var wide = new double[values.Length];
        for (var i = 0; i < wide.Length; i++)
        {
            wide[i] = values[i];
        }

        return wide;
    }
}
