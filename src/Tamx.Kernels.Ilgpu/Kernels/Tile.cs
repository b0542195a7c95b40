using ILGPU;

namespace Tamx.Kernels.Ilgpu.Kernels;

/// <summary>
/// The inner part of both matrix products. A group of 16 x 16 threads makes a tile of 64 x 64 results, 4 x 4 per thread, from slabs of 16
/// terms of the sums that lie in shared memory: every value that is fetched from there serves four products.
/// A thread's results lie 16 apart, so that neighbours read and write neighbouring values. The padding keeps writes by column apart.
/// </summary>
internal static class Tile
{
    public const int Size = 64;
    public const int Stride = Size + 1;
    public const int Slab = 16;
    public const int Step = 16;
    public const int SlabLength = Slab * Stride;

    /// <summary>Sums of a thread: the row y + 16 i of the tile in the i-th field, the column x + 16 j in the j-th of that. Fields, since ILGPU keeps arrays in memory.</summary>
    public struct Sums
    {
        public Four Row0;
        public Four Row1;
        public Four Row2;
        public Four Row3;
    }

    /// <summary>Four values that lie 16 apart.</summary>
    public struct Four
    {
        public float Value0;
        public float Value1;
        public float Value2;
        public float Value3;
    }

    /// <summary>sums[i, j] += left[k, y + 16 i] * right[k, x + 16 j] over a slab, in order of k: a term of weight 0 leaves the sum as it is, wherever it stands.</summary>
    public static Sums AddProducts(ArrayView<float> left, ArrayView<float> right, Sums sums)
    {
        for (int k = 0; k < Slab; k++)
        {
            Four a = Load(left, k * Stride + Group.IdxY);
            Four b = Load(right, k * Stride + Group.IdxX);
            sums.Row0 = AddProducts(a.Value0, b, sums.Row0);
            sums.Row1 = AddProducts(a.Value1, b, sums.Row1);
            sums.Row2 = AddProducts(a.Value2, b, sums.Row2);
            sums.Row3 = AddProducts(a.Value3, b, sums.Row3);
        }

        return sums;
    }

    /// <summary>Copies 64 rows x 16 values of a matrix [rowCount, length] into slab[k, row], with zeros for what lies outside.</summary>
    public static void LoadRows(ArrayView<float> matrix, int firstRow, int rowCount, int length, int first, ArrayView<float> slab)
    {
        int k = first + Group.IdxX;
        for (int row = Group.IdxY; row < Size; row += Step)
        {
            float value = 0;
            if (firstRow + row < rowCount && k < length)
            {
                value = matrix[(long)(firstRow + row) * length + k];
            }

            slab[Group.IdxX * Stride + row] = value;
        }
    }

    private static Four AddProducts(float a, Four b, Four sums)
    {
        sums.Value0 += a * b.Value0;
        sums.Value1 += a * b.Value1;
        sums.Value2 += a * b.Value2;
        sums.Value3 += a * b.Value3;
        return sums;
    }

    private static Four Load(ArrayView<float> slab, int start) => new()
    {
        Value0 = slab[start],
        Value1 = slab[start + Step],
        Value2 = slab[start + 2 * Step],
        Value3 = slab[start + 3 * Step],
    };
}
