using System.Runtime.CompilerServices;

namespace Tamx.Kernels.Cpu;

/// <content>Windows of 3 x 3, the default size. They fit the registers.</content>
internal sealed unsafe partial class WindowFilter<TSimd, TVector>
{
    /// <summary>Positions per chunk.</summary>
    private const int ChunkOfThree = 512;

    private const int StrideOfThree = ChunkOfThree + 32;

    /// <summary>
    /// For each chunk: sorts the columns once, with their sums and sums of squares, and then the windows of three
    /// columns.
    /// </summary>
    /// <param name="frame">The frame with its borders [rows + 2, stride].</param>
    /// <param name="stride">Columns + 2.</param>
    /// <param name="positionCount">Positions from the first window to the last.</param>
    /// <param name="constantWindow">What to make of a window of equal positive values.</param>
    /// <param name="result">Receives a value per position. Values between two rows are undefined.</param>
    private void FilterThree(float* frame, int stride, int positionCount, ConstantWindow constantWindow, float* result)
    {
        var columns = _slots.Reserve(5 * StrideOfThree);
        for (var first = 0; first < positionCount; first += ChunkOfThree)
        {
            var lanes = Math.Min(ChunkOfThree, positionCount - first);
            SortColumnsOfThree(frame + first, stride, lanes + 2, columns);
            WeighWindowsOfThree(columns, lanes, constantWindow, result + first);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SortColumnsOfThree(float* frame, nint stride, nint lanes, float* columns)
    {
        for (nint i = 0; i < lanes; i += TSimd.Count)
        {
            var a = TSimd.Load(frame + i);
            var b = TSimd.Load(frame + stride + i);
            var c = TSimd.Load(frame + 2 * stride + i);
            TSimd.Store(TSimd.Add(TSimd.Add(a, b), c), columns + 3 * StrideOfThree + i);
            var squares = TSimd.MultiplyAdd(a, a, TSimd.MultiplyAdd(b, b, TSimd.Multiply(c, c)));
            TSimd.Store(squares, columns + 4 * StrideOfThree + i);
            Order(ref a, ref b);
            Order(ref b, ref c);
            Order(ref a, ref b);
            TSimd.Store(a, columns + i);
            TSimd.Store(b, columns + StrideOfThree + i);
            TSimd.Store(c, columns + 2 * StrideOfThree + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WeighWindowsOfThree(float* columns, nint lanes, ConstantWindow constantWindow, float* result)
    {
        var lows = columns;
        var middles = columns + StrideOfThree;
        var highs = columns + 2 * StrideOfThree;
        var sums = columns + 3 * StrideOfThree;
        var squares = columns + 4 * StrideOfThree;
        for (nint i = 0; i < lanes; i += TSimd.Count)
        {
            // Floyd's network for nine values. Sorting the columns was its first nine operations.
            var z0 = TSimd.Load(lows + i);
            var z1 = TSimd.Load(middles + i);
            var z2 = TSimd.Load(highs + i);
            var z3 = TSimd.Load(lows + i + 1);
            var z4 = TSimd.Load(middles + i + 1);
            var z5 = TSimd.Load(highs + i + 1);
            var z6 = TSimd.Load(lows + i + 2);
            var z7 = TSimd.Load(middles + i + 2);
            var z8 = TSimd.Load(highs + i + 2);
            Order(ref z0, ref z3);
            Order(ref z3, ref z6);
            Order(ref z0, ref z3);
            Order(ref z1, ref z4);
            Order(ref z4, ref z7);
            Order(ref z1, ref z4);
            Order(ref z2, ref z5);
            Order(ref z5, ref z8);
            Order(ref z2, ref z5);
            Order(ref z1, ref z3);
            Order(ref z5, ref z7);
            Order(ref z2, ref z6);
            Order(ref z4, ref z6);
            Order(ref z2, ref z4);
            Order(ref z2, ref z3);
            Order(ref z5, ref z6);

            var q = WeightBase(AddThree(sums + i), AddThree(squares + i), 9);

            // q^1, q^4, q^9, q^16
            var smallest = TSimd.Create(SmallestWeight);
            var weight2 = TSimd.Multiply(q, q);
            weight2 = TSimd.Max(TSimd.Multiply(weight2, weight2), smallest);
            var eighth = TSimd.Max(TSimd.Multiply(weight2, weight2), smallest);
            var weight3 = TSimd.Multiply(eighth, q);
            var weight4 = TSimd.Multiply(eighth, eighth);
            var weighted = TSimd.MultiplyAdd(q, TSimd.Add(z3, z5), z4);
            weighted = TSimd.MultiplyAdd(weight2, TSimd.Add(z2, z6), weighted);
            weighted = TSimd.MultiplyAdd(weight3, TSimd.Add(z1, z7), weighted);
            weighted = TSimd.MultiplyAdd(weight4, TSimd.Add(z0, z8), weighted);
            var weights = TSimd.Add(TSimd.Add(q, weight2), TSimd.Add(weight3, weight4));
            var mean = TSimd.Divide(weighted, TSimd.Add(TSimd.Create(1), TSimd.Add(weights, weights)));
            var ofConstant = constantWindow == ConstantWindow.Value ? z4 : default;
            TSimd.Store(TSimd.SelectEqual(z0, z8, ofConstant, mean), result + i);
        }
    }

    /// <summary>The sum of each position's value and the next two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector AddThree(float* values) =>
        TSimd.Add(TSimd.Add(TSimd.Load(values), TSimd.Load(values + 1)), TSimd.Load(values + 2));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Order(ref TVector low, ref TVector high)
    {
        var smaller = TSimd.Min(low, high);
        high = TSimd.Max(low, high);
        low = smaller;
    }
}
