using Tamx.Llama.Gguf;

namespace Tamx.Llama;

/// <summary>
/// The norm before the output embedding (RMSNorm): h = x / rms(x) * weight. Applied to the residual stream of an
/// earlier layer it gives the hidden state that a logit lens reads.
/// </summary>
/// <remarks>Source: nostalgebraist, "interpreting GPT: the logit lens", 2020. Immutable.</remarks>
public sealed class OutputNorm
{
    private readonly float[] _weight;
    private readonly double _epsilon;

    /// <summary>Reads a checked model's <c>output_norm.weight</c>.</summary>
    /// <param name="facts">The model.</param>
    /// <exception cref="ModelFormatException">The file can no longer be read as it was when it was opened.</exception>
    public OutputNorm(ModelFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        _weight = new TensorRows(facts.OutputNorm).Read([0]);
        _epsilon = facts.NormEpsilon;
    }

    /// <summary>A norm in any file.</summary>
    /// <param name="tensor">The weights.</param>
    /// <param name="epsilon">What is added to the mean square.</param>
    /// <param name="offset">What is added to each weight.</param>
    /// <exception cref="ModelFormatException">The tensor cannot be read.</exception>
    internal OutputNorm(GgufTensor tensor, double epsilon, float offset)
    {
        _weight = Array.ConvertAll(new TensorRows(tensor).Read([0]), weight => weight + offset);
        _epsilon = epsilon;
    }

    /// <summary>The weight of each value [hidden size].</summary>
    public ReadOnlySpan<float> Weight => _weight;

    /// <summary>1 / rms of a row of the residual stream.</summary>
    /// <param name="residual">The row [hidden size].</param>
    public float Scale(ReadOnlySpan<float> residual)
    {
        double squares = 0;
        foreach (var value in residual)
        {
            squares += (double)value * value;
        }

        return (float)(1 / Math.Sqrt((squares / residual.Length) + _epsilon));
    }

    /// <summary>Applies the norm to rows.</summary>
    /// <param name="residual">Rows of the residual stream [n, hidden size], row-major.</param>
    /// <param name="hiddenStates">Receives the hidden states [n, hidden size]. It may be the same memory.</param>
    /// <exception cref="ArgumentException">The two differ in length, or are no whole rows.</exception>
    public void Apply(ReadOnlySpan<float> residual, Span<float> hiddenStates)
    {
        if (residual.Length != hiddenStates.Length || residual.Length % _weight.Length != 0)
        {
            throw new ArgumentException(
                $"{residual.Length} and {hiddenStates.Length} values: both must be as many rows of {_weight.Length}",
                nameof(hiddenStates)
            );
        }

        for (var start = 0; start < residual.Length; start += _weight.Length)
        {
            var row = residual.Slice(start, _weight.Length);
            var scale = Scale(row);
            for (var d = 0; d < row.Length; d++)
            {
                hiddenStates[start + d] = row[d] * scale * _weight[d];
            }
        }
    }
}
