using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Tamx.Llama.Gguf;

namespace Tamx.Llama;

/// <summary>The output embedding (lm_head). Its row t times a hidden state is the logit of token t.</summary>
/// <remarks>
/// Rows are read from the model's file as they are asked for, and dequantized by ggml. Safe to use from several
/// threads.
/// </remarks>
public sealed class OutputEmbedding
{
    /// <summary>Bytes that are read and dequantized together.</summary>
    private const int PieceBytes = 1 << 20;

    private readonly GgufTensor _tensor;
    private readonly RowDequantizer _rows;
    private readonly int _rowBytes;

    /// <summary>Opens a checked model's output embedding: <c>output.weight</c>, or else the token embedding.</summary>
    /// <param name="facts">The model.</param>
    /// <exception cref="ModelFormatException">ggml does not know how to read the tensor.</exception>
    public OutputEmbedding(ModelFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        _tensor = facts.OutputEmbedding;
        HiddenSize = facts.HiddenSize;
        TokenCount = facts.VocabularySize;
        _rows =
            RowDequantizer.For(_tensor.Type)
            ?? throw new ModelFormatException(
                _tensor.FilePath,
                $"tensor {_tensor.Name} of type {_tensor.Type} cannot be read by this llama.cpp"
            );
        _rowBytes = checked((int)_tensor.RowBytes);
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
        using var file = OpenFile(FileOptions.RandomAccess);
        for (var i = 0; i < ids.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(ids[i], nameof(ids));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(ids[i], TokenCount, nameof(ids));
            Read(file, ids[i], rows.AsSpan(i * HiddenSize, HiddenSize));
        }

        return rows;
    }

    /// <summary>Reads adjacent rows in float32. All of them at once would be too large.</summary>
    /// <param name="firstId">Token id of the first row.</param>
    /// <param name="rows">Receives the rows [n, <see cref="HiddenSize"/>], row-major; its length says how many.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    /// <exception cref="ArgumentException">Not a whole number of rows, or there are not so many.</exception>
    /// <exception cref="ModelFormatException">The file can no longer be read as it was when it was opened.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void ReadSlice(int firstId, Span<float> rows, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstId);
        if (rows.Length % HiddenSize != 0 || rows.Length / HiddenSize > TokenCount - firstId)
        {
            throw new ArgumentException(
                $"{rows.Length} values from row {firstId} on are not rows of {HiddenSize} values of which there are "
                    + $"{TokenCount}."
            );
        }

        using var file = OpenFile(FileOptions.SequentialScan);
        var pieceSize = Math.Max(1, PieceBytes / _rowBytes) * HiddenSize;
        for (var done = 0; done < rows.Length; done += pieceSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Read(file, firstId + (done / HiddenSize), rows.Slice(done, Math.Min(pieceSize, rows.Length - done)));
        }
    }

    private SafeFileHandle OpenFile(FileOptions options)
    {
        try
        {
            return File.OpenHandle(_tensor.FilePath, options: options);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(e);
        }
    }

    /// <summary>Adjacent rows, read and dequantized in one go.</summary>
    private void Read(SafeFileHandle file, int firstId, Span<float> rows)
    {
        var byteCount = checked(rows.Length / HiddenSize * _rowBytes);
        var buffer = ArrayPool<byte>.Shared.Rent(byteCount);
        try
        {
            ReadExactly(file, buffer.AsSpan(0, byteCount), _tensor.Offset + ((long)firstId * _rowBytes));
            _rows.Dequantize(buffer.AsSpan(0, byteCount), rows);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private ModelFormatException Unreadable(Exception e) =>
        new(_tensor.FilePath, $"tensor {_tensor.Name} cannot be read: {e.Message}", e);

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
