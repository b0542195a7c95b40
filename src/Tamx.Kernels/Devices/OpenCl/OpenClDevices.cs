using System.Text;
using static Tamx.Kernels.Devices.OpenCl.OpenClMethods;

namespace Tamx.Kernels.Devices.OpenCl;

/// <summary>Finds and opens this machine's OpenCL devices.</summary>
internal static unsafe class OpenClDevices
{
    /// <summary>Finds the devices.</summary>
    /// <returns>All devices, platform by platform, with the drivers' ids.</returns>
    /// <exception cref="EngineUnavailableException">There is no OpenCL, or no device.</exception>
    public static IReadOnlyList<(nint Id, EngineDevice Device)> Find()
    {
        nint[] ids;
        try
        {
            ids = [.. Platforms().SelectMany(DevicesOf)];
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            var files = string.Join(" or ", DriverLibrary.FileNames(DriverLibrary.OpenCl));
            throw Unavailable($"there is no {files} on this machine; it comes with the driver of a GPU", e);
        }

        if (ids.Length == 0)
        {
            throw Unavailable("no driver offers a device; install the driver of a GPU");
        }

        return [.. ids.Select((id, index) => (id, Describe(id, index)))];
    }

    /// <summary>Opens a device.</summary>
    /// <param name="options">Which one.</param>
    /// <exception cref="EngineUnavailableException">There is no such device, or it cannot run the kernels.</exception>
    public static IKernelDevice Open(EngineOptions options)
    {
        // A discrete GPU comes before one that shares the CPU's memory, and any GPU before the CPU itself.
        var devices = Find();
        var ordered = devices
            .OrderByDescending(one => one.Device.IsGpu)
            .ThenBy(one => Number(one.Id, DeviceHostUnifiedMemory))
            .ThenByDescending(one => one.Device.MemoryBytes);
        var device = options.ChooseDevice(EngineKind.OpenCl, [.. ordered.Select(one => one.Device)]);
        return new OpenClDevice(devices.First(one => one.Device == device).Id, device);
    }

    /// <summary>A number that a device tells of itself; 0 where the driver fails.</summary>
    public static ulong Number(nint device, uint name)
    {
        var value = 0ul;
        return GetDeviceInfo(device, name, sizeof(ulong), &value, out _) == Success ? value : 0;
    }

    /// <summary>A text that a device tells of itself; empty where the driver fails.</summary>
    public static string Text(nint device, uint name)
    {
        if (GetDeviceInfo(device, name, 0, null, out var size) != Success || size == 0)
        {
            return string.Empty;
        }

        var text = new byte[size];
        fixed (byte* start = text)
        {
            return GetDeviceInfo(device, name, size, start, out _) == Success
                ? Encoding.UTF8.GetString(text).TrimEnd('\0').Trim()
                : string.Empty;
        }
    }

    private static EngineDevice Describe(nint id, int index) =>
        new(
            $"OpenCL{index}",
            EngineKind.OpenCl,
            Text(id, DeviceName),
            (long)Math.Min(Number(id, DeviceGlobalMemSize), long.MaxValue),
            (Number(id, DeviceType) & DeviceTypeGpu) != 0
        );

    private static nint[] Platforms()
    {
        var status = GetPlatformIds(0, null, out var count);
        if (status == PlatformNotFound || (status == Success && count == 0))
        {
            throw Unavailable("the loader is there, but no driver has registered with it; install the driver of a GPU");
        }

        OpenClDevice.Check(status, "listing the drivers");
        var platforms = new nint[count];
        fixed (nint* start = platforms)
        {
            OpenClDevice.Check(GetPlatformIds(count, start, out _), "listing the drivers");
        }

        return platforms;
    }

    /// <summary>A platform's devices; none where its driver fails, so that other platforms' are still found.</summary>
    private static nint[] DevicesOf(nint platform)
    {
        if (GetDeviceIds(platform, DeviceTypeAll, 0, null, out var count) != Success)
        {
            return [];
        }

        var devices = new nint[count];
        fixed (nint* start = devices)
        {
            return GetDeviceIds(platform, DeviceTypeAll, count, start, out _) == Success ? devices : [];
        }
    }

    private static EngineUnavailableException Unavailable(string reason, Exception? inner = null) =>
        new(EngineKind.OpenCl, $"engine opencl: {reason}", inner);
}
