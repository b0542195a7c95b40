using ILGPU;

namespace Tamx.Kernels.Devices.Kernels;

/// <summary>What the rank filters of all sides share.</summary>
internal static class Window
{
    private const float SmallestNormal = 1.1754944e-38f;

    /// <summary>Two neighbouring windows, which share all but two of their columns: what a thread filters.</summary>
    public struct Pair
    {
        /// <summary>Where the frame starts among all maps' values.</summary>
        public int Frame;

        public int Row;

        /// <summary>The column of the first window; the second's is the next one.</summary>
        public int Column;

        /// <summary>1 if the group has any windows; else none of its threads has.</summary>
        public int IsThere;

        /// <summary>
        /// 1 if this is the thread's own pair, 0 if another thread's stands in because there are no more.
        /// </summary>
        public int IsOwn;
    }

    /// <summary>The pair of a thread, in groups (maps, ceil(pairs of the map with most of them / 256)).</summary>
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
    /// An index reflected once at either end of an axis: enough where the axis is longer than the window reaches.
    /// </summary>
    /// <param name="i">The index.</param>
    /// <param name="last">The axis' last index.</param>
    public static int Fold(int i, int last) => last - Math.Abs(last - Math.Abs(i));

    /// <summary>
    /// The same, folded further, for axes that are shorter: from an axis of two, the farthest index that a window has
    /// comes home at the third time. An axis of one has no other.
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

    /// <summary>The square of a value that is scaled first.</summary>
    public static float Square(float value, float scale) => value * scale * (value * scale);

    /// <summary>
    /// q = exp(-1 / (2 c^2)) from the sum of a window's n values and that of their squares, which is scaled: 1 / c^2 =
    /// S1^2 / (n S2 - S1^2). The difference loses digits only where c is small, and there q is next to nothing.
    /// </summary>
    public static float WeightBase(float sum, float squares, float scale, int count)
    {
        var squaredSum = Square(sum, scale);
        var spread = Math.Max(count * squares - squaredSum, SmallestNormal);
        return Exponential.Of(-0.5f * (squaredSum / spread));
    }

    /// <summary>What a window gives: its value or 0 where all are equal, else the weighted mean.</summary>
    public static float Result(
        float lowest, float highest, float sum, float weighted, float weights, int constantIsValue)
    {
        // Where one is NaN, the comparisons that sorted them have dropped it; the sum has not. No branches: what ILGPU
        // makes of them depends on what it has translated before.
        var constant = constantIsValue != 0 ? lowest : 0;
        var mean = weighted / (1 + 2 * weights);
        return (lowest != highest) | float.IsNaN(sum) ? mean : constant;
    }

    /// <summary>Stores both windows' results, and the extremes of all of the group's.</summary>
    public static void Store(
        Pair pair,
        MapEntry map,
        float even,
        float odd,
        ArrayView<float> destination,
        ArrayView<float> smallest,
        ArrayView<float> largest,
        ArrayView<float> extremes)
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

    /// <summary>Leaves word that a group has no windows.</summary>
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
