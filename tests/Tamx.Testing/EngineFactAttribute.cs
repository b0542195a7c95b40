using Tamx.Kernels;

namespace Tamx.Testing;

/// <summary>A test that wants an engine: skipped, with the reason, where it does not work. In CI (CI=true) OpenCL has to be there.</summary>
public sealed class EngineFactAttribute : FactAttribute
{
    public EngineFactAttribute(string engine) => Skip = Reason(engine);

    /// <summary>Why a test with this engine is skipped; null where it is not.</summary>
    internal static string? Reason(EngineKind kind)
    {
        bool required = kind == EngineKind.OpenCl && Environment.GetEnvironmentVariable("CI") == "true";
        string wayOut = kind == EngineKind.OpenCl ? " (Debian: apt-get install pocl-opencl-icd ocl-icd-libopencl1)" : string.Empty;
        return required || TestEngines.WhyNot(kind) is not { } reason ? null : reason + wayOut;
    }
}

/// <summary>A theory over <see cref="TestEngines.WorkingOnDevices"/>: skipped where there is none.</summary>
public sealed class DeviceTheoryAttribute : TheoryAttribute
{
    public DeviceTheoryAttribute() => Skip = TestEngines.WorkingOnDevices.Count > 0 ? null : EngineFactAttribute.Reason(EngineKind.OpenCl);
}
