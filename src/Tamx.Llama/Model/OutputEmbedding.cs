using System.Numerics.Tensors;
using Tamx.Llama.Gguf;

namespace Tamx.Llama;

/// <summary>The output embedding (lm_head). Its row t times a hidden state is the logit of token t.</summary>
/// <remarks>
/// Rows are read from the model's file as they are asked for, and dequantized by ggml. Safe to use from several
/// threads.
/// </remarks>
public sealed class OutputEmbedding
{
    private readonly TensorRows _rows;
    private readonly Lock _meanLock = new();
    private float[]? _mean;

    /// <summary>Opens a checked model's output embedding: <c>output.weight</c>, or else the token embedding.</summary>
    /// <param name="facts">The model.</param>
    /// <exception cref="ModelFormatException">ggml does not know how to read the tensor.</exception>
    public OutputEmbedding(ModelFacts facts)
        : this(facts?.OutputEmbedding ?? throw new ArgumentNullException(nameof(facts))) { }

    /// <summary>An output embedding in any file: one row per token.</summary>
    /// <exception cref="ModelFormatException">ggml does not know how to read the tensor.</exception>
    internal OutputEmbedding(GgufTensor tensor) => _rows = new TensorRows(tensor);

    /// <summary>Values per row.</summary>
    public int HiddenSize => _rows.RowSize;

    /// <summary>Number of rows.</summary>
    public int TokenCount => _rows.RowCount;

    /// <summary>Reads rows in float32.</summary>
    /// <param name="ids">Token ids [n].</param>
    /// <returns>The rows [n, <see cref="HiddenSize"/>], row-major.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    /// <exception cref="ModelFormatException">The file can no longer be read as it was when it was opened.</exception>
    public float[] ReadRows(ReadOnlySpan<int> ids) => _rows.Read(ids);

    /// <summary>Reads adjacent rows in float32. All of them at once would be too large.</summary>
    /// <param name="firstId">Token id of the first row.</param>
    /// <param name="rows">Receives the rows [n, <see cref="HiddenSize"/>], row-major; its length says how many.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    /// <exception cref="ArgumentException">Not a whole number of rows, or there are not so many.</exception>
    /// <exception cref="ModelFormatException">The file can no longer be read as it was when it was opened.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void ReadSlice(int firstId, Span<float> rows, CancellationToken cancellationToken = default) =>
        _rows.ReadSlice(firstId, rows, cancellationToken);

    /// <summary>
    /// The mean of all rows [<see cref="HiddenSize"/>]. Times a hidden state it is the mean logit. The first call reads
    /// the whole output embedding; the result is kept.
    /// </summary>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    /// <exception cref="ModelFormatException">The file can no longer be read as it was when it was opened.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ReadOnlyMemory<float> ReadMean(CancellationToken cancellationToken = default)
    {
        lock (_meanLock)
        {
            return _mean ??= ComputeMean(cancellationToken);
        }
    }

    private float[] ComputeMean(CancellationToken cancellationToken)
    {
        const int SliceRows = 256;
        var sums = new double[HiddenSize];
        var slice = new float[SliceRows * HiddenSize];
        var sliceSums = new float[HiddenSize];
        for (var first = 0; first < TokenCount; first += SliceRows)
        {
            var rows = slice.AsSpan(0, Math.Min(SliceRows, TokenCount - first) * HiddenSize);
            ReadSlice(first, rows, cancellationToken);
            // A slice is short enough for float32; all rows are not.
            sliceSums.AsSpan().Clear();
            for (var i = 0; i < rows.Length; i += HiddenSize)
            {
                TensorPrimitives.Add(sliceSums, rows.Slice(i, HiddenSize), sliceSums);
            }

            for (var d = 0; d < HiddenSize; d++)
            {
                sums[d] += sliceSums[d];
            }
        }

        return Array.ConvertAll(sums, sum => (float)(sum / TokenCount));
    }
}
