using System.Numerics;
using System.Runtime.CompilerServices;

namespace Tamx.Kernels.Cpu;

/// <summary>The steps for one map after the products: scale and subtract, and normalise.</summary>
internal static unsafe class MapSteps<TSimd, TVector>
    where TSimd : ISimd<TVector>
    where TVector : struct
{
    /// <summary>M = relu(A - strength s E), s = (A.E) / (E.E) with float64 sums; 0 where E.E is negligible.</summary>
    /// <param name="strength">Share that is subtracted. With 0, M = A.</param>
    /// <param name="activation">A.</param>
    /// <param name="map">In: E. Out: M.</param>
    /// <param name="count">Values.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Subtract(float strength, float* activation, float* map, int count)
    {
        if (strength == 0)
        {
            new ReadOnlySpan<float>(activation, count).CopyTo(new Span<float>(map, count));
            return;
        }

        var scale = (float)(strength * Scale(activation, map, count));
        var factor = TSimd.Create(-scale);
        var i = 0;
        for (; i + TSimd.Count <= count; i += TSimd.Count)
        {
            var difference = TSimd.MultiplyAdd(factor, TSimd.Load(map + i), TSimd.Load(activation + i));
            TSimd.Store(TSimd.Max(default, difference), map + i);
        }

        for (; i < count; i++)
        {
            map[i] = Math.Max(0, float.MultiplyAddEstimate(-scale, map[i], activation[i]));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Scale(float* activation, float* interference, int count)
    {
        var crossed = Vector<double>.Zero;
        var squared = Vector<double>.Zero;
        var i = 0;
        for (; i + Vector<float>.Count <= count; i += Vector<float>.Count)
        {
            Vector.Widen(Vector.Load(activation + i), out var a0, out var a1);
            Vector.Widen(Vector.Load(interference + i), out var e0, out var e1);
            crossed += a0 * e0;
            squared += e0 * e0;
            crossed += a1 * e1;
            squared += e1 * e1;
        }

        var crossedSum = Vector.Sum(crossed);
        var squaredSum = Vector.Sum(squared);
        for (; i < count; i++)
        {
            crossedSum += (double)activation[i] * interference[i];
            squaredSum += (double)interference[i] * interference[i];
        }

        return squaredSum < MapRefinement.NegligibleInterference ? 0 : crossedSum / squaredSum;
    }

    /// <summary>(value - minimum) / (maximum - minimum), at most 1. A range without width gives 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Normalize(ValueRange range, float* values, int count)
    {
        var width = range.Maximum - range.Minimum;
        if (!(width > 0))
        {
            new Span<float>(values, count).Clear();
            return;
        }

        var (minimum, widths, one) = (TSimd.Create(range.Minimum), TSimd.Create(width), TSimd.Create(1));
        var i = 0;
        for (; i + TSimd.Count <= count; i += TSimd.Count)
        {
            var share = TSimd.Divide(TSimd.Subtract(TSimd.Load(values + i), minimum), widths);
            TSimd.Store(TSimd.Min(one, share), values + i);
        }

        for (; i < count; i++)
        {
            values[i] = Math.Min(1, (values[i] - range.Minimum) / width);
        }
    }

    /// <summary>Smallest and largest of some finite values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ValueRange Range(float* values, int count)
    {
        var range = ValueRange.Empty;
        var i = 0;
        if (count >= TSimd.Count)
        {
            var smallest = TSimd.Load(values);
            var largest = smallest;
            for (i = TSimd.Count; i + TSimd.Count <= count; i += TSimd.Count)
            {
                var value = TSimd.Load(values + i);
                smallest = TSimd.Min(smallest, value);
                largest = TSimd.Max(largest, value);
            }

            range = new ValueRange(TSimd.MinLane(smallest), TSimd.MaxLane(largest));
        }

        return range.Include(new ReadOnlySpan<float>(values + i, count - i));
    }
}
