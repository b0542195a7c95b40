namespace Tamx.Kernels;

/// <summary>What all engines share in <see cref="ITamEngine.SelectTop"/>.</summary>
internal static class TopTokens
{
    /// <summary>Inserts a token in its place, unless all tokens of the list are better.</summary>
    /// <param name="best">Tokens, the best first. The last one falls out.</param>
    /// <param name="token">The token.</param>
    public static void Insert(Span<TokenScore> best, TokenScore token)
    {
        if (!token.IsBetterThan(best[^1]))
        {
            return;
        }

        var place = best.Length - 1;
        for (; place > 0 && token.IsBetterThan(best[place - 1]); place--)
        {
            best[place] = best[place - 1];
        }

        best[place] = token;
    }

    /// <summary>ln(exp(a) + exp(b)). Either may be -infinity, the logarithm of an empty sum.</summary>
    /// <param name="a">The logarithm of a sum.</param>
    /// <param name="b">The logarithm of another sum.</param>
    /// <returns>The logarithm of both sums together.</returns>
    public static double Join(double a, double b)
    {
        var largest = Math.Max(a, b);
        return double.IsNegativeInfinity(largest)
            ? largest
            : largest + Math.Log(Math.Exp(a - largest) + Math.Exp(b - largest));
    }
}
