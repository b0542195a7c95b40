using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Tamx.Llama.Gguf;

namespace Tamx.Llama;

/// <summary>Rows of a tensor, read from the model's file as they are asked for, and dequantized by ggml.</summary>
/// <remarks>Safe to use from several threads.</remarks>
internal sealed class TensorRows
{
    /// <summary>Bytes that are read and dequantized together.</summary>
    private const int PieceBytes = 1 << 20;

    private readonly GgufTensor _tensor;
    private readonly RowDequantizer _rows;
    private readonly int _rowBytes;

    /// <exception cref="ModelFormatException">ggml does not know how to read the tensor.</exception>
    public TensorRows(GgufTensor tensor)
    {
        _tensor = tensor;
        _rows =
            RowDequantizer.For(tensor.Type)
            ?? throw new ModelFormatException(
                tensor.FilePath,
                $"tensor {tensor.Name} of type {tensor.Type} cannot be read by this llama.cpp"
            );
        RowSize = checked((int)tensor.Shape[0]);
        RowCount = checked((int)(tensor.ElementCount / tensor.Shape[0]));
        _rowBytes = checked((int)tensor.RowBytes);
    }

    /// <summary>Values per row.</summary>
    public int RowSize { get; }

    /// <summary>Number of rows.</summary>
    public int RowCount { get; }

    /// <summary>Reads rows by their numbers.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    /// <exception cref="ModelFormatException">The file can no longer be read as it was when it was opened.</exception>
    public float[] Read(ReadOnlySpan<int> indices)
    {
        var rows = new float[checked(indices.Length * RowSize)];
        using var file = OpenFile(FileOptions.RandomAccess);
        for (var i = 0; i < indices.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(indices[i], nameof(indices));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(indices[i], RowCount, nameof(indices));
            Read(file, indices[i], rows.AsSpan(i * RowSize, RowSize));
        }

        return rows;
    }

    /// <summary>Reads adjacent rows; the destination's length says how many.</summary>
    /// <exception cref="ArgumentException">Not a whole number of rows, or there are not so many.</exception>
    /// <exception cref="ModelFormatException">The file can no longer be read as it was when it was opened.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void ReadSlice(int first, Span<float> rows, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        if (rows.Length % RowSize != 0 || rows.Length / RowSize > RowCount - first)
        {
            throw new ArgumentException(
                $"{rows.Length} values from row {first} on are not rows of {RowSize} values of which there are {RowCount}."
            );
        }

        using var file = OpenFile(FileOptions.SequentialScan);
        var pieceSize = Math.Max(1, PieceBytes / _rowBytes) * RowSize;
        for (var done = 0; done < rows.Length; done += pieceSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Read(file, first + (done / RowSize), rows.Slice(done, Math.Min(pieceSize, rows.Length - done)));
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
    private void Read(SafeFileHandle file, int first, Span<float> rows)
    {
        var byteCount = checked(rows.Length / RowSize * _rowBytes);
        var buffer = ArrayPool<byte>.Shared.Rent(byteCount);
        try
        {
            ReadExactly(file, buffer.AsSpan(0, byteCount), _tensor.Offset + ((long)first * _rowBytes));
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
