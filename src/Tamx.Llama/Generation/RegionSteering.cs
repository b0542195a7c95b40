using System.Numerics.Tensors;

namespace Tamx.Llama;

/// <summary>Steers logits to what a region of a picture speaks for (<see cref="RegionUse.LookAt"/>).</summary>
/// <remarks>
/// <para>
/// v is the mean of the hidden states over some cells. W v of the region is what it speaks for, and W (v - v of
/// the whole picture) what it speaks for more than the picture does. Each less its mean over the vocabulary, in its
/// standard deviations, they add up to z. A token's push is s = max(0, z) / max z: 1 for what the region speaks for
/// most. So alpha is what that token's logit gains at most, whatever the model.
/// </para>
/// <para>
/// The gate is g = max(0, 1 - ln(p best / p) / 30), so that a token gets the less, the less likely it is where the
/// model stands; and 0 for a token that the answer has already, which was said.
/// </para>
/// </remarks>
internal sealed class RegionSteering
{
    /// <summary>A token whose logit is this much below the best one's gets nothing.</summary>
    private const float GateWidth = 30;

    private readonly float[] _push;

    private RegionSteering(float[] push) => _push = push;

    /// <summary>Reads the whole output embedding.</summary>
    /// <param name="region">The region.</param>
    /// <param name="picture">Its picture in the prompt; of one in tiles, the whole.</param>
    /// <param name="cells">Hidden states of the picture's cells, after the final norm [cells, hidden size].</param>
    /// <param name="embedding">The output embedding.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    public static RegionSteering Of(
        PictureRegion region,
        PromptPicture picture,
        ReadOnlySpan<float> cells,
        OutputEmbedding embedding,
        CancellationToken cancellationToken
    )
    {
        var (rows, columns) = (picture.Rows, picture.Columns);
        var coverage = region.Box.Coverage(rows, columns);
        var (all, inside) = (new double[picture.TokenCount], new double[picture.TokenCount]);
        for (var cell = 0; cell < coverage.Length; cell++)
        {
            all[picture.SequenceIndexOf(cell)] = 1;
            inside[picture.SequenceIndexOf(cell)] = coverage[cell];
        }

        var (whole, own) = (MeanOf(cells, all), MeanOf(cells, inside));
        double[] more = [.. own.Zip(whole, (one, other) => one - other)];

        // A region that is all of the picture speaks for nothing more than it; what is left is rounding.
        var isPart = TensorPrimitives.Norm<double>(more) > 1e-4 * TensorPrimitives.Norm<double>(whole);
        var push = new float[embedding.TokenCount];
        foreach (var products in Multiply(embedding, isPart ? [own, more] : [own], cancellationToken))
        {
            TensorPrimitives.Add(push, Standardize(products), push);
        }

        var most = TensorPrimitives.Max(push);
        return new RegionSteering(
            Array.ConvertAll(push, value => most > 0 ? region.Alpha * Math.Max(0, value) / most : 0)
        );
    }

    /// <summary>The logits with the region's push.</summary>
    /// <param name="logits">The model's own [vocabulary].</param>
    /// <param name="answer">The answer's tokens so far.</param>
    public float[] Apply(ReadOnlySpan<float> logits, ReadOnlySpan<int> answer)
    {
        var steered = logits.ToArray();
        var best = TensorPrimitives.Max(logits);
        for (var token = 0; token < steered.Length; token++)
        {
            var gate = Math.Max(0, 1 - ((best - logits[token]) / GateWidth));
            steered[token] += gate * _push[token];
        }

        foreach (var token in answer)
        {
            steered[token] = logits[token];
        }

        return steered;
    }

    private static double[] MeanOf(ReadOnlySpan<float> cells, double[] weights)
    {
        var sums = new double[cells.Length / weights.Length];
        for (var cell = 0; cell < weights.Length; cell++)
        {
            for (var d = 0; d < sums.Length && weights[cell] > 0; d++)
            {
                sums[d] += weights[cell] * cells[(cell * sums.Length) + d];
            }
        }

        var total = weights.Sum();
        return Array.ConvertAll(sums, sum => sum / total);
    }

    /// <summary>W v [vocabulary] of each vector, in one reading.</summary>
    private static float[][] Multiply(
        OutputEmbedding embedding,
        double[][] vectors,
        CancellationToken cancellationToken
    )
    {
        const int SliceRows = 1024;
        var size = embedding.HiddenSize;
        float[][] directions = [.. vectors.Select(vector => Array.ConvertAll(vector, value => (float)value))];
        float[][] products = [.. vectors.Select(_ => new float[embedding.TokenCount])];
        var slice = new float[SliceRows * size];
        for (var first = 0; first < embedding.TokenCount; first += SliceRows)
        {
            var count = Math.Min(SliceRows, embedding.TokenCount - first);
            embedding.ReadSlice(first, slice.AsSpan(0, count * size), cancellationToken);
            for (var i = 0; i < count; i++)
            {
                var row = slice.AsSpan(i * size, size);
                for (var v = 0; v < directions.Length; v++)
                {
                    products[v][first + i] = TensorPrimitives.Dot(row, directions[v]);
                }
            }
        }

        return products;
    }

    /// <summary>Values less their mean, in standard deviations.</summary>
    private static float[] Standardize(float[] values)
    {
        var mean = values.Average(value => (double)value);
        var deviation = Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
        return Array.ConvertAll(values, value => deviation > 0 ? (float)((value - mean) / deviation) : 0);
    }
}
