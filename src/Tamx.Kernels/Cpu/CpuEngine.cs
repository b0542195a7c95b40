using System.Runtime.Intrinsics;

namespace Tamx.Kernels.Cpu;

/// <summary>Chooses the vectors that the machine has.</summary>
internal static class CpuEngine
{
    /// <summary>Creates the engine.</summary>
    /// <param name="threadCount">Threads, or 0 for one per processor.</param>
    public static ITamEngine Create(int threadCount)
    {
        int threads = threadCount > 0 ? threadCount : Environment.ProcessorCount;
        if (Vector512.IsHardwareAccelerated)
        {
            return new VectorEngine<Simd512, Vector512<float>>(threads);
        }

        return Vector256.IsHardwareAccelerated
            ? new VectorEngine<Simd256, Vector256<float>>(threads)
            : new VectorEngine<Simd128, Vector128<float>>(threads);
    }
}
