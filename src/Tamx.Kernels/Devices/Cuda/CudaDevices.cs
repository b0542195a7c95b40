using System.Text;
using static Tamx.Kernels.Devices.Cuda.CudaMethods;

namespace Tamx.Kernels.Devices.Cuda;

/// <summary>Finds and opens this machine's CUDA devices.</summary>
internal static unsafe class CudaDevices
{
    /// <summary>Finds the devices.</summary>
    /// <returns>All devices in the driver's order, with their handles.</returns>
    /// <exception cref="EngineUnavailableException">There is no driver, or no device.</exception>
    public static IReadOnlyList<(int Handle, EngineDevice Device)> Find()
    {
        int status;
        try
        {
            status = Init(0);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            var files = string.Join(" or ", DriverLibrary.FileNames(DriverLibrary.Cuda).DefaultIfEmpty("CUDA"));
            throw Unavailable($"there is no {files} on this machine; it comes with NVIDIA's driver", e);
        }

        var count = 0;
        if (status == Success)
        {
            CudaDevice.Check(DeviceGetCount(out count), "counting the devices");
        }
        else if (status != NoDevice)
        {
            CudaDevice.Check(status, "starting the driver");
        }

        if (count == 0)
        {
            throw Unavailable("the driver is there, but no device");
        }

        return [.. Enumerable.Range(0, count).Select(Describe)];
    }

    /// <summary>Opens a device.</summary>
    /// <param name="options">Which one.</param>
    /// <exception cref="EngineUnavailableException">There is no such device, or it cannot run the kernels.</exception>
    public static IKernelDevice Open(EngineOptions options)
    {
        var devices = Find();
        var device = options.ChooseDevice(EngineKind.Cuda, [.. devices.Select(one => one.Device)]);
        return new CudaDevice(devices.First(one => one.Device == device).Handle, device);
    }

    /// <summary>A number that a device tells of itself.</summary>
    public static int Attribute(int handle, int name)
    {
        CudaDevice.Check(DeviceGetAttribute(out var value, name, handle), "asking for a device's attribute");
        return value;
    }

    /// <summary>A device's compute capability.</summary>
    public static (int Major, int Minor) Capability(int handle) =>
        (Attribute(handle, ComputeCapabilityMajor), Attribute(handle, ComputeCapabilityMinor));

    private static (int Handle, EngineDevice Device) Describe(int ordinal)
    {
        CudaDevice.Check(DeviceGet(out var handle, ordinal), "asking for a device");
        var name = new byte[256];
        fixed (byte* start = name)
        {
            CudaDevice.Check(DeviceGetName(start, name.Length, handle), "asking for a device's name");
        }

        CudaDevice.Check(DeviceTotalMemory(out var bytes, handle), "asking for a device's memory");
        var description = Encoding.UTF8.GetString(name, 0, Array.IndexOf<byte>(name, 0));
        return (handle, new EngineDevice($"CUDA{ordinal}", EngineKind.Cuda, description, (long)bytes, IsGpu: true));
    }

    private static EngineUnavailableException Unavailable(string reason, Exception? inner = null) =>
        new(EngineKind.Cuda, $"engine cuda: {reason}", inner);
}
