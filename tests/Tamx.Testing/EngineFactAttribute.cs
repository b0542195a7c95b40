using Tamx.Kernels;
using Xunit;

namespace Tamx.Testing;

/// <summary>A test that wants an engine: skipped, with the reason, where it does not work. In CI (CI=true) OpenCL has to be there.</summary>
public sealed class EngineFactAttribute : FactAttribute
{
    public EngineFactAttribute(EngineKind kind)
    {
        bool required = kind == EngineKind.OpenCl && Environment.GetEnvironmentVariable("CI") == "true";
        string wayOut = kind == EngineKind.OpenCl ? " (Debian: apt-get install pocl-opencl-icd ocl-icd-libopencl1)" : string.Empty;
        Skip = required || TestEngines.WhyNot(kind) is not { } reason ? null : reason + wayOut;
    }
}
