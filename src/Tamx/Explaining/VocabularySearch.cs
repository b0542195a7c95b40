using Tamx.Kernels;
using Tamx.Llama;

namespace Tamx;

/// <summary>The likeliest tokens of the whole vocabulary for some hidden states.</summary>
/// <param name="Best">The K best tokens of each state [P, K], best first; among equal ones the lower id first.</param>
/// <param name="LogSums">ln of the sum of exp(logit) over the vocabulary, for each state [P].</param>
internal readonly record struct VocabularySearch(TokenScore[] Best, double[] LogSums)
{
    /// <summary>
    /// Goes through the output embedding once, slice by slice: reads, dequantizes, multiplies with all states.
    /// </summary>
    /// <param name="embedding">The model's output embedding.</param>
    /// <param name="states">Hidden states after the final norm [P, D], finite.</param>
    /// <param name="count">
    /// K: from 1 to <see cref="ITamEngine.MaxTopCount"/>, and no more than there are tokens.
    /// </param>
    /// <param name="engine">The engine that computes the products.</param>
    /// <param name="sliceBytes">
    /// Bytes of a slice of the output embedding in float32. A slice has at least one row.
    /// </param>
    /// <param name="cancellationToken">Cancels by throwing, within one slice.</param>
    /// <exception cref="InvalidInputException">The file cannot be read, or holds NaN or infinities.</exception>
    public static VocabularySearch Run(
        OutputEmbedding embedding,
        ReadOnlySpan<float> states,
        int count,
        ITamEngine engine,
        int sliceBytes = 64 << 20,
        CancellationToken cancellationToken = default
    )
    {
        var size = embedding.HiddenSize;
        var best = new TokenScore[checked(states.Length / size * count)];
        var logSums = new double[states.Length / size];
        Array.Fill(best, TokenScore.None);
        Array.Fill(logSums, double.NegativeInfinity);
        var slice = new float[Math.Min(embedding.TokenCount, Math.Max(1, sliceBytes / (sizeof(float) * size))) * size];
        for (var first = 0; first < embedding.TokenCount; first += slice.Length / size)
        {
            var rows = slice.AsSpan(0, Math.Min(slice.Length / size, embedding.TokenCount - first) * size);
            embedding.ReadSlice(first, rows, cancellationToken);
            if (HiddenRows.IndexOfNonFinite(rows, size) is >= 0 and var index)
            {
                throw new InvalidInputException(
                    $"the model's output embedding holds NaN or an infinity in the row of token id {first + index}; all values must be finite"
                );
            }

            var query = new TopTokenQuery
            {
                HiddenSize = size,
                States = states,
                OutputRows = rows,
                FirstId = first,
                Best = best,
                LogSums = logSums,
            };
            engine.SelectTop(query, cancellationToken);
        }

        return new VocabularySearch(best, logSums);
    }
}
