namespace Tamx.Llama;

/// <summary>What a device of llama.cpp is.</summary>
public enum ComputeDeviceKind
{
    /// <summary>The CPU.</summary>
    Cpu = 0,

    /// <summary>A graphics card with memory of its own.</summary>
    Gpu = 1,

    /// <summary>A graphics unit that shares the CPU's memory.</summary>
    IntegratedGpu = 2,

    /// <summary>An accelerator that works beside the CPU.</summary>
    Accelerator = 3,

    /// <summary>Anything else.</summary>
    Other = 4,
}

/// <summary>A device that llama.cpp can compute on.</summary>
/// <param name="Name">Short name, for example <c>CPU</c> or <c>CUDA0</c>.</param>
/// <param name="Description">What the driver calls it.</param>
/// <param name="Kind">What it is.</param>
/// <param name="FreeMemoryBytes">Free memory in bytes.</param>
/// <param name="TotalMemoryBytes">Memory in bytes.</param>
public sealed record ComputeDevice(
    string Name,
    string Description,
    ComputeDeviceKind Kind,
    ulong FreeMemoryBytes,
    ulong TotalMemoryBytes
)
{
    /// <summary>Whether layers can be put on it.</summary>
    public bool IsGpu => Kind is ComputeDeviceKind.Gpu or ComputeDeviceKind.IntegratedGpu;
}
