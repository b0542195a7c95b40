using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Tamx.Llama.Gguf;
using Tamx.Llama.Interop;

namespace Tamx.Llama;

/// <summary>The output embedding (lm_head): the matrix whose row t times a hidden state is the logit of token t.</summary>
/// <remarks>
/// Rows are read from the model's file as they are asked for, and dequantized by ggml. Safe to use from several threads.
/// </remarks>
public sealed class OutputEmbedding
{
    private readonly GgufTensor _tensor;
    private readonly int _rowBytes;

    /// <summary>Opens the output embedding of a checked model: <c>output.weight</c>, or the token embedding where the head is tied.</summary>
    /// <param name="facts">The model.</param>
    /// <exception cref="ModelFormatException">ggml does not know how to read the tensor.</exception>
    public OutputEmbedding(ModelFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        LlamaRuntime.EnsureInitialized();
        _tensor = facts.OutputEmbedding;
        HiddenSize = facts.HiddenSize;
        TokenCount = facts.VocabularySize;
        var status = NativeMethods.GetRowBytes((int)_tensor.Type.Id, HiddenSize, out var rowBytes);
        if (status != NativeStatus.Ok || rowBytes != _tensor.RowBytes)
        {
            throw new ModelFormatException(_tensor.FilePath, $"tensor {_tensor.Name} of type {_tensor.Type} cannot be read by this llama.cpp");
        }

        _rowBytes = checked((int)rowBytes);
    }

    /// <summary>Values per row.</summary>
    public int HiddenSize { get; }

    /// <summary>Number of rows.</summary>
    public int TokenCount { get; }

    /// <summary>Reads rows in float32.</summary>
    /// <param name="ids">Token ids [n].</param>
    /// <returns>The rows [n, <see cref="HiddenSize"/>], row-major.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    /// <exception cref="ModelFormatException">The file can no longer be read as it was when it was opened.</exception>
    public float[] ReadRows(ReadOnlySpan<int> ids)
    {
        var rows = new float[checked(ids.Length * HiddenSize)];
        var buffer = ArrayPool<byte>.Shared.Rent(_rowBytes);
        try
        {
            using SafeFileHandle file = File.OpenHandle(_tensor.FilePath, options: FileOptions.RandomAccess);
            for (var i = 0; i < ids.Length; i++)
            {
                ArgumentOutOfRangeException.ThrowIfNegative(ids[i], nameof(ids));
                ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(ids[i], TokenCount, nameof(ids));
                var row = buffer.AsSpan(0, _rowBytes);
                ReadExactly(file, row, _tensor.Offset + ((long)ids[i] * _rowBytes));
                NativeMethods.DequantizeRow((int)_tensor.Type.Id, row, _rowBytes, HiddenSize, rows.AsSpan(i * HiddenSize, HiddenSize)).ThrowIfFailed();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException(_tensor.FilePath, $"tensor {_tensor.Name} cannot be read: {e.Message}", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return rows;
    }

    /// <summary>The token whose logit for a hidden state is largest, of the whole vocabulary.</summary>
    /// <param name="state">Hidden state after the final norm [<see cref="HiddenSize"/>].</param>
    /// <returns>Its id; the first of equal ones.</returns>
    /// <exception cref="ModelFormatException">The file can no longer be read as it was when it was opened.</exception>
    public int FindStrongest(ReadOnlySpan<float> state)
    {
        const int Chunk = 4096;
        var (best, largest) = (0, double.NegativeInfinity);
        for (var first = 0; first < TokenCount; first += Chunk)
        {
            int[] ids = [.. Enumerable.Range(first, Math.Min(Chunk, TokenCount - first))];
            var rows = ReadRows(ids);
            for (var i = 0; i < ids.Length; i++)
            {
                double sum = 0;
                for (var d = 0; d < HiddenSize; d++)
                {
                    sum += (double)rows[(i * HiddenSize) + d] * state[d];
                }

                if (sum > largest)
                {
                    (best, largest) = (ids[i], sum);
                }
            }
        }

        return best;
    }

    private static void ReadExactly(SafeFileHandle file, Span<byte> destination, long offset)
    {
        while (destination.Length > 0)
        {
            var count = RandomAccess.Read(file, destination, offset);
            if (count == 0)
            {
                throw new EndOfStreamException("the file has become shorter");
            }

            destination = destination[count..];
            offset += count;
        }
    }
}
