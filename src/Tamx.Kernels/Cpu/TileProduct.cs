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
        nint sumStride
    )
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
                rows + 6 * rowStride,
                rowStride,
                strip,
                stripStride,
                count,
                sums + 6 * sumStride,
                sumStride
            );
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyTwelveRows(
        float* rows,
        nint rowStride,
        float* strip,
        nint stripStride,
        nint count,
        float* sums,
        nint sumStride
    )
    {
        TVector s0a = default,
            s1a = default,
            s2a = default,
            s3a = default,
            s4a = default,
            s5a = default;
        TVector s6a = default,
            s7a = default,
            s8a = default,
            s9a = default,
            s10a = default,
            s11a = default;
        TVector s0b = default,
            s1b = default,
            s2b = default,
            s3b = default,
            s4b = default,
            s5b = default;
        TVector s6b = default,
            s7b = default,
            s8b = default,
            s9b = default,
            s10b = default,
            s11b = default;
        var two = 2 * rowStride;
        var three = 3 * rowStride;
        var rows4 = rows + 4 * rowStride;
        var rows8 = rows + 8 * rowStride;
        for (nint d = 0; d < count; d++)
        {
            var a = TSimd.Load(strip);
            var b = TSimd.Load(strip + TSimd.Count);
            strip += stripStride;
            AddRow(*rows, a, b, ref s0a, ref s0b);
            AddRow(rows[rowStride], a, b, ref s1a, ref s1b);
            AddRow(rows[two], a, b, ref s2a, ref s2b);
            AddRow(rows[three], a, b, ref s3a, ref s3b);
            AddRow(*rows4, a, b, ref s4a, ref s4b);
            AddRow(rows4[rowStride], a, b, ref s5a, ref s5b);
            AddRow(rows4[two], a, b, ref s6a, ref s6b);
            AddRow(rows4[three], a, b, ref s7a, ref s7b);
            AddRow(*rows8, a, b, ref s8a, ref s8b);
            AddRow(rows8[rowStride], a, b, ref s9a, ref s9b);
            AddRow(rows8[two], a, b, ref s10a, ref s10b);
            AddRow(rows8[three], a, b, ref s11a, ref s11b);
            rows++;
            rows4++;
            rows8++;
        }

        StoreRow(s0a, s0b, sums);
        StoreRow(s1a, s1b, sums + sumStride);
        StoreRow(s2a, s2b, sums + 2 * sumStride);
        StoreRow(s3a, s3b, sums + 3 * sumStride);
        StoreRow(s4a, s4b, sums + 4 * sumStride);
        StoreRow(s5a, s5b, sums + 5 * sumStride);
        StoreRow(s6a, s6b, sums + 6 * sumStride);
        StoreRow(s7a, s7b, sums + 7 * sumStride);
        StoreRow(s8a, s8b, sums + 8 * sumStride);
        StoreRow(s9a, s9b, sums + 9 * sumStride);
        StoreRow(s10a, s10b, sums + 10 * sumStride);
        StoreRow(s11a, s11b, sums + 11 * sumStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplySixRows(
        float* rows,
        nint rowStride,
        float* strip,
        nint stripStride,
        nint count,
        float* sums,
        nint sumStride
    )
    {
        TVector s0a = default,
            s1a = default,
            s2a = default,
            s3a = default,
            s4a = default,
            s5a = default;
        TVector s0b = default,
            s1b = default,
            s2b = default,
            s3b = default,
            s4b = default,
            s5b = default;
        var two = 2 * rowStride;
        var three = 3 * rowStride;
        var rows4 = rows + 4 * rowStride;
        for (nint d = 0; d < count; d++)
        {
            var a = TSimd.Load(strip);
            var b = TSimd.Load(strip + TSimd.Count);
            strip += stripStride;
            AddRow(*rows, a, b, ref s0a, ref s0b);
            AddRow(rows[rowStride], a, b, ref s1a, ref s1b);
            AddRow(rows[two], a, b, ref s2a, ref s2b);
            AddRow(rows[three], a, b, ref s3a, ref s3b);
            AddRow(*rows4, a, b, ref s4a, ref s4b);
            AddRow(rows4[rowStride], a, b, ref s5a, ref s5b);
            rows++;
            rows4++;
        }

        StoreRow(s0a, s0b, sums);
        StoreRow(s1a, s1b, sums + sumStride);
        StoreRow(s2a, s2b, sums + 2 * sumStride);
        StoreRow(s3a, s3b, sums + 3 * sumStride);
        StoreRow(s4a, s4b, sums + 4 * sumStride);
        StoreRow(s5a, s5b, sums + 5 * sumStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyOneVector(
        float* rows,
        nint rowStride,
        float* strip,
        nint stripStride,
        nint count,
        float* sums,
        nint sumStride
    )
    {
        TVector s0 = default,
            s1 = default,
            s2 = default,
            s3 = default,
            s4 = default,
            s5 = default;
        TVector s6 = default,
            s7 = default,
            s8 = default,
            s9 = default,
            s10 = default,
            s11 = default;
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

    /// <summary>Adds a value of a row, times two vectors of the strip, to the row's sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddRow(float value, TVector a, TVector b, ref TVector sumA, ref TVector sumB)
    {
        var values = TSimd.Create(value);
        sumA = TSimd.MultiplyAdd(values, a, sumA);
        sumB = TSimd.MultiplyAdd(values, b, sumB);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRow(TVector a, TVector b, float* sums)
    {
        TSimd.Store(a, sums);
        TSimd.Store(b, sums + TSimd.Count);
    }
}
