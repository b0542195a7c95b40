using ILGPU;

namespace Tamx.Kernels.Devices.Kernels;

/// <summary>Code that the rank filters of all sizes share.</summary>
internal static class Window
{
    private const float SmallestNormal = 1.1754944e-38f;

    /// <summary>Two neighbouring windows that a thread filters. They share all but two of their columns.</summary>
    public struct Pair
    {
        /// <summary>Index of the frame's first value in all maps.</summary>
        public int Frame;

        public int Row;

        /// <summary>The column of the first window. The second window is at the next column.</summary>
        public int Column;

        /// <summary>1 if the group has windows, else 0. It is the same for all threads of a group.</summary>
        public int IsThere;

        /// <summary>
        /// 1 if this is the thread's own pair; 0 if there is none for it, and this is another thread's.
        /// </summary>
        public int IsOwn;
    }

    /// <summary>The pair of a thread, in groups (maps, ceil(pairs of the map with most pairs / 256)).</summary>
    public static Pair Find(MapEntry map)
    {
        var perRow = (map.Columns + 1) / 2;
        var perFrame = perRow * map.Rows;
        var count = map.CellCount / (map.Rows * map.Columns) * perFrame;
        var first = Grid.IdxY * DeviceKernel.GroupThreads;
        var wanted = first + Group.IdxX;
        var index = Math.Min(wanted, count - 1);
        var frame = index / perFrame;
        var inFrame = index - frame * perFrame;
        var row = inFrame / perRow;
        return new Pair
        {
            Frame = map.Offset + frame * map.Rows * map.Columns,
            Row = row,
            Column = 2 * (inFrame - row * perRow),
            IsThere = first < count ? 1 : 0,
            IsOwn = wanted < count ? 1 : 0,
        };
    }

    /// <summary>
    /// An index reflected once at either end of an axis. That is enough where the axis is longer than half a window.
    /// </summary>
    /// <param name="i">The index.</param>
    /// <param name="last">The axis' last index.</param>
    public static int Fold(int i, int last) => last - Math.Abs(last - Math.Abs(i));

    /// <summary>
    /// The same for short axes, on which an index is reflected up to three times. The farthest index of a window on an
    /// axis of two needs all three.
    /// </summary>
    /// <param name="i">The index, folded once.</param>
    /// <param name="last">The axis' last index.</param>
    public static int FoldFurther(int i, int last) => last == 0 ? 0 : Fold(Fold(i, last), last);

    /// <summary>A power of two near 1 / sum, so that no square leaves the range of float32.</summary>
    public static float Scale(float sum)
    {
        var exponent = (int)(Interop.FloatAsInt(sum) & 0x7f800000u);
        return Interop.IntAsFloat((uint)Math.Max(0x7f000000 - exponent, 0x00800000));
    }

    /// <summary>The square of a scaled value.</summary>
    public static float Square(float value, float scale) => value * scale * (value * scale);

    /// <summary>
    /// q = exp(-1 / (2 c^2)) from the sum S1 of a window's n values and the sum S2 of their scaled squares:
    /// 1 / c^2 = S1^2 / (n S2 - S1^2). The difference loses digits only where c is small, and there q is close to 0.
    /// </summary>
    public static float WeightBase(float sum, float squares, float scale, int count)
    {
        var squaredSum = Square(sum, scale);
        var spread = Math.Max(count * squares - squaredSum, SmallestNormal);
        return Exponential.Of(-0.5f * (squaredSum / spread));
    }

    /// <summary>The result of a window: the weighted mean, or for equal values the value or 0.</summary>
    public static float Result(
        float lowest,
        float highest,
        float sum,
        float weighted,
        float weights,
        int constantIsValue
    )
    {
        // Sorting drops a NaN, but the sum keeps it. There are no branches here, since how ILGPU orders them depends on
        // the kernels it translated before.
        var constant = constantIsValue != 0 ? lowest : 0;
        var mean = weighted / (1 + 2 * weights);
        return (lowest != highest) | float.IsNaN(sum) ? mean : constant;
    }

    /// <summary>Stores both windows' results, and the extremes of the group's results.</summary>
    public static void Store(
        Pair pair,
        MapEntry map,
        float even,
        float odd,
        ArrayView<float> destination,
        ArrayView<float> smallest,
        ArrayView<float> largest,
        ArrayView<float> extremes
    )
    {
        var place = pair.Frame + pair.Row * map.Columns + pair.Column;
        var hasOdd = pair.Column + 1 < map.Columns;
        if (pair.IsOwn != 0)
        {
            destination[place] = even;
            if (hasOdd)
            {
                destination[place + 1] = odd;
            }
        }

        var other = hasOdd ? odd : even;
        var low = Extremes.Smaller(even, other);
        var high = Extremes.Larger(even, other);
        Extremes.Join(smallest, largest, low, high, extremes, ExtremesPlace());
    }

    /// <summary>Stores empty extremes, for a group without windows.</summary>
    public static void StoreNothing(ArrayView<float> extremes)
    {
        if (Group.IdxX == 0)
        {
            extremes[ExtremesPlace()] = float.PositiveInfinity;
            extremes[ExtremesPlace() + 1] = float.NegativeInfinity;
        }
    }

    private static long ExtremesPlace() => 2 * ((long)Grid.IdxX * Grid.DimY + Grid.IdxY);
}
