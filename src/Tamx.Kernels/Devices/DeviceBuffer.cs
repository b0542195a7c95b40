namespace Tamx.Kernels.Devices;

/// <summary>A growing buffer on a device. <see cref="DeviceEngine"/> reuses it between calls.</summary>
internal sealed class DeviceBuffer
{
    /// <summary>The driver's handle; 0 before there is memory.</summary>
    public nint Memory { get; set; }

    /// <summary>Its size in bytes.</summary>
    public long Capacity { get; set; }

    /// <summary>The buffer as 32-bit numbers.</summary>
    public static implicit operator KernelArgument(DeviceBuffer buffer) => KernelArgument.From<int>(buffer.Memory);
}
