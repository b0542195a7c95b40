namespace Tamx.Kernels;

/// <summary>
/// Options of the machine: which engine computes, and how much of the machine it may take. Results do not depend on
/// them beyond the engines' tolerance, so they are not saved with results.
/// </summary>
public sealed record EngineOptions
{
    /// <summary>The default of <see cref="MaxWorkingBytes"/>.</summary>
    internal const long DefaultWorkingBytes = 128L << 20;

    /// <summary>Which engine; <see cref="EngineKind.Auto"/> (the default) for the best that works.</summary>
    public EngineKind Kind { get; init; } = EngineKind.Auto;

    /// <summary>
    /// Name of the device to compute on, one of <see cref="TamEngines.Devices"/>. Empty, the default, takes the
    /// engine's best.
    /// </summary>
    public string Device { get; init; } = string.Empty;

    /// <summary>
    /// Threads that an engine on the CPU may use. 0, the default, is one per logical processor. Results do not depend
    /// on it.
    /// </summary>
    public int ThreadCount { get; init; }

    /// <summary>Most memory that an engine may take on a device, in bytes. 0, the default, sets no limit.</summary>
    public long MaxDeviceBytes { get; init; }

    /// <summary>
    /// Memory for maps while they are computed, in bytes; 128 MB by default. An answer with larger maps is computed in
    /// slices of whole tokens. The engine's own buffers take as much again. Smaller slices take longer. Results do not
    /// depend on it.
    /// </summary>
    public long MaxWorkingBytes { get; init; } = DefaultWorkingBytes;

    /// <summary>
    /// For the code that creates an engine: finds the device that <see cref="Device"/> names, or else the first. Where
    /// <see cref="Kind"/> is <see cref="EngineKind.Auto"/> and no device is named, it is the first GPU.
    /// </summary>
    /// <param name="kind">The engine that is created.</param>
    /// <param name="devices">Its devices, at least one, the best first.</param>
    /// <returns>The device.</returns>
    /// <exception cref="EngineUnavailableException">There is no such device.</exception>
    public EngineDevice ChooseDevice(EngineKind kind, IReadOnlyList<EngineDevice> devices)
    {
        ArgumentNullException.ThrowIfNull(devices);
        var found =
            Device.Length > 0
                ? devices.FirstOrDefault(device => device.Name.Equals(Device, StringComparison.OrdinalIgnoreCase))
                : devices.FirstOrDefault(device => device.IsGpu || Kind != EngineKind.Auto);
        if (found is not null)
        {
            return found;
        }

        var labels = devices.OrderBy(device => device.Name, StringComparer.Ordinal).Select(device => device.Label);
        var there = string.Join(", ", labels);
        throw new EngineUnavailableException(
            kind,
            Device.Length > 0
                ? $"there is no device {Device}; there are: {there}"
                : $"engine {kind}: none of its devices is a GPU: {there}"
        );
    }

    /// <summary>Refuses values that no engine can work with.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names the option.</exception>
    public void Validate()
    {
        ArgumentNullException.ThrowIfNull(Device);
        ArgumentOutOfRangeException.ThrowIfNegative(ThreadCount);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxDeviceBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxWorkingBytes, 1);
    }
}
