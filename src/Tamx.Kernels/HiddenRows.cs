namespace Tamx.Kernels;

/// <summary>A check on rows of hidden states or output embeddings before an engine sees them.</summary>
public static class HiddenRows
{
    /// <summary>Finds the first row that holds NaN or an infinity.</summary>
    /// <param name="rows">Rows [N, D], row-major.</param>
    /// <param name="hiddenSize">D, at least 1.</param>
    /// <returns>The row's index, or -1 if every value is finite.</returns>
    public static int IndexOfNonFinite(ReadOnlySpan<float> rows, int hiddenSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(hiddenSize, 1);
        for (int i = 0; i < rows.Length; i++)
        {
            if (!float.IsFinite(rows[i]))
            {
                return i / hiddenSize;
            }
        }

        return -1;
    }
}
