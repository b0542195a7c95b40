using System.Numerics.Tensors;

namespace Tamx.Kernels;

/// <summary>The smallest and the largest of some values.</summary>
/// <param name="Minimum">Smallest value.</param>
/// <param name="Maximum">Largest value.</param>
public readonly record struct ValueRange(float Minimum, float Maximum)
{
    /// <summary>The range of no values at all; including anything into it gives that thing's range.</summary>
    public static ValueRange Empty => new(float.PositiveInfinity, float.NegativeInfinity);

    /// <summary>True if no value is in the range.</summary>
    public bool IsEmpty => Minimum > Maximum;

    /// <summary>The range that also covers some more values.</summary>
    /// <param name="values">Finite values.</param>
    /// <returns>The wider range.</returns>
    public ValueRange Include(ReadOnlySpan<float> values)
    {
        return values.IsEmpty
            ? this
            : new ValueRange(
                Math.Min(Minimum, TensorPrimitives.Min(values)), Math.Max(Maximum, TensorPrimitives.Max(values)));
    }

    /// <summary>(value - minimum) / (maximum - minimum), in place; 0 where the range has no width.</summary>
    /// <param name="values">Values within the range.</param>
    public void Normalize(Span<float> values)
    {
        if (!(Maximum > Minimum))
        {
            values.Clear();
            return;
        }

        var width = (double)Maximum - Minimum;
        foreach (ref var value in values)
        {
            value = (float)(((double)value - Minimum) / width);
        }
    }
}
