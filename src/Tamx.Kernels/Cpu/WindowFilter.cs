using System.Runtime.CompilerServices;

namespace Tamx.Kernels.Cpu;

/// <summary>
/// The rank-Gaussian filter of <see cref="RankFilter"/> in float32, one window per vector lane. Used by one thread at a
/// time.
/// </summary>
/// <remarks>
/// <para>
/// A frame is laid out with its borders, row after row without a gap. So lanes run on from row to row, and a window has
/// the same offsets everywhere. Results of lanes between two rows are dropped. A <see cref="SortingNetwork"/> sorts the
/// windows of a chunk of lanes; for it, columns of even and odd index are stored apart.
/// </para>
/// <para>
/// Ranks at distance n from the centre weigh q^(n^2), q = exp(-1 / (2 c^2)). That is one exponential per window; the
/// rest are products. With the sum S1 of the values and the sum S2 of their squares, 1 / c^2 = S1^2 / (k^2 S2 - S1^2).
/// The difference loses digits only where c is small, and there q is close to 0. Weights are kept above 1e-18, since
/// subnormal numbers are slow.
/// </para>
/// </remarks>
internal sealed unsafe partial class WindowFilter<TSimd, TVector> : IDisposable
    where TSimd : ISimd<TVector>
    where TVector : struct
{
    /// <summary>Window pairs per chunk. The slots of all but the largest windows then fit the L1 cache.</summary>
    private const int ChunkSize = 64;

    private const int SlotStride = ChunkSize + 32;

    private const float SmallestWeight = 1e-18f;

    private const float SmallestNormal = 1.1754944e-38f;

    /// <summary>For k = 5, 7, 9.</summary>
    private static readonly SortingNetwork[] Networks = [new(5, SlotStride), new(7, SlotStride), new(9, SlotStride)];

    private readonly FloatBuffer _slots = new();
    private readonly FloatBuffer _frames = new();

    /// <summary>Filters one frame in place.</summary>
    /// <param name="values">Values [rows, columns], finite and not negative.</param>
    /// <param name="rowCount">Rows, at least 1.</param>
    /// <param name="columnCount">Columns, at least 1.</param>
    /// <param name="kernelSize">3, 5, 7 or 9.</param>
    /// <param name="constantWindow">What to make of a window of equal positive values.</param>
    /// <param name="exponent">Values are divided by 2^exponent meanwhile, so that their squares are normal.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Apply(
        float* values,
        int rowCount,
        int columnCount,
        int kernelSize,
        ConstantWindow constantWindow,
        int exponent
    )
    {
        var reach = kernelSize / 2;
        var stride = (columnCount + 2 * reach + 1) / 2 * 2;
        var used = checked((rowCount + 2 * reach) * stride);
        var size = used + 2 * ChunkSize + 4 * TSimd.Count;
        var positionCount = (rowCount - 1) * stride + columnCount;
        var frame = _frames.Reserve(2L * size);
        var result = frame + size;
        var scale = MathF.ScaleB(1, -exponent);
        for (var row = 0; row < rowCount + 2 * reach; row++)
        {
            var source = values + (long)RankFilter.Reflect(row - reach, rowCount) * columnCount;
            LayOut(source, columnCount, reach, scale, frame + row * stride, stride);
        }

        new Span<float>(frame + used, size - used).Clear();
        if (kernelSize == 3)
        {
            FilterThree(frame, stride, positionCount, constantWindow, result);
        }
        else
        {
            FilterPairs(frame, stride, positionCount, Networks[reach - 2], constantWindow, result);
        }

        scale = MathF.ScaleB(1, exponent);
        for (var row = 0; row < rowCount; row++)
        {
            Scale(result + (long)row * stride, columnCount, scale, values + (long)row * columnCount);
        }
    }

    public void Dispose()
    {
        _slots.Dispose();
        _frames.Dispose();
    }

    /// <summary>Writes a row with its borders, scaled.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LayOut(float* source, int columnCount, int reach, float scale, float* destination, int stride)
    {
        Scale(source, columnCount, scale, destination + reach);
        for (var column = 0; column < stride; column = column == reach - 1 ? reach + columnCount : column + 1)
        {
            destination[column] = source[RankFilter.Reflect(column - reach, columnCount)] * scale;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scale(float* source, int count, float factor, float* destination)
    {
        var factors = TSimd.Create(factor);
        var i = 0;
        for (; i + TSimd.Count <= count; i += TSimd.Count)
        {
            TSimd.Store(TSimd.Multiply(TSimd.Load(source + i), factors), destination + i);
        }

        for (; i < count; i++)
        {
            destination[i] = source[i] * factor;
        }
    }

    /// <summary>Filters with a <see cref="SortingNetwork"/>, one chunk of window pairs at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FilterPairs(
        float* frame,
        int stride,
        int positionCount,
        SortingNetwork network,
        ConstantWindow constantWindow,
        float* result
    )
    {
        var pairCount = (positionCount + 1) / 2;
        var slots = _slots.Reserve((long)network.SlotCount * SlotStride + 2 * ChunkSize);
        var evenResult = slots + network.SlotCount * SlotStride;
        var oddResult = evenResult + ChunkSize;
        for (var first = 0; first < pairCount; first += ChunkSize)
        {
            var lanes = Math.Min(ChunkSize, (pairCount - first + TSimd.Count - 1) / TSimd.Count * TSimd.Count);
            var sharedLanes = lanes + TSimd.Count;
            for (var row = 0; row < network.EvenInputs.Length; row++)
            {
                var source = frame + 2L * first + (long)row * stride;
                var even = slots + network.EvenInputs[row];
                var odd = slots + network.OddInputs[row];
                for (var i = 0; i < sharedLanes; i += TSimd.Count / 2)
                {
                    TSimd.StoreSplit(TSimd.Load(source + 2 * i), even + i, odd + i);
                }
            }

            Run(network.Shared, slots, sharedLanes);
            Run(network.Even, slots, lanes);
            Weigh(network.EvenWindow, slots, lanes, constantWindow, evenResult);
            Run(network.Odd, slots, lanes);
            Weigh(network.OddWindow, slots, lanes, constantWindow, oddResult);
            for (var i = 0; i < lanes; i += TSimd.Count / 2)
            {
                TSimd.Store(TSimd.LoadZip(evenResult + i, oddResult + i), result + 2L * (first + i));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(ReadOnlySpan<CompareExchange> operations, float* slots, int lanes)
    {
        foreach (ref readonly var operation in operations)
        {
            var a = slots + operation.A;
            var b = slots + operation.B;
            var low = slots + operation.Low;
            var high = slots + operation.High;
            for (nint i = 0; i < lanes; i += TSimd.Count)
            {
                var left = TSimd.Load(a + i);
                var right = TSimd.Load(b + i);
                TSimd.Store(TSimd.Min(left, right), low + i);
                TSimd.Store(TSimd.Max(left, right), high + i);
            }
        }
    }

    /// <summary>The weighted mean of sorted windows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Weigh(
        SortedWindow window,
        float* slots,
        int lanes,
        ConstantWindow constantWindow,
        float* results
    )
    {
        var middle = slots + window.Centre;
        ReadOnlySpan<(int Low, int High)> pairs = window.Pairs;
        var lowest = slots + pairs[^1].Low;
        var highest = slots + pairs[^1].High;
        for (nint i = 0; i < lanes; i += TSimd.Count)
        {
            var centre = TSimd.Load(middle + i);
            TVector lowSum = default;
            var highSum = centre;
            TVector lowSquares = default;
            var highSquares = TSimd.Multiply(centre, centre);
            foreach (ref readonly var pair in pairs)
            {
                var low = TSimd.Load(slots + pair.Low + i);
                var high = TSimd.Load(slots + pair.High + i);
                lowSum = TSimd.Add(lowSum, low);
                highSum = TSimd.Add(highSum, high);
                lowSquares = TSimd.MultiplyAdd(low, low, lowSquares);
                highSquares = TSimd.MultiplyAdd(high, high, highSquares);
            }

            var weightBase = WeightBase(
                TSimd.Add(lowSum, highSum),
                TSimd.Add(lowSquares, highSquares),
                2 * pairs.Length + 1
            );

            // q^(n^2) is the product of the first n odd powers of q.
            var step = TSimd.Multiply(weightBase, weightBase);
            var power = weightBase;
            var weight = TSimd.Create(1);
            var weights = default(TVector);
            var weighted = centre;
            foreach (ref readonly var pair in pairs)
            {
                var values = TSimd.Add(TSimd.Load(slots + pair.Low + i), TSimd.Load(slots + pair.High + i));
                weight = TSimd.Max(TSimd.Multiply(weight, power), TSimd.Create(SmallestWeight));
                power = TSimd.Max(TSimd.Multiply(power, step), TSimd.Create(SmallestWeight));
                weights = TSimd.Add(weights, weight);
                weighted = TSimd.MultiplyAdd(weight, values, weighted);
            }

            var mean = TSimd.Divide(weighted, TSimd.Add(TSimd.Create(1), TSimd.Add(weights, weights)));
            var ofConstant = constantWindow == ConstantWindow.Value ? centre : default;
            mean = TSimd.SelectEqual(TSimd.Load(lowest + i), TSimd.Load(highest + i), ofConstant, mean);
            TSimd.Store(mean, results + i);
        }
    }

    /// <summary>q = exp(-1 / (2 c^2)) from the sum of a window's values and that of their squares.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector WeightBase(TVector sum, TVector squares, int count)
    {
        var squaredSum = TSimd.Multiply(sum, sum);
        var spread = TSimd.Subtract(TSimd.Multiply(TSimd.Create(count), squares), squaredSum);
        spread = TSimd.Max(spread, TSimd.Create(SmallestNormal));
        return Exp2(TSimd.Multiply(TSimd.Divide(squaredSum, spread), TSimd.Create(-0.5f * 1.44269504f)));
    }

    /// <summary>
    /// 2^x for x up to 0, with a relative error of about 1e-7. At least 2e-9, whose square is above
    /// <see cref="SmallestWeight"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Exp2(TVector x)
    {
        x = TSimd.Max(x, TSimd.Create(-29));
        var whole = TSimd.Round(x);
        var rest = TSimd.Subtract(x, whole);

        // Taylor's series of 2^r in r ln 2; |r| is at most 1/2.
        var value = TSimd.Create(1.52527338e-5f);
        value = TSimd.MultiplyAdd(value, rest, TSimd.Create(1.54035304e-4f));
        value = TSimd.MultiplyAdd(value, rest, TSimd.Create(1.33335581e-3f));
        value = TSimd.MultiplyAdd(value, rest, TSimd.Create(9.61812911e-3f));
        value = TSimd.MultiplyAdd(value, rest, TSimd.Create(5.55041087e-2f));
        value = TSimd.MultiplyAdd(value, rest, TSimd.Create(2.40226507e-1f));
        value = TSimd.MultiplyAdd(value, rest, TSimd.Create(6.93147181e-1f));
        value = TSimd.MultiplyAdd(value, rest, TSimd.Create(1));
        return TSimd.Scale(value, whole);
    }
}
