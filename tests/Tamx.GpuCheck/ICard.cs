using Tamx.Kernels;
using Tamx.Kernels.Devices;

namespace Tamx.GpuCheck;

/// <summary>A device by its bare driver. Its best rates are what kernels and copies are compared with.</summary>
internal interface ICard : IDisposable
{
    /// <summary>The device.</summary>
    EngineDevice Info { get; }

    /// <summary>Driver, compute capability and the like.</summary>
    string Facts { get; }

    /// <summary>Opens the device as the engine does.</summary>
    IKernelDevice Open();

    /// <summary>The device's own clock for kernels; null where none can measure the engine's launches.</summary>
    IDeviceClock? KernelClock { get; }

    /// <summary>Seconds for a copy inside the device.</summary>
    double CopyInside(long bytes);

    /// <summary>Seconds for a copy from the host or to it.</summary>
    double CopyHost(long bytes, bool isUpload, bool isPinned);

    /// <summary>Seconds for fused multiply-adds in registers, and their number of operations.</summary>
    (double Seconds, double Operations) MultiplyAdd();
}
