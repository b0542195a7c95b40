using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Tamx.Kernels;
using Tamx.Kernels.Cpu;

namespace Tamx.Benchmarks;

/// <summary>What the engine for processors is made of, at the vector width that it would choose here.</summary>
internal abstract class VectorKernels
{
    /// <summary>The kernels of this machine.</summary>
    public static VectorKernels OfThisMachine { get; } =
        Vector512.IsHardwareAccelerated ? new OfWidth<Simd512, Vector512<float>>()
        : Vector256.IsHardwareAccelerated ? new OfWidth<Simd256, Vector256<float>>()
        : new OfWidth<Simd128, Vector128<float>>();

    /// <summary>Bits of a vector.</summary>
    public abstract int Bits { get; }

    /// <summary>
    /// The most multiply-adds that the machine does: GFLOP/s of independent fused operations that never leave the
    /// registers.
    /// </summary>
    public double MeasurePeak(int threadCount)
    {
        // Long enough that starting the threads does not show.
        const int Steps = 600_000;
        double best = 0;
        for (var round = 0; round < 100; round++)
        {
            var start = Stopwatch.GetTimestamp();
            var flops =
                threadCount == 1
                    ? MultiplyAdds(Steps)
                    : Enumerable
                        .Range(0, threadCount)
                        .AsParallel()
                        .WithDegreeOfParallelism(threadCount)
                        .WithExecutionMode(ParallelExecutionMode.ForceParallelism)
                        .Sum(_ => MultiplyAdds(Steps));
            best = Math.Max(best, flops / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
        }

        return best;
    }

    /// <summary>Filters frames one after another, in place.</summary>
    public abstract void Filter(float[] frames, int rowCount, int columnCount, int kernelSize);

    /// <summary>Keeps the registers busy; gives the number of floating-point operations.</summary>
    protected abstract double MultiplyAdds(int steps);

    private sealed unsafe class OfWidth<TSimd, TVector> : VectorKernels
        where TSimd : ISimd<TVector>
        where TVector : struct
    {
        public override int Bits => 32 * TSimd.Count;

        public override void Filter(float[] frames, int rowCount, int columnCount, int kernelSize)
        {
            using var filter = new WindowFilter<TSimd, TVector>();
            fixed (float* first = frames)
            {
                for (var i = 0; i < frames.Length; i += rowCount * columnCount)
                {
                    filter.Apply(first + i, rowCount, columnCount, kernelSize, ConstantWindow.Zero, 0);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        protected override double MultiplyAdds(int steps)
        {
            var x = TSimd.Create(0.999f);
            var y = TSimd.Create(1e-3f);
            TVector a = y,
                b = y,
                c = y,
                d = y,
                e = y,
                f = y,
                g = y,
                h = y,
                i = y,
                j = y,
                k = y,
                l = y;
            for (var step = 0; step < steps; step++)
            {
                a = TSimd.MultiplyAdd(a, x, y);
                b = TSimd.MultiplyAdd(b, x, y);
                c = TSimd.MultiplyAdd(c, x, y);
                d = TSimd.MultiplyAdd(d, x, y);
                e = TSimd.MultiplyAdd(e, x, y);
                f = TSimd.MultiplyAdd(f, x, y);
                g = TSimd.MultiplyAdd(g, x, y);
                h = TSimd.MultiplyAdd(h, x, y);
                i = TSimd.MultiplyAdd(i, x, y);
                j = TSimd.MultiplyAdd(j, x, y);
                k = TSimd.MultiplyAdd(k, x, y);
                l = TSimd.MultiplyAdd(l, x, y);
            }

            // The sums are looked at, so that they are computed.
            var sum = TSimd.Add(
                TSimd.Add(TSimd.Add(a, b), TSimd.Add(c, d)),
                TSimd.Add(TSimd.Add(e, f), TSimd.Add(g, h))
            );
            sum = TSimd.Add(sum, TSimd.Add(TSimd.Add(i, j), TSimd.Add(k, l)));
            return float.IsNaN(TSimd.MaxLane(sum)) ? 0 : 2.0 * 12 * TSimd.Count * steps;
        }
    }
}
