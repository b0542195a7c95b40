using System.Numerics.Tensors;

namespace Tamx.Kernels;

/// <summary>
/// What a layer's attention writes into a direction of the residual stream, source position by source position.
/// </summary>
/// <remarks>
/// Head h at position q writes sum over v of a[h, q, v] (V[v] W_O,h). Its part in direction d is the sum of
/// a[h, q, v] (V[v] . u_h) with u = W_O^T d, so each position v has a share of its own.
/// Source: Elhage et al., "A Mathematical Framework for Transformer Circuits", 2021 (direct logit attribution).
/// </remarks>
public static class AttentionEvidence
{
    /// <summary>u += W_O^T d, for some rows of W_O and all directions.</summary>
    /// <param name="outputRows">Rows of W_O [r, Q], row-major; row o writes component o.</param>
    /// <param name="firstRow">The first of them.</param>
    /// <param name="directions">Directions d [n, D].</param>
    /// <param name="hiddenSize">D.</param>
    /// <param name="projected">u [n, Q], which the products are added to.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public static void ProjectBack(
        ReadOnlySpan<float> outputRows,
        int firstRow,
        ReadOnlySpan<float> directions,
        int hiddenSize,
        Span<float> projected
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

        for (var n = 0; n < count; n++)
        {
            var sums = projected.Slice(n * querySize, querySize);
            var direction = directions.Slice((n * hiddenSize) + firstRow, rowCount);
            for (var o = 0; o < rowCount; o++)
            {
                TensorPrimitives.MultiplyAdd(outputRows.Slice(o * querySize, querySize), direction[o], sums, sums);
            }
        }
    }

    /// <summary>scores[v] += a[v] (V[v] . u) for one head and one position.</summary>
    /// <param name="weights">Attention weights a [positions].</param>
    /// <param name="values">Values V of the layer [positions, <paramref name="valueSize"/>], row-major.</param>
    /// <param name="valueSize">Values per position, those of all KV heads.</param>
    /// <param name="firstValue">Where the head's own values begin in a row.</param>
    /// <param name="projected">u of the head [head size].</param>
    /// <param name="scores">Scores [positions], which the products are added to.</param>
    public static void Add(
        ReadOnlySpan<float> weights,
        ReadOnlySpan<float> values,
        int valueSize,
        int firstValue,
        ReadOnlySpan<float> projected,
        Span<double> scores
    )
    {
        for (var v = 0; v < weights.Length; v++)
        {
            if (weights[v] != 0)
            {
                var own = values.Slice((v * valueSize) + firstValue, projected.Length);
                scores[v] += (double)weights[v] * TensorPrimitives.Dot(own, projected);
            }
        }
    }
}
