namespace Tamx.Kernels;

/// <summary>What is wanted of an engine.</summary>
/// <param name="ThreadCount">Threads for an engine on the processor; 0 to let it choose.</param>
/// <param name="Device">Name of the device; empty for the best.</param>
/// <param name="MaxDeviceBytes">Most memory to take on a device, in bytes; 0 for all there is.</param>
/// <param name="GpuOnly">Take no device but a GPU.</param>
public sealed record EngineRequest(int ThreadCount, string Device, long MaxDeviceBytes, bool GpuOnly)
{
    /// <summary>Takes the device that is asked for, or the first.</summary>
    /// <param name="kind">The engine.</param>
    /// <param name="devices">Its devices, at least one, the best first.</param>
    /// <returns>The device.</returns>
    /// <exception cref="EngineUnavailableException">It is not among them, or none is a GPU and one is wanted.</exception>
    public EngineDevice Choose(EngineKind kind, IReadOnlyList<EngineDevice> devices)
    {
        ArgumentNullException.ThrowIfNull(devices);
        var found = Device.Length > 0
            ? devices.FirstOrDefault(device => device.Name.Equals(Device, StringComparison.OrdinalIgnoreCase))
            : devices.FirstOrDefault(device => device.IsGpu || !GpuOnly);
        if (found is not null)
        {
            return found;
        }

        string there = string.Join(", ", devices.OrderBy(device => device.Name, StringComparer.Ordinal).Select(device => $"{device.Name} ({device.Description})"));
        throw new EngineUnavailableException(
            kind, Device.Length > 0 ? $"there is no device {Device}; there are: {there}" : $"engine {kind}: none of its devices is a GPU: {there}");
    }
}
