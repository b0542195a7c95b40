using ILGPU;
using Tamx.Kernels.Devices;

namespace Tamx.Kernels.Ilgpu.Kernels;

/// <summary>rank_filter for k = 3, whose window is nine variables: registers, where an array would be memory.</summary>
internal static class RankFilterThree
{
    // The rank-Gaussian filter over 3 x 3 windows of every frame of every map:
    // sorted z_0..z_8;  mean mu, population deviation sd, c = sd / mu;  sum z_j g_j / sum g_j,  g_j = exp(-(j - 4)^2 / (2 c^2))
    // mu = 0 gives 0. All values equal give 0, or the value where constantIsValue. Borders are reflected without repeating the edge.
    //
    // source      all maps, values finite and not negative
    // maps        their entries
    // destination as source, and not the same memory
    // groups      (number of maps, ceil(cells of the largest map / 256)), of any number of threads; a thread has one window at a time
    //
    // Neighbours' windows overlap, so the values come from the cache.
    public static void Run(ArrayView<float> source, ArrayView<MapEntry> maps, ArrayView<float> destination, int constantIsValue)
    {
        var entry = maps[Grid.IdxX];
        int end = Math.Min(entry.CellCount, (Grid.IdxY + 1) * DeviceKernel.GroupThreads);
        for (int cell = Grid.IdxY * DeviceKernel.GroupThreads + Group.IdxX; cell < end; cell += Group.DimX)
        {
            int frameSize = entry.Rows * entry.Columns;
            int inFrame = cell % frameSize;
            var frame = source.SubView(entry.Offset + (cell - inFrame), frameSize);
            destination[entry.Offset + cell] = Filter(frame, inFrame / entry.Columns, inFrame % entry.Columns, entry.Rows, entry.Columns, constantIsValue);
        }
    }

    private static float Filter(ArrayView<float> frame, int row, int column, int rows, int columns, int constantIsValue)
    {
        int above = Window.Reflect(row - 1, rows) * columns;
        int here = row * columns;
        int below = Window.Reflect(row + 1, rows) * columns;
        int left = Window.Reflect(column - 1, columns);
        int right = Window.Reflect(column + 1, columns);
        float z0 = frame[above + left];
        float z1 = frame[above + column];
        float z2 = frame[above + right];
        float z3 = frame[here + left];
        float z4 = frame[here + column];
        float z5 = frame[here + right];
        float z6 = frame[below + left];
        float z7 = frame[below + column];
        float z8 = frame[below + right];
        float mean = (z0 + z1 + z2 + z3 + z4 + z5 + z6 + z7 + z8) / 9;

        // 25 comparisons in 7 rounds, as few as there can be (Floyd; Knuth, TAOCP 3, 5.3.4).
        Order(ref z0, ref z3);
        Order(ref z1, ref z7);
        Order(ref z2, ref z5);
        Order(ref z4, ref z8);

        Order(ref z0, ref z7);
        Order(ref z2, ref z4);
        Order(ref z3, ref z8);
        Order(ref z5, ref z6);

        Order(ref z0, ref z2);
        Order(ref z1, ref z3);
        Order(ref z4, ref z5);
        Order(ref z7, ref z8);

        Order(ref z1, ref z4);
        Order(ref z3, ref z6);
        Order(ref z5, ref z7);

        Order(ref z0, ref z1);
        Order(ref z2, ref z4);
        Order(ref z3, ref z5);
        Order(ref z6, ref z8);

        Order(ref z2, ref z3);
        Order(ref z4, ref z5);
        Order(ref z6, ref z7);

        Order(ref z1, ref z2);
        Order(ref z3, ref z4);
        Order(ref z5, ref z6);

        if (z0 == z8)
        {
            return constantIsValue != 0 ? z0 : 0;
        }

        if (!(mean > 0))
        {
            return 0;
        }

        float scale = Window.Scale(mean);
        float squares = Square((z0 - mean) * scale) + Square((z1 - mean) * scale) + Square((z2 - mean) * scale)
            + Square((z3 - mean) * scale) + Square((z4 - mean) * scale) + Square((z5 - mean) * scale)
            + Square((z6 - mean) * scale) + Square((z7 - mean) * scale) + Square((z8 - mean) * scale);
        float factor = -9 * Square(mean * scale) / (2 * squares);
        float g1 = Exponential.Of(factor);
        float g2 = Exponential.Of(factor * 4);
        float g3 = Exponential.Of(factor * 9);
        float g4 = Exponential.Of(factor * 16);
        float weighted = 0.5f * z4 + g1 * (0.5f * (z3 + z5)) + g2 * (0.5f * (z2 + z6)) + g3 * (0.5f * (z1 + z7)) + g4 * (0.5f * (z0 + z8));
        return weighted / (0.5f + g1 + g2 + g3 + g4);
    }

    private static float Square(float value) => value * value;

    private static void Order(ref float one, ref float other)
    {
        float low = Math.Min(one, other);
        other = Math.Max(one, other);
        one = low;
    }
}
