namespace Tamx.Kernels;

/// <summary>
/// Options of the machine: what computes, and how much of the machine it may take. No result depends on them beyond the
/// engines' tolerance.
/// </summary>
/// <remarks>They belong to whoever makes the engine (<see cref="TamEngine.Create(EngineOptions, Action{string}?)"/>),
/// and are saved with no result.</remarks>
public sealed record EngineOptions
{
    /// <summary>What <see cref="MaxWorkingBytes"/> is by default.</summary>
    internal const long DefaultWorkingBytes = 128L << 20;

    /// <summary>Which engine; <see cref="EngineKind.Auto"/> (the default) for the best that works.</summary>
    public EngineKind Kind { get; init; } = EngineKind.Auto;

    /// <summary>
    /// Name of the device to compute on, one of <see cref="TamEngine.Devices"/>; empty (the default) for the engine's
    /// best.
    /// </summary>
    public string Device { get; init; } = string.Empty;

    /// <summary>
    /// Threads that an engine on the processors may use; 0 (the default) lets it choose. Results do not depend on it.
    /// </summary>
    public int ThreadCount { get; init; }

    /// <summary>
    /// Most memory that an engine may take on a device, in bytes; 0 (the default) for all that it has.
    /// </summary>
    public long MaxDeviceBytes { get; init; }

    /// <summary>
    /// Memory for maps in the making, in bytes: an answer whose maps are larger is computed in slices, one token at a
    /// time at the least. The engine works in as much again. 128 MB by default; smaller slices take longer. Results do
    /// not depend on it.
    /// </summary>
    public long MaxWorkingBytes { get; init; } = DefaultWorkingBytes;

    /// <summary>
    /// For those that create engines: takes the device that is asked for, or the first; of nobody's choice, no other
    /// than a GPU.
    /// </summary>
    /// <param name="kind">The engine that is created.</param>
    /// <param name="devices">Its devices, at least one, the best first.</param>
    /// <returns>The device.</returns>
    /// <exception cref="EngineUnavailableException">It is not among them, or none is a GPU where nobody asked for the
    /// engine.</exception>
    public EngineDevice ChooseDevice(EngineKind kind, IReadOnlyList<EngineDevice> devices)
    {
        ArgumentNullException.ThrowIfNull(devices);
        var found = Device.Length > 0
            ? devices.FirstOrDefault(device => device.Name.Equals(Device, StringComparison.OrdinalIgnoreCase))
            : devices.FirstOrDefault(device => device.IsGpu || Kind != EngineKind.Auto);
        if (found is not null)
        {
            return found;
        }

        var names = devices.OrderBy(device => device.Name, StringComparer.Ordinal)
            .Select(device => $"{device.Name} ({device.Description})");
        var there = string.Join(", ", names);
        throw new EngineUnavailableException(kind, Device.Length > 0
            ? $"there is no device {Device}; there are: {there}"
            : $"engine {kind}: none of its devices is a GPU: {there}");
    }

    /// <summary>Refuses values that no engine can work with.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names the option.</exception>
    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Device);
        ArgumentOutOfRangeException.ThrowIfNegative(ThreadCount);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxDeviceBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxWorkingBytes, 1);
    }
}
