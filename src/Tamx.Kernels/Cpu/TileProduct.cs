using System.Runtime.CompilerServices;

namespace Tamx.Kernels.Cpu;

/// <summary>
/// The inner kernel of both products: twelve rows times a strip of one or two vectors, with the sums in registers.
/// </summary>
/// <remarks>
/// With 32 registers, twelve rows by two vectors take 24 sums, two vectors of the strip and one broadcast value. With
/// 16 registers, it is six rows at a time. Both hide the latency of a fused multiply-add and load less than they
/// compute. Each sum runs in index order, whatever the vector's width and the tile. So neither tiling nor threads
/// change a bit.
/// </remarks>
internal static unsafe class TileProduct<TSimd, TVector>
    where TSimd : ISimd<TVector>
    where TVector : struct
{
    /// <summary>Rows of a tile.</summary>
    public const int RowCount = 12;

    /// <summary>sums[r, lane] = sum over d of rows[r, d] * strip[d, lane].</summary>
    /// <param name="rows">Twelve rows.</param>
    /// <param name="rowStride">Floats from one row to the next.</param>
    /// <param name="strip">One or two vectors per step.</param>
    /// <param name="stripWidth">Lanes of the strip: one vector or two.</param>
    /// <param name="stripStride">Floats from one step of the strip to the next.</param>
    /// <param name="count">Steps.</param>
    /// <param name="sums">Receives twelve rows of <paramref name="stripWidth"/> lanes.</param>
    /// <param name="sumStride">Floats from one row of sums to the next.</param>
    public static void Multiply(
        float* rows,
        nint rowStride,
        float* strip,
        int stripWidth,
        nint stripStride,
        nint count,
        float* sums,
        nint sumStride)
    {
        if (stripWidth == TSimd.Count)
        {
            MultiplyOneVector(rows, rowStride, strip, stripStride, count, sums, sumStride);
        }
        else if (TSimd.Count == 16)
        {
            MultiplyTwelveRows(rows, rowStride, strip, stripStride, count, sums, sumStride);
        }
        else
        {
            MultiplySixRows(rows, rowStride, strip, stripStride, count, sums, sumStride);
            MultiplySixRows(
                rows + 6 * rowStride, rowStride, strip, stripStride, count, sums + 6 * sumStride, sumStride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyTwelveRows(
        float* rows, nint rowStride, float* strip, nint stripStride, nint count, float* sums, nint sumStride)
    {
        var width = TSimd.Count;
        TVector s0a = default, s1a = default, s2a = default, s3a = default, s4a = default, s5a = default;
        TVector s6a = default, s7a = default, s8a = default, s9a = default, s10a = default, s11a = default;
        TVector s0b = default, s1b = default, s2b = default, s3b = default, s4b = default, s5b = default;
        TVector s6b = default, s7b = default, s8b = default, s9b = default, s10b = default, s11b = default;
        var two = 2 * rowStride;
        var three = 3 * rowStride;
        var rows4 = rows + 4 * rowStride;
        var rows8 = rows + 8 * rowStride;
        for (nint d = 0; d < count; d++)
        {
            var a = TSimd.Load(strip);
            var b = TSimd.Load(strip + width);
            strip += stripStride;
            var value = TSimd.Create(*rows);
            s0a = TSimd.MultiplyAdd(value, a, s0a);
            s0b = TSimd.MultiplyAdd(value, b, s0b);
            value = TSimd.Create(rows[rowStride]);
            s1a = TSimd.MultiplyAdd(value, a, s1a);
            s1b = TSimd.MultiplyAdd(value, b, s1b);
            value = TSimd.Create(rows[two]);
            s2a = TSimd.MultiplyAdd(value, a, s2a);
            s2b = TSimd.MultiplyAdd(value, b, s2b);
            value = TSimd.Create(rows[three]);
            s3a = TSimd.MultiplyAdd(value, a, s3a);
            s3b = TSimd.MultiplyAdd(value, b, s3b);
            value = TSimd.Create(*rows4);
            s4a = TSimd.MultiplyAdd(value, a, s4a);
            s4b = TSimd.MultiplyAdd(value, b, s4b);
            value = TSimd.Create(rows4[rowStride]);
            s5a = TSimd.MultiplyAdd(value, a, s5a);
            s5b = TSimd.MultiplyAdd(value, b, s5b);
            value = TSimd.Create(rows4[two]);
            s6a = TSimd.MultiplyAdd(value, a, s6a);
            s6b = TSimd.MultiplyAdd(value, b, s6b);
            value = TSimd.Create(rows4[three]);
            s7a = TSimd.MultiplyAdd(value, a, s7a);
            s7b = TSimd.MultiplyAdd(value, b, s7b);
            value = TSimd.Create(*rows8);
            s8a = TSimd.MultiplyAdd(value, a, s8a);
            s8b = TSimd.MultiplyAdd(value, b, s8b);
            value = TSimd.Create(rows8[rowStride]);
            s9a = TSimd.MultiplyAdd(value, a, s9a);
            s9b = TSimd.MultiplyAdd(value, b, s9b);
            value = TSimd.Create(rows8[two]);
            s10a = TSimd.MultiplyAdd(value, a, s10a);
            s10b = TSimd.MultiplyAdd(value, b, s10b);
            value = TSimd.Create(rows8[three]);
            s11a = TSimd.MultiplyAdd(value, a, s11a);
            s11b = TSimd.MultiplyAdd(value, b, s11b);
            rows++;
            rows4++;
            rows8++;
        }

        TSimd.Store(s0a, sums);
        TSimd.Store(s0b, sums + width);
        TSimd.Store(s1a, sums + sumStride);
        TSimd.Store(s1b, sums + sumStride + width);
        TSimd.Store(s2a, sums + 2 * sumStride);
        TSimd.Store(s2b, sums + 2 * sumStride + width);
        TSimd.Store(s3a, sums + 3 * sumStride);
        TSimd.Store(s3b, sums + 3 * sumStride + width);
        TSimd.Store(s4a, sums + 4 * sumStride);
        TSimd.Store(s4b, sums + 4 * sumStride + width);
        TSimd.Store(s5a, sums + 5 * sumStride);
        TSimd.Store(s5b, sums + 5 * sumStride + width);
        TSimd.Store(s6a, sums + 6 * sumStride);
        TSimd.Store(s6b, sums + 6 * sumStride + width);
        TSimd.Store(s7a, sums + 7 * sumStride);
        TSimd.Store(s7b, sums + 7 * sumStride + width);
        TSimd.Store(s8a, sums + 8 * sumStride);
        TSimd.Store(s8b, sums + 8 * sumStride + width);
        TSimd.Store(s9a, sums + 9 * sumStride);
        TSimd.Store(s9b, sums + 9 * sumStride + width);
        TSimd.Store(s10a, sums + 10 * sumStride);
        TSimd.Store(s10b, sums + 10 * sumStride + width);
        TSimd.Store(s11a, sums + 11 * sumStride);
        TSimd.Store(s11b, sums + 11 * sumStride + width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplySixRows(
        float* rows, nint rowStride, float* strip, nint stripStride, nint count, float* sums, nint sumStride)
    {
        var width = TSimd.Count;
        TVector s0a = default, s1a = default, s2a = default, s3a = default, s4a = default, s5a = default;
        TVector s0b = default, s1b = default, s2b = default, s3b = default, s4b = default, s5b = default;
        var two = 2 * rowStride;
        var three = 3 * rowStride;
        var rows4 = rows + 4 * rowStride;
        for (nint d = 0; d < count; d++)
        {
            var a = TSimd.Load(strip);
            var b = TSimd.Load(strip + width);
            strip += stripStride;
            var value = TSimd.Create(*rows);
            s0a = TSimd.MultiplyAdd(value, a, s0a);
            s0b = TSimd.MultiplyAdd(value, b, s0b);
            value = TSimd.Create(rows[rowStride]);
            s1a = TSimd.MultiplyAdd(value, a, s1a);
            s1b = TSimd.MultiplyAdd(value, b, s1b);
            value = TSimd.Create(rows[two]);
            s2a = TSimd.MultiplyAdd(value, a, s2a);
            s2b = TSimd.MultiplyAdd(value, b, s2b);
            value = TSimd.Create(rows[three]);
            s3a = TSimd.MultiplyAdd(value, a, s3a);
            s3b = TSimd.MultiplyAdd(value, b, s3b);
            value = TSimd.Create(*rows4);
            s4a = TSimd.MultiplyAdd(value, a, s4a);
            s4b = TSimd.MultiplyAdd(value, b, s4b);
            value = TSimd.Create(rows4[rowStride]);
            s5a = TSimd.MultiplyAdd(value, a, s5a);
            s5b = TSimd.MultiplyAdd(value, b, s5b);
            rows++;
            rows4++;
        }

        TSimd.Store(s0a, sums);
        TSimd.Store(s0b, sums + width);
        TSimd.Store(s1a, sums + sumStride);
        TSimd.Store(s1b, sums + sumStride + width);
        TSimd.Store(s2a, sums + 2 * sumStride);
        TSimd.Store(s2b, sums + 2 * sumStride + width);
        TSimd.Store(s3a, sums + 3 * sumStride);
        TSimd.Store(s3b, sums + 3 * sumStride + width);
        TSimd.Store(s4a, sums + 4 * sumStride);
        TSimd.Store(s4b, sums + 4 * sumStride + width);
        TSimd.Store(s5a, sums + 5 * sumStride);
        TSimd.Store(s5b, sums + 5 * sumStride + width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyOneVector(
        float* rows, nint rowStride, float* strip, nint stripStride, nint count, float* sums, nint sumStride)
    {
        TVector s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default;
        TVector s6 = default, s7 = default, s8 = default, s9 = default, s10 = default, s11 = default;
        var two = 2 * rowStride;
        var three = 3 * rowStride;
        var rows4 = rows + 4 * rowStride;
        var rows8 = rows + 8 * rowStride;
        for (nint d = 0; d < count; d++)
        {
            var values = TSimd.Load(strip);
            strip += stripStride;
            s0 = TSimd.MultiplyAdd(TSimd.Create(*rows), values, s0);
            s1 = TSimd.MultiplyAdd(TSimd.Create(rows[rowStride]), values, s1);
            s2 = TSimd.MultiplyAdd(TSimd.Create(rows[two]), values, s2);
            s3 = TSimd.MultiplyAdd(TSimd.Create(rows[three]), values, s3);
            s4 = TSimd.MultiplyAdd(TSimd.Create(*rows4), values, s4);
            s5 = TSimd.MultiplyAdd(TSimd.Create(rows4[rowStride]), values, s5);
            s6 = TSimd.MultiplyAdd(TSimd.Create(rows4[two]), values, s6);
            s7 = TSimd.MultiplyAdd(TSimd.Create(rows4[three]), values, s7);
            s8 = TSimd.MultiplyAdd(TSimd.Create(*rows8), values, s8);
            s9 = TSimd.MultiplyAdd(TSimd.Create(rows8[rowStride]), values, s9);
            s10 = TSimd.MultiplyAdd(TSimd.Create(rows8[two]), values, s10);
            s11 = TSimd.MultiplyAdd(TSimd.Create(rows8[three]), values, s11);
            rows++;
            rows4++;
            rows8++;
        }

        TSimd.Store(s0, sums);
        TSimd.Store(s1, sums + sumStride);
        TSimd.Store(s2, sums + 2 * sumStride);
        TSimd.Store(s3, sums + 3 * sumStride);
        TSimd.Store(s4, sums + 4 * sumStride);
        TSimd.Store(s5, sums + 5 * sumStride);
        TSimd.Store(s6, sums + 6 * sumStride);
        TSimd.Store(s7, sums + 7 * sumStride);
        TSimd.Store(s8, sums + 8 * sumStride);
        TSimd.Store(s9, sums + 9 * sumStride);
        TSimd.Store(s10, sums + 10 * sumStride);
        TSimd.Store(s11, sums + 11 * sumStride);
    }
}
