namespace Tamx.Kernels.Devices;

/// <summary>Memory on a device. Grows, and is kept from call to call; see <see cref="DeviceEngine"/>.</summary>
public sealed class DeviceBuffer
{
    /// <summary>The driver's name for it; 0 where there is none yet.</summary>
    public nint Memory { get; internal set; }

    /// <summary>Its size in bytes.</summary>
    public long Capacity { get; internal set; }
}
