using Tamx.Kernels;
using Tamx.Kernels.Devices;

namespace Tamx.GpuCheck;

/// <summary>
/// A device by its bare driver: what it can do at the best, which kernels and copies are measured against.
/// </summary>
internal interface ICard : IDisposable
{
    /// <summary>The device.</summary>
    EngineDevice Info { get; }

    /// <summary>Driver, compute capability and the like.</summary>
    string Facts { get; }

    /// <summary>Opens the device as the engine does.</summary>
    IKernelDevice Open();

    /// <summary>
    /// A clock of the device's own for its kernels; null where there is none that sees the engine's launches.
    /// </summary>
    IDeviceClock? KernelClock { get; }

    /// <summary>Seconds for a copy inside the device.</summary>
    double CopyInside(long bytes);

    /// <summary>Seconds for a copy from the host or to it.</summary>
    double CopyHost(long bytes, bool isUpload, bool isPinned);

    /// <summary>Seconds for fused products and sums in registers, and how many operations that were.</summary>
    (double Seconds, double Operations) MultiplyAdd();
}
