namespace Tamx.Kernels;

/// <summary>What every engine does in <see cref="ITamEngine.SelectTop"/> besides the products.</summary>
public static class TopTokens
{
    /// <summary>Checks what <see cref="ITamEngine.SelectTop"/> is given; engines call it first.</summary>
    /// <param name="states">Hidden states [P, D].</param>
    /// <param name="outputRows">Output-embedding rows [N, D].</param>
    /// <param name="hiddenSize">D.</param>
    /// <param name="firstId">Token id of the first row.</param>
    /// <param name="best">The best tokens so far [P, K].</param>
    /// <param name="logSums">The log sums so far [P].</param>
    /// <returns>K.</returns>
    /// <exception cref="ArgumentException">A length does not fit the others.</exception>
    public static int Validate(
        ReadOnlySpan<float> states, ReadOnlySpan<float> outputRows, int hiddenSize, int firstId, ReadOnlySpan<TokenScore> best, ReadOnlySpan<double> logSums)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(hiddenSize, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(firstId);
        if (states.Length % hiddenSize != 0 || outputRows.Length % hiddenSize != 0 || logSums.Length != states.Length / hiddenSize)
        {
            throw new ArgumentException("States, output rows and sums do not fit each other.");
        }

        if (outputRows.Length / hiddenSize > int.MaxValue - firstId)
        {
            throw new ArgumentException($"From {firstId} on there are not so many ids as output rows.");
        }

        int count = logSums.IsEmpty ? 0 : best.Length / logSums.Length;
        return (long)count * logSums.Length == best.Length && (logSums.IsEmpty || count is >= 1 and <= ITamEngine.MaxTopCount)
            ? count
            : throw new ArgumentException($"There must be from 1 to {ITamEngine.MaxTopCount} tokens per state, equally many for each.");
    }

    /// <summary>Enters a token where it belongs, unless all that are there are better.</summary>
    /// <param name="best">Tokens, the best first; the last one falls out.</param>
    /// <param name="token">The token.</param>
    public static void Insert(Span<TokenScore> best, TokenScore token)
    {
        if (!token.IsBetterThan(best[^1]))
        {
            return;
        }

        int place = best.Length - 1;
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
        double largest = Math.Max(a, b);
        return double.IsNegativeInfinity(largest) ? largest : largest + Math.Log(Math.Exp(a - largest) + Math.Exp(b - largest));
    }
}
