using System.Globalization;

namespace Tamx.Kernels.Devices;

/// <summary>
/// An engine's memory on a device. A call reserves all its buffers at once, so that an error can say how much it needs.
/// </summary>
/// <param name="device">The device.</param>
/// <param name="maxBytes">Most bytes to take, or 0 for all that the device has.</param>
internal sealed class DeviceMemory(IKernelDevice device, long maxBytes)
{
    private readonly long _limit = maxBytes > 0 ? Math.Min(maxBytes, device.Info.MemoryBytes) : device.Info.MemoryBytes;

    /// <summary>Makes room. A buffer that has to grow loses its content.</summary>
    /// <param name="wanted">Every buffer that the call uses, with its bytes. Other buffers keep their memory.</param>
    /// <exception cref="EngineUnavailableException">There is not enough memory.</exception>
    public void Reserve(params ReadOnlySpan<(DeviceBuffer Buffer, long Bytes)> wanted)
    {
        var total = 0L;
        var largest = 0L;
        foreach (var (buffer, bytes) in wanted)
        {
            total += Math.Max(bytes, buffer.Capacity);
            largest = Math.Max(largest, bytes);
        }

        if (total > _limit)
        {
            throw Lack(total, $"{Size(_limit)} may be used");
        }

        if (largest > device.LargestAllocation)
        {
            var most = Size(device.LargestAllocation);
            throw Lack(total, $"{Size(largest)} of them in one piece, where it gives {most} at most");
        }

        // All buffers that are too small are freed before any is allocated, so that the memory can be used again.
        foreach (var (buffer, bytes) in wanted)
        {
            if (bytes > buffer.Capacity && buffer.Memory != 0)
            {
                device.Free(buffer.Memory);
                (buffer.Memory, buffer.Capacity) = (0, 0);
            }
        }

        foreach (var (buffer, bytes) in wanted)
        {
            if (bytes > buffer.Capacity)
            {
                try
                {
                    buffer.Memory = device.Allocate(bytes);
                }
                catch (EngineUnavailableException e)
                {
                    throw Lack(total, $"the driver refused {Size(bytes)} of them: {e.Message}", e);
                }

                buffer.Capacity = bytes;
            }
        }
    }

    private EngineUnavailableException Lack(long bytes, string reason, EngineUnavailableException? inner = null) =>
        new(
            device.Info.Kind,
            $"{device.Info.Label} lacks memory: {Size(bytes)} are wanted, and {reason}; "
                + "compute maps in smaller slices (MaxWorkingBytes), or use the cpu engine",
            inner
        )
        {
            IsLackOfMemory = inner?.IsLackOfMemory ?? true,
        };

    private static string Size(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.###} MB");
}
