using Tamx.Kernels.Cpu;
using Tamx.Kernels.Devices;
using Tamx.Kernels.Devices.Cuda;
using Tamx.Kernels.Devices.OpenCl;

namespace Tamx.Kernels;

/// <summary>The engines of this build, listed by hand.</summary>
public static class TamEngine
{
    private static readonly (EngineKind Kind, Func<EngineRequest, ITamEngine> Create)[] Registry =
    [
        (EngineKind.Reference, _ => new ReferenceEngine()),
        (EngineKind.Cpu, request => CpuEngine.Create(request.ThreadCount)),
        (EngineKind.OpenCl, OpenClDevices.CreateEngine),
        (EngineKind.Cuda, CudaDevices.CreateEngine),
    ];

    /// <summary>What <see cref="EngineKind.Auto"/> tries before the processors, the best first.</summary>
    private static readonly EngineKind[] DevicePreference = [EngineKind.Cuda, EngineKind.OpenCl];

    /// <summary>The engines that are part of this build. One that needs a device may still be refused on this machine.</summary>
    public static IReadOnlyList<EngineKind> All { get; } = [.. Registry.Select(entry => entry.Kind)];

    /// <summary>The devices that engines can compute on, as this machine's drivers list them; looked for anew at each call.</summary>
    public static IReadOnlyList<EngineDevice> Devices
    {
        get
        {
            var found = new List<EngineDevice>();
            foreach (var list in (Func<IEnumerable<EngineDevice>>[])[() => CudaDevices.Find().Select(one => one.Device), () => OpenClDevices.Find().Select(one => one.Device)])
            {
                try
                {
                    found.AddRange(list());
                }
                catch (EngineUnavailableException)
                {
                    // It has none here; who asks for it by name is told why.
                }
            }

            return found;
        }
    }

    /// <summary>Creates an engine. The caller disposes of it.</summary>
    /// <param name="kind">
    /// Which one. <see cref="EngineKind.Auto"/> takes the best that works: a GPU that computes a small problem rightly, else the processors, which also take over if the GPU fails
    /// later on. An engine asked for by name takes any device it has, and fails where that does.
    /// </param>
    /// <param name="threadCount">Threads an engine on the processor may use, or 0 to let it choose. Results do not depend on it.</param>
    /// <param name="log">Receives one line per engine that <see cref="EngineKind.Auto"/> passes over or gives up, with the reason.</param>
    /// <param name="device">Name of the device to compute on, one of <see cref="Devices"/>; empty for the best.</param>
    /// <param name="maxDeviceBytes">Most memory to take on a device, in bytes, or 0 for all that it has.</param>
    /// <returns>The engine.</returns>
    /// <exception cref="EngineUnavailableException">The engine asked for is not in this build or does not work on this machine.</exception>
    public static ITamEngine Create(EngineKind kind, int threadCount = 0, Action<string>? log = null, string device = "", long maxDeviceBytes = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threadCount);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentOutOfRangeException.ThrowIfNegative(maxDeviceBytes);
        var request = new EngineRequest(threadCount, device, maxDeviceBytes, GpuOnly: kind == EngineKind.Auto);
        if (kind == EngineKind.Auto && device.Length > 0)
        {
            kind = KindOf(device);
        }

        if (kind != EngineKind.Auto)
        {
            return CreateOne(kind, request);
        }

        foreach (var candidate in DevicePreference)
        {
            ITamEngine? engine = null;
            try
            {
                engine = CreateOne(candidate, request);
                DeviceCheck.Run(engine);
                return new FallbackEngine(engine, () => CreateOne(EngineKind.Cpu, request), log);
            }
            catch (EngineUnavailableException e)
            {
                engine?.Dispose();
                log?.Invoke($"passed over: {e.Message}");
            }
        }

        return CreateOne(EngineKind.Cpu, request);
    }

    private static EngineKind KindOf(string device) => DevicePreference.FirstOrDefault(kind => device.StartsWith(kind.ToString(), StringComparison.OrdinalIgnoreCase)) switch
    {
        EngineKind.Auto => throw new EngineUnavailableException(
            EngineKind.Auto, $"there is no device {device}; there are: {string.Join(", ", Devices.Select(one => $"{one.Name} ({one.Description})").DefaultIfEmpty("none"))}"),
        var kind => kind,
    };

    private static ITamEngine CreateOne(EngineKind kind, EngineRequest request)
    {
        if (request.Device.Length > 0 && !DevicePreference.Contains(kind))
        {
            throw new EngineUnavailableException(kind, $"engine {kind.ToString().ToLowerInvariant()} computes on the processors, not on device {request.Device}");
        }

        foreach (var entry in Registry)
        {
            if (entry.Kind == kind)
            {
                return entry.Create(request);
            }
        }

        string available = string.Join(", ", All).ToLowerInvariant();
        throw new EngineUnavailableException(
            kind, $"engine {kind.ToString().ToLowerInvariant()} is not part of this build; it has: {available}");
    }
}
