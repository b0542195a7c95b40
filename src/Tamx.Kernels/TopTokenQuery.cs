namespace Tamx.Kernels;

/// <summary>
/// A call of <see cref="ITamEngine.SelectTop"/>: a slice of a vocabulary, and the results of the slices before. It has
/// spans only, and owns nothing.
/// </summary>
/// <remarks>Shapes: P states, D hidden size, N output rows of the slice, K tokens per state.</remarks>
public readonly ref struct TopTokenQuery
{
    /// <summary>D, at least 1.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Hidden states [P, D].</summary>
    public required ReadOnlySpan<float> States { get; init; }

    /// <summary>Output-embedding rows of the slice [N, D]: those of the ids from <see cref="FirstId"/> on.</summary>
    public required ReadOnlySpan<float> OutputRows { get; init; }

    /// <summary>Token id of the first row, at least 0.</summary>
    public int FirstId { get; init; }

    /// <summary>
    /// In and out: per state the K best tokens so far [P, K], best first, of equal logits the lower id first. K is 1 to
    /// <see cref="ITamEngine.MaxTopCount"/>. Before the first slice, and where there were fewer than K tokens, they are
    /// <see cref="TokenScore.None"/>.
    /// </summary>
    public required Span<TokenScore> Best { get; init; }

    /// <summary>
    /// In and out: ln of the sum of exp(logit) over all tokens so far [P]. Before the first slice it is -infinity. A
    /// token's probability is exp(logit - log sum).
    /// </summary>
    public required Span<double> LogSums { get; init; }

    /// <summary>P.</summary>
    public int StateCount => LogSums.Length;

    /// <summary>N.</summary>
    public int OutputRowCount => OutputRows.Length / HiddenSize;

    /// <summary>K; 0 where there are no states.</summary>
    public int TopCount => LogSums.IsEmpty ? 0 : Best.Length / LogSums.Length;

    /// <summary>The best tokens of one state [K], in and out.</summary>
    /// <param name="state">Its index.</param>
    public Span<TokenScore> BestOf(int state) => Best.Slice(state * TopCount, TopCount);

    /// <summary>Checks that all parts fit each other. Engines call it first.</summary>
    /// <exception cref="ArgumentException">Something does not fit; the message names it.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(HiddenSize, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(FirstId);
        if (
            States.Length % HiddenSize != 0
            || OutputRows.Length % HiddenSize != 0
            || LogSums.Length != States.Length / HiddenSize
        )
        {
            throw new ArgumentException("States, output rows and sums do not fit each other.");
        }

        if (OutputRowCount > int.MaxValue - FirstId)
        {
            throw new ArgumentException($"From {FirstId} on there are not so many ids as output rows.");
        }

        if (
            (long)TopCount * StateCount != Best.Length
            || (StateCount > 0 && TopCount is < 1 or > ITamEngine.MaxTopCount)
        )
        {
            throw new ArgumentException(
                $"There must be from 1 to {ITamEngine.MaxTopCount} tokens per state, equally many for each."
            );
        }
    }
}
