using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tamx.Kernels;

/// <summary>Operations on rows of hidden states or output embeddings.</summary>
public static class HiddenRows
{
    /// <summary>Values that are checked together, a multiple of two vectors of any width.</summary>
    private const int Chunk = 1024;

    /// <summary>Finds the first row that holds NaN or an infinity.</summary>
    /// <param name="rows">Rows [N, D], row-major.</param>
    /// <param name="hiddenSize">D, at least 1.</param>
    /// <returns>The row's index, or -1 if every value is finite.</returns>
    public static int IndexOfNonFinite(ReadOnlySpan<float> rows, int hiddenSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(hiddenSize, 1);
        var i = 0;
        for (; i + Chunk <= rows.Length && IsFinite(rows.Slice(i, Chunk)); i += Chunk) { }

        for (; i < rows.Length; i++)
        {
            if (!float.IsFinite(rows[i]))
            {
                return i / hiddenSize;
            }
        }

        return -1;
    }

    /// <summary>The product of two rows: a logit, where one is an output row and the other a hidden state.</summary>
    /// <param name="left">Values [D].</param>
    /// <param name="right">Values [D].</param>
    /// <returns>The sum of products, in float64. Its order depends on the machine's vectors.</returns>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Dot(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        if (left.Length != right.Length)
        {
            throw new ArgumentException($"The rows have {left.Length} and {right.Length} values.");
        }

        var first = Vector<double>.Zero;
        var second = Vector<double>.Zero;
        ref var leftStart = ref MemoryMarshal.GetReference(left);
        ref var rightStart = ref MemoryMarshal.GetReference(right);
        var i = 0;
        for (; i + Vector<float>.Count <= left.Length; i += Vector<float>.Count)
        {
            Vector.Widen(Vector.LoadUnsafe(ref leftStart, (nuint)i), out var left0, out var left1);
            Vector.Widen(Vector.LoadUnsafe(ref rightStart, (nuint)i), out var right0, out var right1);
            first += left0 * right0;
            second += left1 * right1;
        }

        var sum = Vector.Sum(first + second);
        for (; i < left.Length; i++)
        {
            sum += (double)left[i] * right[i];
        }

        return sum;
    }

    /// <summary>
    /// Whether all values of a chunk are finite. A finite number times 0 is 0; NaN and the infinities give NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool IsFinite(ReadOnlySpan<float> chunk)
    {
        var first = Vector<float>.Zero;
        var second = Vector<float>.Zero;
        ref var start = ref MemoryMarshal.GetReference(chunk);
        for (nuint i = 0; i < Chunk; i += 2 * (nuint)Vector<float>.Count)
        {
            first += Vector.LoadUnsafe(ref start, i) * Vector<float>.Zero;
            second += Vector.LoadUnsafe(ref start, i + (nuint)Vector<float>.Count) * Vector<float>.Zero;
        }

        return Vector.EqualsAll(first + second, Vector<float>.Zero);
    }
}
