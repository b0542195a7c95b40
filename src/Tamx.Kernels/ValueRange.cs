using System.Numerics.Tensors;

namespace Tamx.Kernels;

/// <summary>The smallest and the largest of some values.</summary>
/// <param name="Minimum">Smallest value.</param>
/// <param name="Maximum">Largest value.</param>
public readonly record struct ValueRange(float Minimum, float Maximum)
{
    /// <summary>The range of no values. Including values gives their range.</summary>
    public static ValueRange Empty => new(float.PositiveInfinity, float.NegativeInfinity);

    /// <summary>Whether no value is in the range.</summary>
    public bool IsEmpty => Minimum > Maximum;

    /// <summary>The range that also covers some more values.</summary>
    /// <param name="values">Finite values.</param>
    /// <returns>The wider range.</returns>
    public ValueRange Include(ReadOnlySpan<float> values) =>
        values.IsEmpty ? this : Include(new ValueRange(TensorPrimitives.Min(values), TensorPrimitives.Max(values)));

    /// <summary>The range that also covers another one.</summary>
    /// <param name="other">The other range.</param>
    /// <returns>The wider range.</returns>
    public ValueRange Include(ValueRange other) =>
        new(Math.Min(Minimum, other.Minimum), Math.Max(Maximum, other.Maximum));

    /// <summary>(value - minimum) / (maximum - minimum), in place. A range without width gives 0.</summary>
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
