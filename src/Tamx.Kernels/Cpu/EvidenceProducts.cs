using System.Buffers;
using System.Numerics.Tensors;

namespace Tamx.Kernels.Cpu;

/// <summary>The two products of <see cref="AttentionEvidence"/>, for lengths that fit each other.</summary>
internal abstract class EvidenceProducts
{
    /// <param name="outputRows">W [r, Q].</param>
    /// <param name="directions">The components that these rows write, of the first direction and all others.</param>
    /// <param name="stride">Floats from one direction to the next.</param>
    /// <param name="count">Directions.</param>
    /// <param name="projected">[count, Q].</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    public abstract void ProjectBack(
        ReadOnlySpan<float> outputRows,
        ReadOnlySpan<float> directions,
        int stride,
        int count,
        Span<float> projected,
        CancellationToken cancellationToken
    );

    public abstract void AddShares(
        ReadOnlySpan<float> values,
        int valueSize,
        int firstValue,
        ReadOnlySpan<float> projected,
        IReadOnlyList<ReadOnlyMemory<float>> weights,
        IReadOnlyList<double[]> scores,
        CancellationToken cancellationToken
    );
}

/// <summary>
/// Both with the engine's inner kernel. Threads share out strips of two vectors: columns of W_O, or positions. So no
/// sum is split among them, and a strip stays in the cache while all rows go over it.
/// </summary>
internal sealed unsafe class EvidenceProducts<TSimd, TVector>(Workers workers) : EvidenceProducts
    where TSimd : ISimd<TVector>
    where TVector : struct
{
    private const int TileRows = TileProduct<TSimd, TVector>.RowCount;

    private static int StripWidth => 2 * TSimd.Count;

    public override void ProjectBack(
        ReadOnlySpan<float> outputRows,
        ReadOnlySpan<float> directions,
        int stride,
        int count,
        Span<float> projected,
        CancellationToken cancellationToken
    )
    {
        var querySize = projected.Length / count;
        var rowCount = outputRows.Length / querySize;
        fixed (
            float* fixedRows = outputRows,
                fixedDirections = directions,
                fixedProjected = projected
        )
        {
            var (rows, from, to) = ((nint)fixedRows, (nint)fixedDirections, (nint)fixedProjected);
            workers.Run(
                (querySize + StripWidth - 1) / StripWidth,
                (_, index) =>
                {
                    var first = index * StripWidth;
                    var width = Math.Min(StripWidth, querySize - first);
                    var strip = ArrayPool<float>.Shared.Rent(rowCount * StripWidth);
                    for (var o = 0; o < rowCount; o++)
                    {
                        var lanes = strip.AsSpan(o * StripWidth, StripWidth);
                        new ReadOnlySpan<float>((float*)rows + ((nint)o * querySize) + first, width).CopyTo(lanes);
                        lanes[width..].Clear();
                    }

                    Multiply(
                        (float*)from,
                        stride,
                        count,
                        strip,
                        rowCount,
                        (n, products) =>
                        {
                            var sums = new Span<float>((float*)to + ((nint)n * querySize) + first, width);
                            TensorPrimitives.Add(sums, products[..width], sums);
                        }
                    );
                    ArrayPool<float>.Shared.Return(strip);
                },
                cancellationToken
            );
        }
    }

    public override void AddShares(
        ReadOnlySpan<float> values,
        int valueSize,
        int firstValue,
        ReadOnlySpan<float> projected,
        IReadOnlyList<ReadOnlyMemory<float>> weights,
        IReadOnlyList<double[]> scores,
        CancellationToken cancellationToken
    )
    {
        var headSize = projected.Length / weights.Count;
        var longest = weights.Max(row => row.Length);
        fixed (
            float* fixedValues = values,
                fixedProjected = projected
        )
        {
            var (from, queries) = ((nint)fixedValues, (nint)fixedProjected);
            workers.Run(
                (longest + StripWidth - 1) / StripWidth,
                (_, index) =>
                {
                    var first = index * StripWidth;
                    var width = Math.Min(StripWidth, longest - first);
                    var strip = ArrayPool<float>.Shared.Rent(headSize * StripWidth);
                    for (var lane = 0; lane < StripWidth; lane++)
                    {
                        // Lanes after the last position are read again, and left out below.
                        var position = first + Math.Min(lane, width - 1);
                        var value = (float*)from + ((nint)position * valueSize) + firstValue;
                        for (var d = 0; d < headSize; d++)
                        {
                            strip[(d * StripWidth) + lane] = value[d];
                        }
                    }

                    Multiply(
                        (float*)queries,
                        headSize,
                        weights.Count,
                        strip,
                        headSize,
                        (i, products) =>
                        {
                            var row = weights[i].Span;
                            var sums = scores[i];
                            var end = Math.Min(width, row.Length - first);
                            for (var lane = 0; lane < end; lane++)
                            {
                                sums[first + lane] += (double)row[first + lane] * products[lane];
                            }
                        }
                    );
                    ArrayPool<float>.Shared.Return(strip);
                },
                cancellationToken
            );
        }
    }

    /// <summary>Products of rows with a strip.</summary>
    private delegate void Take(int row, ReadOnlySpan<float> products);

    /// <summary>All rows times a strip [<paramref name="length"/>, lanes].</summary>
    /// <param name="rows">The first row.</param>
    /// <param name="stride">Floats from one row to the next.</param>
    /// <param name="rowCount">Rows.</param>
    /// <param name="strip">The strip.</param>
    /// <param name="length">Values of a row.</param>
    /// <param name="take">Takes each row's products.</param>
    private static void Multiply(float* rows, int stride, int rowCount, float[] strip, int length, Take take)
    {
        var lanes = StripWidth;
        var sums = stackalloc float[TileRows * lanes];
        var lastRows = rowCount % TileRows == 0 ? [] : ArrayPool<float>.Shared.Rent(TileRows * length);
        fixed (float* start = strip)
        fixed (float* last = lastRows)
        {
            for (var first = 0; first < rowCount; first += TileRows)
            {
                var tile = rows + ((nint)first * stride);
                var (tileStride, count) = (stride, rowCount - first);
                if (count < TileRows)
                {
                    // A last tile that is not full is copied first, since memory may end behind its rows.
                    lastRows.AsSpan(0, TileRows * length).Clear();
                    for (var row = 0; row < count; row++)
                    {
                        new ReadOnlySpan<float>(tile + ((nint)row * stride), length).CopyTo(
                            lastRows.AsSpan(row * length)
                        );
                    }

                    tile = last;
                    tileStride = length;
                }

                TileProduct<TSimd, TVector>.Multiply(tile, tileStride, start, lanes, lanes, length, sums, lanes);
                for (var row = 0; row < Math.Min(count, TileRows); row++)
                {
                    take(first + row, new ReadOnlySpan<float>(sums + (row * lanes), lanes));
                }
            }
        }

        if (lastRows.Length > 0)
        {
            ArrayPool<float>.Shared.Return(lastRows);
        }
    }
}
