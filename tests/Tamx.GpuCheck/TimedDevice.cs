using Tamx.Kernels;
using Tamx.Kernels.Devices;

namespace Tamx.GpuCheck;

/// <summary>
/// A device that measures an engine's calls: copies by the host's clock, kernels by the device's.
/// </summary>
internal sealed unsafe class TimedDevice : IKernelDevice
{
    private readonly IKernelDevice _device;
    private readonly IDeviceClock _kernelClock;
    private readonly HostClock _copyClock;
    private readonly nint _scratch;

    /// <summary>Creates it.</summary>
    /// <param name="device">The device. This one disposes of it.</param>
    /// <param name="kernelClock">Measures kernels; null for the host's clock.</param>
    public TimedDevice(IKernelDevice device, IDeviceClock? kernelClock)
    {
        _device = device;
        _scratch = device.Allocate(sizeof(int));
        _copyClock = new HostClock(Wait);
        _copyClock.Calibrate();
        _kernelClock = kernelClock ?? _copyClock;
    }

    public EngineDevice Info => _device.Info;

    public long LargestAllocation => _device.LargestAllocation;

    public int ComputeUnitCount => _device.ComputeUnitCount;

    /// <summary>Seconds of uploads since <see cref="Clear"/>.</summary>
    public double UploadSeconds { get; private set; }

    /// <summary>Seconds of downloads since <see cref="Clear"/>.</summary>
    public double DownloadSeconds { get; private set; }

    /// <summary>Bytes of uploads and downloads since <see cref="Clear"/>.</summary>
    public long CopiedBytes { get; private set; }

    /// <summary>Seconds of each kernel since <see cref="Clear"/>.</summary>
    public Dictionary<DeviceKernel, double> KernelSeconds { get; } = [];

    /// <summary>Resets all measurements.</summary>
    public void Clear()
    {
        (UploadSeconds, DownloadSeconds, CopiedBytes) = (0, 0, 0);
        KernelSeconds.Clear();
    }

    public nint Allocate(long bytes) => _device.Allocate(bytes);

    public void Free(nint memory) => _device.Free(memory);

    public void Upload(nint memory, void* source, long bytes)
    {
        _copyClock.Start();
        _device.Upload(memory, source, bytes);
        UploadSeconds += _copyClock.Stop();
        CopiedBytes += bytes;
    }

    public void Download(nint memory, void* destination, long bytes)
    {
        _copyClock.Start();
        _device.Download(memory, destination, bytes);
        DownloadSeconds += _copyClock.Stop();
        CopiedBytes += bytes;
    }

    public void Launch(DeviceKernel kernel, int groupsX, int groupsY, ReadOnlySpan<KernelArgument> arguments)
    {
        _kernelClock.Start();
        _device.Launch(kernel, groupsX, groupsY, arguments);
        KernelSeconds[kernel] = KernelSeconds.GetValueOrDefault(kernel) + _kernelClock.Stop();
    }

    public void Dispose() => _device.Dispose();

    /// <summary>Waits by a download, which runs after all other work.</summary>
    private void Wait()
    {
        int value;
        _device.Download(_scratch, &value, sizeof(int));
    }
}
