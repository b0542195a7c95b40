using System.Numerics.Tensors;

namespace Tamx.Llama;

/// <summary>How likely a token was at a step, and which tokens were the likeliest.</summary>
/// <param name="Logit">The token's logit.</param>
/// <param name="LogSum">ln of the sum of exp(logit): a logit minus this is ln of the probability.</param>
/// <param name="Candidates">The best tokens, best first; the lower id where logits are equal.</param>
internal readonly record struct TokenRanking(float Logit, double LogSum, TokenCandidate[] Candidates)
{
    /// <summary>ln of the token's probability.</summary>
    public double LogProbability => Logit - LogSum;

    /// <param name="logits">Logits [vocabulary].</param>
    /// <param name="token">The token.</param>
    /// <param name="candidateCount">How many of the best tokens are wanted.</param>
    /// <exception cref="LlamaException">The best logit is not finite.</exception>
    public static TokenRanking Of(ReadOnlySpan<float> logits, int token, int candidateCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(token);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(token, logits.Length);
        ArgumentOutOfRangeException.ThrowIfNegative(candidateCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(candidateCount, logits.Length);
        var logSum = LogSumExp(logits);
        var best = Best(logits, candidateCount);
        var candidates = new TokenCandidate[candidateCount];
        for (var i = 0; i < candidateCount; i++)
        {
            candidates[i] = new TokenCandidate(best[i], logits[best[i]], (float)Math.Exp(logits[best[i]] - logSum));
        }

        return new TokenRanking(logits[token], logSum, candidates);
    }

    /// <summary>In float64: a vocabulary has 150,000 terms.</summary>
    private static double LogSumExp(ReadOnlySpan<float> logits)
    {
        double max = TensorPrimitives.Max(logits);
        if (!double.IsFinite(max))
        {
            throw new LlamaException("the model's logits are not finite");
        }

        const int PieceSize = 1024;
        Span<double> piece = stackalloc double[PieceSize];
        double sum = 0;
        for (var start = 0; start < logits.Length; start += PieceSize)
        {
            var values = logits[start..Math.Min(logits.Length, start + PieceSize)];
            var terms = piece[..values.Length];
            TensorPrimitives.ConvertTruncating(values, terms);
            TensorPrimitives.Subtract(terms, max, terms);
            TensorPrimitives.Exp(terms, terms);
            sum += TensorPrimitives.Sum<double>(terms);
        }

        return max + Math.Log(sum);
    }

    private static int[] Best(ReadOnlySpan<float> logits, int count)
    {
        // The best so far, with the worst of them on top. Ids ascend, so of equal logits the lower id comes first.
        var queue = new PriorityQueue<int, (float Logit, int MinusId)>(count);
        var worst = float.NegativeInfinity;
        for (var id = 0; id < logits.Length && count > 0; id++)
        {
            if (queue.Count < count)
            {
                queue.Enqueue(id, (logits[id], -id));
            }
            else if (logits[id] > worst)
            {
                queue.DequeueEnqueue(id, (logits[id], -id));
            }
            else
            {
                continue;
            }

            queue.TryPeek(out _, out var top);
            worst = top.Logit;
        }

        var best = new int[count];
        for (var i = count - 1; i >= 0; i--)
        {
            best[i] = queue.Dequeue();
        }

        return best;
    }
}
