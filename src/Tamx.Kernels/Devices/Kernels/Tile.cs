using ILGPU;
using ILGPU.Runtime;

namespace Tamx.Kernels.Devices.Kernels;

/// <summary>
/// The inner part of both matrix products. A group of 8 x 8 threads makes a tile of 64 x 64 results, 8 x 8 per thread.
/// Shared memory holds slabs of 8 terms of the sums. There, four reads of 128 bits serve 64 products.
/// </summary>
/// <remarks>
/// A thread's results are in rows 4 y to 4 y + 3 and 4 y + 32 to 4 y + 35, and in the columns with x likewise. So the
/// eight threads of a row read 128 contiguous bytes. Slabs are laid out [term, row] with a stride of 4 above a multiple
/// of 32. So the 8 terms x 4 rows that a warp writes at a time go to different banks. While a slab is multiplied, the
/// next one is loaded into registers. ILGPU unrolls no loop and keeps arrays in memory, so values are written out as
/// fields.
/// </remarks>
internal static class Tile
{
    public const int Size = DeviceKernel.Tile;
    public const int Width = 8;
    public const int Slab = 8;
    public const int Stride = Size + 4;
    public const int SlabLength = Slab * Stride;
    public const int VectorStride = Stride / 4;

    /// <summary>Values that one read loads.</summary>
    public struct Four
    {
        public float Value0;
        public float Value1;
        public float Value2;
        public float Value3;
    }

    /// <summary>A thread's values of a slab, or a row of its sums.</summary>
    public struct Eight
    {
        public float Value0;
        public float Value1;
        public float Value2;
        public float Value3;
        public float Value4;
        public float Value5;
        public float Value6;
        public float Value7;
    }

    /// <summary>Indices of rows.</summary>
    public struct EightRows
    {
        public int Row0;
        public int Row1;
        public int Row2;
        public int Row3;
        public int Row4;
        public int Row5;
        public int Row6;
        public int Row7;
    }

    /// <summary>Sums of a thread.</summary>
    public struct Sums
    {
        public Eight Row0;
        public Eight Row1;
        public Eight Row2;
        public Eight Row3;
        public Eight Row4;
        public Eight Row5;
        public Eight Row6;
        public Eight Row7;
    }

    /// <summary>
    /// The column (or row) of the tile of the first of four sums, for the thread with this index. The other four are 32
    /// further.
    /// </summary>
    public static int Place(int index) => 4 * index;

    /// <summary>
    /// sums[i, j] += left[k, row i] * right[k, column j] over a slab, in order of k. So a term of weight 0 does not
    /// change a sum, whatever its k.
    /// </summary>
    public static Sums AddProducts(
        ArrayView1D<float, Stride1D.Dense> left,
        ArrayView1D<float, Stride1D.Dense> right,
        Sums sums
    )
    {
        var rows = left.Cast<float, Four>().BaseView;
        var columns = right.Cast<float, Four>().BaseView;
        for (var k = 0; k < Slab; k++)
        {
            var a = rows[k * VectorStride + Group.IdxY];
            var b = rows[k * VectorStride + Width + Group.IdxY];
            var c = columns[k * VectorStride + Group.IdxX];
            var d = columns[k * VectorStride + Width + Group.IdxX];
            sums.Row0 = AddProducts(a.Value0, c, d, sums.Row0);
            sums.Row1 = AddProducts(a.Value1, c, d, sums.Row1);
            sums.Row2 = AddProducts(a.Value2, c, d, sums.Row2);
            sums.Row3 = AddProducts(a.Value3, c, d, sums.Row3);
            sums.Row4 = AddProducts(b.Value0, c, d, sums.Row4);
            sums.Row5 = AddProducts(b.Value1, c, d, sums.Row5);
            sums.Row6 = AddProducts(b.Value2, c, d, sums.Row6);
            sums.Row7 = AddProducts(b.Value3, c, d, sums.Row7);
        }

        return sums;
    }

    /// <summary>
    /// The rows of a matrix from which a thread fetches: every eighth from its own on. The last row replaces rows past
    /// the end.
    /// </summary>
    public static EightRows Rows(int first, int count)
    {
        var row = first + Group.IdxY;
        var last = count - 1;
        return new EightRows
        {
            Row0 = Math.Min(row, last),
            Row1 = Math.Min(row + 8, last),
            Row2 = Math.Min(row + 16, last),
            Row3 = Math.Min(row + 24, last),
            Row4 = Math.Min(row + 32, last),
            Row5 = Math.Min(row + 40, last),
            Row6 = Math.Min(row + 48, last),
            Row7 = Math.Min(row + 56, last),
        };
    }

    /// <summary>Fetches term k of a thread's rows of a matrix [.., length]; zeros where k is past the end.</summary>
    public static Eight Fetch(ArrayView<float> matrix, EightRows rows, int length, int k)
    {
        var term = Math.Min(k, length - 1);
        var mask = Mask(k, length);
        return new Eight
        {
            Value0 = Keep(matrix[(long)rows.Row0 * length + term], mask),
            Value1 = Keep(matrix[(long)rows.Row1 * length + term], mask),
            Value2 = Keep(matrix[(long)rows.Row2 * length + term], mask),
            Value3 = Keep(matrix[(long)rows.Row3 * length + term], mask),
            Value4 = Keep(matrix[(long)rows.Row4 * length + term], mask),
            Value5 = Keep(matrix[(long)rows.Row5 * length + term], mask),
            Value6 = Keep(matrix[(long)rows.Row6 * length + term], mask),
            Value7 = Keep(matrix[(long)rows.Row7 * length + term], mask),
        };
    }

    /// <summary>Writes values from <see cref="Fetch"/> to a slab.</summary>
    public static void Put(ArrayView1D<float, Stride1D.Dense> slab, Eight values)
    {
        var place = Group.IdxX * Stride + Group.IdxY;
        slab[place] = values.Value0;
        slab[place + 8] = values.Value1;
        slab[place + 16] = values.Value2;
        slab[place + 24] = values.Value3;
        slab[place + 32] = values.Value4;
        slab[place + 40] = values.Value5;
        slab[place + 48] = values.Value6;
        slab[place + 56] = values.Value7;
    }

    /// <summary>All bits where i is below the length, else none; without a branch.</summary>
    public static uint Mask(int i, int length) => (uint)((i - length) >> 31);

    /// <summary>The value with a full mask, 0 with an empty one.</summary>
    public static float Keep(float value, uint mask) => Interop.IntAsFloat(Interop.FloatAsInt(value) & mask);

    private static Eight AddProducts(float a, Four c, Four d, Eight sums)
    {
        sums.Value0 += a * c.Value0;
        sums.Value1 += a * c.Value1;
        sums.Value2 += a * c.Value2;
        sums.Value3 += a * c.Value3;
        sums.Value4 += a * d.Value0;
        sums.Value5 += a * d.Value1;
        sums.Value6 += a * d.Value2;
        sums.Value7 += a * d.Value3;
        return sums;
    }
}
