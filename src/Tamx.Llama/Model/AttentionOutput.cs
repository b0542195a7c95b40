using Tamx.Llama.Gguf;

namespace Tamx.Llama;

/// <summary>
/// The matrices that write what each head read into the residual stream (W_O, <c>blk.K.attn_output.weight</c>), read
/// from the model's file as they are asked for.
/// </summary>
/// <remarks>Safe to use from several threads.</remarks>
public sealed class AttentionOutput
{
    private readonly Dictionary<int, TensorRows> _layers;
    private readonly Dictionary<int, float> _scales;

    /// <summary>Opens a checked model's matrices.</summary>
    /// <param name="facts">The model.</param>
    /// <exception cref="ModelFormatException">ggml does not know how to read a tensor.</exception>
    public AttentionOutput(ModelFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        _layers = facts.AttentionOutputs.ToDictionary(layer => layer.Key, layer => new TensorRows(layer.Value));
        _scales = facts.AttentionOutputScales.ToDictionary(
            layer => layer.Key,
            layer => layer.Value is null ? 1 : new TensorRows(layer.Value).Read([0])[0]
        );
        QuerySize = facts.HeadCount * facts.HeadSize;
        HiddenSize = facts.HiddenSize;
    }

    /// <summary>Values per row: heads x head size.</summary>
    public int QuerySize { get; }

    /// <summary>Rows of a layer's matrix.</summary>
    public int HiddenSize { get; }

    /// <summary>Reads adjacent rows of a layer's matrix in float32.</summary>
    /// <param name="layer">One of <see cref="ModelFacts.AttentionLayers"/>.</param>
    /// <param name="firstRow">The first row, a component of the hidden state.</param>
    /// <param name="rows">Receives the rows [n, <see cref="QuerySize"/>], row-major; its length says how many.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    /// <exception cref="ArgumentException">Not a whole number of rows, or there are not so many.</exception>
    /// <exception cref="ModelFormatException">The file can no longer be read as it was when it was opened.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void ReadSlice(int layer, int firstRow, Span<float> rows, CancellationToken cancellationToken = default)
    {
        if (!_layers.TryGetValue(layer, out var matrix))
        {
            throw new ArgumentOutOfRangeException(nameof(layer), layer, "no layer with softmax attention");
        }

        matrix.ReadSlice(firstRow, rows, cancellationToken);
        if (_scales[layer] is not 1 and var scale)
        {
            foreach (ref var value in rows)
            {
                value *= scale;
            }
        }
    }
}
