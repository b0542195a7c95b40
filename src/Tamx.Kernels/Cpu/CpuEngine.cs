using System.Runtime.Intrinsics;

namespace Tamx.Kernels.Cpu;

/// <summary>Creates the engine on the CPU with the widest vectors that the machine has.</summary>
internal static class CpuEngine
{
    /// <summary>Creates the engine.</summary>
    /// <param name="options">What it may take. A thread count of 0 is one per logical processor.</param>
    public static ITamEngine Create(EngineOptions options)
    {
        var threads = options.ThreadCount > 0 ? options.ThreadCount : Environment.ProcessorCount;
        var bytes = options.MaxWorkingBytes;
        if (Vector512.IsHardwareAccelerated)
        {
            return new VectorEngine<Simd512, Vector512<float>>(threads) { MaxWorkingBytes = bytes };
        }

        return Vector256.IsHardwareAccelerated
            ? new VectorEngine<Simd256, Vector256<float>>(threads) { MaxWorkingBytes = bytes }
            : new VectorEngine<Simd128, Vector128<float>>(threads) { MaxWorkingBytes = bytes };
    }
}
