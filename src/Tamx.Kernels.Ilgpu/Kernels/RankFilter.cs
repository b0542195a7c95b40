using ILGPU;
using Tamx.Kernels.Devices;

namespace Tamx.Kernels.Ilgpu.Kernels;

/// <summary>rank_filter for k = 5, 7 and 9; <see cref="RankFilterThree"/> for k = 3.</summary>
internal static class RankFilter
{
    // The rank-Gaussian filter over k x k windows of every frame of every map, k = TSide.Value:
    // sorted z_0..z_(n-1), n = k*k;  mean mu, population deviation sd, c = sd / mu;  sum z_j g_j / sum g_j,  g_j = exp(-(j - n/2)^2 / (2 c^2))
    // mu = 0 gives 0. All values equal give 0, or the value where constantIsValue. Borders are reflected without repeating the edge.
    //
    // source      all maps, values finite and not negative
    // maps        their entries
    // destination as source, and not the same memory
    // groups      (number of maps, ceil(cells of the largest map / 256)), of any number of threads; a thread has one window at a time
    //
    // Limited by the sort: Batcher's odd-even mergesort (Knuth, TAOCP 3, 5.2.2) is 138, 350 and 700 or so compare-exchanges. ILGPU keeps a window of
    // that size in the thread's own memory, not in registers. Neighbours' windows overlap, so the values come from the cache.
    public static void Run<TSide>(ArrayView<float> source, ArrayView<MapEntry> maps, ArrayView<float> destination, int constantIsValue)
        where TSide : struct, IWindowSide
    {
        var window = LocalMemory.Allocate<float>(TSide.Value * TSide.Value);
        var entry = maps[Grid.IdxX];
        int end = Math.Min(entry.CellCount, (Grid.IdxY + 1) * DeviceKernel.GroupThreads);
        for (int cell = Grid.IdxY * DeviceKernel.GroupThreads + Group.IdxX; cell < end; cell += Group.DimX)
        {
            int frameSize = entry.Rows * entry.Columns;
            int inFrame = cell % frameSize;
            var frame = source.SubView(entry.Offset + (cell - inFrame), frameSize);
            float sum = Load<TSide>(frame, inFrame / entry.Columns, inFrame % entry.Columns, entry.Rows, entry.Columns, window);
            Sort<TSide>(window);
            destination[entry.Offset + cell] = Weigh<TSide>(window, sum / (TSide.Value * TSide.Value), constantIsValue);
        }
    }

    private static float Load<TSide>(ArrayView<float> frame, int row, int column, int rows, int columns, ArrayView<float> window)
        where TSide : struct, IWindowSide
    {
        int reach = TSide.Value / 2;
        float sum = 0;
        for (int i = 0; i < TSide.Value; i++)
        {
            int line = Window.Reflect(row + i - reach, rows) * columns;
            for (int j = 0; j < TSide.Value; j++)
            {
                float value = frame[line + Window.Reflect(column + j - reach, columns)];
                window[TSide.Value * i + j] = value;
                sum += value;
            }
        }

        return sum;
    }

    /// <summary>Ascending. Entries i and i + k are compared where i is in the lower half of a span of 2 k, and both are in the same pair of runs of p.</summary>
    private static void Sort<TSide>(ArrayView<float> window)
        where TSide : struct, IWindowSide
    {
        int count = TSide.Value * TSide.Value;
        for (int p = 1; p < count; p *= 2)
        {
            for (int k = p; k >= 1; k /= 2)
            {
                int start = k == p ? 0 : k;
                for (int i = start; i + k < count; i++)
                {
                    if (((i - start) & k) == 0 && (i ^ (i + k)) < 2 * p)
                    {
                        float one = window[i];
                        float other = window[i + k];
                        window[i] = Math.Min(one, other);
                        window[i + k] = Math.Max(one, other);
                    }
                }
            }
        }
    }

    private static float Weigh<TSide>(ArrayView<float> window, float mean, int constantIsValue)
        where TSide : struct, IWindowSide
    {
        int count = TSide.Value * TSide.Value;
        if (window[0] == window[count - 1])
        {
            return constantIsValue != 0 ? window[0] : 0;
        }

        if (!(mean > 0))
        {
            return 0;
        }

        float scale = Window.Scale(mean);
        float squares = 0;
        for (int i = 0; i < count; i++)
        {
            float difference = (window[i] - mean) * scale;
            squares += difference * difference;
        }

        float scaled = mean * scale;
        float factor = -count * (scaled * scaled) / (2 * squares);
        float weights = 0.5f;
        float weighted = 0.5f * window[count / 2];
        for (int i = 1; i <= count / 2; i++)
        {
            float weight = Exponential.Of(factor * (i * i));
            weights += weight;
            weighted += weight * (0.5f * (window[count / 2 - i] + window[count / 2 + i]));
        }

        return weighted / weights;
    }
}

/// <summary>k, which is compiled in.</summary>
internal interface IWindowSide
{
    static abstract int Value { get; }
}

internal readonly struct SideFive : IWindowSide
{
    public static int Value => 5;
}

internal readonly struct SideSeven : IWindowSide
{
    public static int Value => 7;
}

internal readonly struct SideNine : IWindowSide
{
    public static int Value => 9;
}
