namespace Tamx.Kernels;

/// <summary>The implementations of <see cref="ITamEngine"/> one can ask for.</summary>
public enum EngineKind
{
    /// <summary>The best that works on this machine.</summary>
    Auto,

    /// <summary>Plain scalar loops with float64 sums: the definition of the results.</summary>
    Reference,

    /// <summary>SIMD and threads.</summary>
    Cpu,

    /// <summary>An OpenCL device.</summary>
    OpenCl,

    /// <summary>A CUDA device.</summary>
    Cuda,
}
