using System.Runtime.Intrinsics;
using Tamx.Kernels.Cpu;

namespace Tamx.Kernels;

/// <summary>
/// What a layer's attention writes into directions of the residual stream, source position by source position.
/// </summary>
/// <remarks>
/// <para>
/// Head h at position q writes sum over v of a[h, q, v] (V[v] W_O,h). Its part in direction d is the sum of
/// a[h, q, v] (V[v] . u_h) with u = W_O^T d, so each position v has a share of its own.
/// Source: Elhage et al., "A Mathematical Framework for Transformer Circuits", 2021 (direct logit attribution).
/// </para>
/// <para>
/// Products are sums in float32, shares are added up in float64. Results do not depend on the number of threads. Used
/// by one thread at a time.
/// </para>
/// </remarks>
/// <param name="threadCount">Most threads to use, at least 1.</param>
public sealed class AttentionEvidence(int threadCount)
{
    private readonly EvidenceProducts _products = WidestOf(new Workers(threadCount));

    /// <summary>u += W_O^T d, for some rows of W_O and all directions.</summary>
    /// <param name="outputRows">Rows of W_O [r, Q], row-major; row o writes component o.</param>
    /// <param name="firstRow">The first of them.</param>
    /// <param name="directions">Directions d [n, D], row-major.</param>
    /// <param name="hiddenSize">D.</param>
    /// <param name="projected">u [n, Q], which the products are added to.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="OperationCanceledException">Cancelled. The sums are undefined.</exception>
    public void ProjectBack(
        ReadOnlySpan<float> outputRows,
        int firstRow,
        ReadOnlySpan<float> directions,
        int hiddenSize,
        Span<float> projected,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(hiddenSize, 1);
        var count = directions.Length / hiddenSize;
        if (count == 0)
        {
            return;
        }

        var querySize = projected.Length / count;
        var rowCount = querySize == 0 ? 0 : outputRows.Length / querySize;
        if (
            directions.Length != count * hiddenSize
            || projected.Length != count * querySize
            || outputRows.Length != rowCount * querySize
            || firstRow < 0
            || firstRow > hiddenSize - rowCount
        )
        {
            throw new ArgumentException(
                $"{outputRows.Length} values from row {firstRow} on, {directions.Length} of directions and "
                    + $"{projected.Length} of results do not fit a hidden size of {hiddenSize}."
            );
        }

        _products.ProjectBack(outputRows, directions[firstRow..], hiddenSize, count, projected, cancellationToken);
    }

    /// <summary>scores[i][v] += a[i][v] (V[v] . u[i]): the shares of some queries that read the same values.</summary>
    /// <param name="values">Values V of the layer [positions, <paramref name="valueSize"/>], row-major.</param>
    /// <param name="valueSize">Values per position, those of all KV heads.</param>
    /// <param name="firstValue">Where the values that are read begin in a row.</param>
    /// <param name="projected">u [n, head size], row-major.</param>
    /// <param name="weights">
    /// Attention weights a, one entry per query, each over the positions from the first; they may differ in length.
    /// </param>
    /// <param name="scores">
    /// Scores, one entry per query, which the products are added to; as long as its weights, or longer. Several queries
    /// may have the same one.
    /// </param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="OperationCanceledException">Cancelled. The scores are undefined.</exception>
    public void AddShares(
        ReadOnlySpan<float> values,
        int valueSize,
        int firstValue,
        ReadOnlySpan<float> projected,
        IReadOnlyList<ReadOnlyMemory<float>> weights,
        IReadOnlyList<double[]> scores,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentOutOfRangeException.ThrowIfLessThan(valueSize, 1);
        if (weights.Count == 0)
        {
            return;
        }

        var headSize = projected.Length / weights.Count;
        var longest = weights.Max(row => row.Length);
        if (
            headSize == 0
            || projected.Length != headSize * weights.Count
            || scores.Count != weights.Count
            || firstValue < 0
            || firstValue > valueSize - headSize
            || values.Length / valueSize < longest
            || weights.Zip(scores).Any(pair => pair.First.Length > pair.Second.Length)
        )
        {
            throw new ArgumentException(
                $"{values.Length} values, {projected.Length} of {weights.Count} queries and {scores.Count} scores do "
                    + $"not fit {valueSize} values per position from {firstValue} on."
            );
        }

        _products.AddShares(values, valueSize, firstValue, projected, weights, scores, cancellationToken);
    }

    private static EvidenceProducts WidestOf(Workers workers) =>
        Vector512.IsHardwareAccelerated ? new EvidenceProducts<Simd512, Vector512<float>>(workers)
        : Vector256.IsHardwareAccelerated ? new EvidenceProducts<Simd256, Vector256<float>>(workers)
        : new EvidenceProducts<Simd128, Vector128<float>>(workers);
}
