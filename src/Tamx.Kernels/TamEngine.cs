using Tamx.Kernels.Cpu;
using Tamx.Kernels.Devices;
using Tamx.Kernels.Devices.Cuda;
using Tamx.Kernels.Devices.OpenCl;

namespace Tamx.Kernels;

/// <summary>The engines: those of this assembly, and those that are added to them.</summary>
public static class TamEngine
{
    /// <summary>What <see cref="EngineKind.Auto"/> tries before the processors, the best first.</summary>
    private static readonly EngineKind[] DevicePreference = [EngineKind.Cuda, EngineKind.OpenCl];

    private static readonly Lock Registering = new();

    // Replaced as a whole, so that it is read without the lock.
    private static volatile Entry[] _registry =
    [
        new(EngineKind.Reference, options => new ReferenceEngine { MaxWorkingBytes = options.MaxWorkingBytes }, null),
        new(EngineKind.Cpu, CpuEngine.Create, null),
        new(EngineKind.OpenCl, OpenClDevices.CreateEngine, () => OpenClDevices.Find().Select(one => one.Device)),
        new(EngineKind.Cuda, CudaDevices.CreateEngine, () => CudaDevices.Find().Select(one => one.Device)),
    ];

    /// <summary>The engines that are part of this build. One that needs a device may still be refused on this machine.</summary>
    public static IReadOnlyList<EngineKind> All => [.. _registry.Select(entry => entry.Kind)];

    /// <summary>Those that compute on devices; see <see cref="EngineKind.HasDevice"/>.</summary>
    public static IReadOnlyList<EngineKind> OnDevices => [.. _registry.Where(entry => entry.FindDevices is not null).Select(entry => entry.Kind)];

    /// <summary>The devices that engines can compute on, as this machine's drivers list them; looked for anew at each call.</summary>
    public static IReadOnlyList<EngineDevice> Devices
    {
        get
        {
            var found = new List<EngineDevice>();
            foreach (var entry in _registry)
            {
                try
                {
                    found.AddRange(entry.FindDevices?.Invoke() ?? []);
                }
                catch (EngineUnavailableException)
                {
                    // It has none here; who asks for it by name is told why.
                }
            }

            return found;
        }
    }

    /// <summary>
    /// Adds an engine, which can then be asked for by name like any other. <see cref="EngineKind.Auto"/> does not take it by itself. May be called from any thread.
    /// </summary>
    /// <param name="kind">Its name: letters a to z.</param>
    /// <param name="create">
    /// Creates one as it is asked for; called from any thread, and throws <see cref="EngineUnavailableException"/> with the reason where it does not work.
    /// </param>
    /// <param name="findDevices">
    /// Lists the devices it can compute on, the best first, by names that <see cref="EngineKind.HasDevice"/> knows; throws
    /// <see cref="EngineUnavailableException"/> where there is none. Null for an engine on the processors.
    /// </param>
    /// <exception cref="ArgumentException">The name has something else than letters, or there is an engine of that name.</exception>
    public static void Register(EngineKind kind, Func<EngineOptions, ITamEngine> create, Func<IEnumerable<EngineDevice>>? findDevices = null)
    {
        ArgumentNullException.ThrowIfNull(create);
        if (kind.Name.Length == 0 || kind.Name.AsSpan().IndexOfAnyExceptInRange('a', 'z') >= 0)
        {
            throw new ArgumentException($"An engine's name has letters a to z, so it cannot be '{kind}'.", nameof(kind));
        }

        lock (Registering)
        {
            if (kind == EngineKind.Auto || All.Contains(kind))
            {
                throw new ArgumentException($"There is an engine {kind} already.", nameof(kind));
            }

            _registry = [.. _registry, new Entry(kind, create, findDevices)];
        }
    }

    /// <summary>Creates an engine. The caller disposes of it, and hands it on as long as it is of use: on a device the driver compiles for each one anew.</summary>
    /// <param name="options">
    /// Which one, and what it may take. <see cref="EngineKind.Auto"/> takes the best that works: a GPU that computes a small problem rightly, else the processors, which also compute
    /// what is too small to be worth the way to the GPU, and take over if it fails later on. An engine asked for by name takes any device it has, and fails where that does.
    /// </param>
    /// <param name="log">Receives one line per engine that <see cref="EngineKind.Auto"/> passes over or gives up, with the reason.</param>
    /// <returns>The engine.</returns>
    /// <exception cref="EngineUnavailableException">The engine asked for is not in this build or does not work on this machine.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static ITamEngine Create(EngineOptions options, Action<string>? log = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var kind = options.Kind == EngineKind.Auto && options.Device.Length > 0 ? KindOf(options.Device) : options.Kind;
        if (kind != EngineKind.Auto)
        {
            return CreateOne(kind, options);
        }

        foreach (var candidate in DevicePreference)
        {
            ITamEngine? engine = null;
            try
            {
                engine = CreateOne(candidate, options);
                DeviceCheck.Run(engine);
                return new AutoEngine(engine, () => CreateOne(EngineKind.Cpu, options), WayToDevice.Assumed, log);
            }
            catch (EngineUnavailableException e)
            {
                engine?.Dispose();
                log?.Invoke($"passed over: {e.Message}");
            }
        }

        return CreateOne(EngineKind.Cpu, options);
    }

    /// <summary>Creates an engine that may take what it wants of the machine; see <see cref="Create(EngineOptions, Action{string}?)"/>.</summary>
    /// <param name="kind">Which one.</param>
    /// <param name="log">Receives one line per engine that <see cref="EngineKind.Auto"/> passes over or gives up, with the reason.</param>
    /// <returns>The engine.</returns>
    /// <exception cref="EngineUnavailableException">The engine asked for is not in this build or does not work on this machine.</exception>
    public static ITamEngine Create(EngineKind kind, Action<string>? log = null) => Create(new EngineOptions { Kind = kind }, log);

    private static EngineKind KindOf(string device)
    {
        foreach (var kind in OnDevices)
        {
            if (kind.HasDevice(device))
            {
                return kind;
            }
        }

        throw new EngineUnavailableException(
            EngineKind.Auto, $"there is no device {device}; there are: {string.Join(", ", Devices.Select(one => $"{one.Name} ({one.Description})").DefaultIfEmpty("none"))}");
    }

    private static ITamEngine CreateOne(EngineKind kind, EngineOptions options)
    {
        var entry = _registry.FirstOrDefault(entry => entry.Kind == kind)
            ?? throw new EngineUnavailableException(kind, $"engine {kind} is not part of this build; it has: {string.Join(", ", All)}");
        if (options.Device.Length > 0 && entry.FindDevices is null)
        {
            throw new EngineUnavailableException(kind, $"engine {kind} computes on the processors, not on device {options.Device}");
        }

        return entry.Create(options);
    }

    private sealed record Entry(EngineKind Kind, Func<EngineOptions, ITamEngine> Create, Func<IEnumerable<EngineDevice>>? FindDevices);
}
