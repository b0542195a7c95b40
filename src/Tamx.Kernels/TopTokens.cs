namespace Tamx.Kernels;

/// <summary>What every engine does in <see cref="ITamEngine.SelectTop"/> besides the products.</summary>
public static class TopTokens
{
    /// <summary>Enters a token where it belongs, unless all that are there are better.</summary>
    /// <param name="best">Tokens, the best first; the last one falls out.</param>
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

    /// <summary>ln(exp(a) + exp(b)), where either may be -infinity: a sum of nothing.</summary>
    /// <param name="a">The logarithm of a sum.</param>
    /// <param name="b">That of another one.</param>
    /// <returns>That of both together.</returns>
    public static double Join(double a, double b)
    {
        var largest = Math.Max(a, b);
        return double.IsNegativeInfinity(largest) ? largest : largest + Math.Log(Math.Exp(a - largest) + Math.Exp(b - largest));
    }
}
