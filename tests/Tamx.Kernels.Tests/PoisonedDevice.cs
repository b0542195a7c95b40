using System.Runtime.InteropServices;
using Tamx.Kernels.Devices;

namespace Tamx.Kernels.Tests;

/// <summary>
/// A device whose memory holds poison before it is written. A fence of poison follows each allocation. A read of
/// unwritten memory shows in the results. A write past the end is found when the memory is freed.
/// </summary>
internal sealed unsafe class PoisonedDevice(IKernelDevice device, float poison) : IKernelDevice
{
    private const int FenceSize = 1024;

    private readonly Dictionary<nint, long> _sizes = [];

    public EngineDevice Info => device.Info;

    public long LargestAllocation => device.LargestAllocation;

    public int ComputeUnitCount { get; init; } = device.ComputeUnitCount;

    /// <summary>Allocations whose fence was found unchanged.</summary>
    public int CheckedCount { get; private set; }

    /// <summary>A kernel that is not run.</summary>
    public DeviceKernel? Skipped { get; init; }

    /// <summary>Launches until the device is lost.</summary>
    public int LaunchesLeft { get; set; } = int.MaxValue;

    public nint Allocate(long bytes)
    {
        var memory = device.Allocate(bytes + FenceSize * sizeof(float));
        _sizes.Add(memory, bytes);
        Fill(memory, bytes);
        return memory;
    }

    public void Free(nint memory)
    {
        Check(memory);
        _sizes.Remove(memory);
        device.Free(memory);
    }

    public void Upload(nint memory, void* source, long bytes)
    {
        Assert.True(bytes <= _sizes[memory], "an upload is larger than its memory");

        // An upload must not rely on what an earlier call left there.
        Fill(memory, _sizes[memory]);
        device.Upload(memory, source, bytes);
    }

    public void Download(nint memory, void* destination, long bytes)
    {
        Assert.True(bytes <= _sizes[memory], "a download is larger than its memory");
        device.Download(memory, destination, bytes);
    }

    public void Launch(DeviceKernel kernel, int groupsX, int groupsY, ReadOnlySpan<KernelArgument> arguments)
    {
        if (LaunchesLeft-- <= 0)
        {
            throw new EngineUnavailableException(Info.Kind, "the device is lost");
        }

        if (kernel != Skipped)
        {
            device.Launch(kernel, groupsX, groupsY, arguments);
        }
    }

    public void Dispose()
    {
        foreach (var memory in _sizes.Keys)
        {
            Check(memory);
        }

        device.Dispose();
    }

    private void Fill(nint memory, long bytes)
    {
        var values = new float[bytes / sizeof(float) + FenceSize];
        Array.Fill(values, poison);
        fixed (float* start = values)
        {
            device.Upload(memory, start, (long)values.Length * sizeof(float));
        }
    }

    private void Check(nint memory)
    {
        var values = new float[_sizes[memory] / sizeof(float) + FenceSize];
        fixed (float* start = values)
        {
            device.Download(memory, start, (long)values.Length * sizeof(float));
        }

        foreach (var bits in MemoryMarshal.Cast<float, int>(values.AsSpan(^FenceSize..)))
        {
            Assert.Equal(BitConverter.SingleToInt32Bits(poison), bits);
        }

        CheckedCount++;
    }
}
