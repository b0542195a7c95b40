using Tamx.Kernels.Cpu;
using Tamx.Kernels.Devices;
using Tamx.Kernels.Devices.Cuda;
using Tamx.Kernels.Devices.OpenCl;

namespace Tamx.Kernels;

/// <summary>The registry of engines: those of this assembly, and those that <see cref="Register"/> adds.</summary>
public static class TamEngines
{
    /// <summary>The devices that <see cref="EngineKind.Auto"/> tries before the CPU, the best first.</summary>
    private static readonly EngineKind[] DevicePreference = [EngineKind.Cuda, EngineKind.OpenCl];

    private static readonly Lock Registering = new();

    // Replaced as a whole, so that it is read without the lock.
    private static volatile Registration[] _registry =
    [
        new(EngineKind.Reference, options => new ReferenceEngine { MaxWorkingBytes = options.MaxWorkingBytes }, null),
        new(EngineKind.Cpu, CpuEngine.Create, null),
        OnDevice(EngineKind.OpenCl, OpenClDevices.Open, () => OpenClDevices.Find().Select(one => one.Device)),
        OnDevice(EngineKind.Cuda, CudaDevices.Open, () => CudaDevices.Find().Select(one => one.Device)),
    ];

    /// <summary>The engines that are part of this build. Some need a device that this machine may lack.</summary>
    public static IReadOnlyList<EngineKind> All => [.. _registry.Select(one => one.Kind)];

    /// <summary>The engines that compute on devices; see <see cref="EngineKind.HasDevice"/>.</summary>
    public static IReadOnlyList<EngineKind> OnDevices =>
        [.. _registry.Where(one => one.FindDevices is not null).Select(one => one.Kind)];

    /// <summary>The devices that engines can compute on. Each call asks this machine's drivers anew.</summary>
    public static IReadOnlyList<EngineDevice> Devices
    {
        get
        {
            var found = new List<EngineDevice>();
            foreach (var registration in _registry)
            {
                try
                {
                    found.AddRange(registration.FindDevices?.Invoke() ?? []);
                }
                catch (EngineUnavailableException)
                {
                    // It has no device here. Create says why.
                }
            }

            return found;
        }
    }

    /// <summary>
    /// Adds an engine, which can then be asked for by name. <see cref="EngineKind.Auto"/> does not choose it. May be
    /// called from any thread.
    /// </summary>
    /// <param name="kind">Its name: letters a to z.</param>
    /// <param name="create">
    /// Creates one with the options given. Called from any thread. Throws <see cref="EngineUnavailableException"/> with
    /// the reason where the engine does not work.
    /// </param>
    /// <param name="findDevices">
    /// Lists the engine's devices, the best first, under names that <see cref="EngineKind.HasDevice"/> knows. Throws
    /// <see cref="EngineUnavailableException"/> where there is none. Null for an engine on the CPU.
    /// </param>
    /// <exception cref="ArgumentException">The name is not all letters, or it is taken.</exception>
    public static void Register(
        EngineKind kind,
        Func<EngineOptions, ITamEngine> create,
        Func<IEnumerable<EngineDevice>>? findDevices = null
    )
    {
        ArgumentNullException.ThrowIfNull(create);
        if (kind.Name.Length == 0 || kind.Name.AsSpan().IndexOfAnyExceptInRange('a', 'z') >= 0)
        {
            throw new ArgumentException(
                $"An engine's name has letters a to z, so it cannot be '{kind}'.",
                nameof(kind)
            );
        }

        lock (Registering)
        {
            if (kind == EngineKind.Auto || All.Contains(kind))
            {
                throw new ArgumentException($"There is an engine {kind} already.", nameof(kind));
            }

            _registry = [.. _registry, new Registration(kind, create, findDevices)];
        }
    }

    /// <summary>Creates an engine. The caller disposes of it.</summary>
    /// <remarks>
    /// <para>
    /// <see cref="EngineKind.Auto"/> chooses the best engine that works: a GPU that computes a small problem correctly,
    /// or else the CPU. With a GPU, the CPU still computes what is too small to be worth the offload, and takes over if
    /// the GPU fails. An engine that is asked for by name uses any device it has, and fails where the device fails.
    /// </para>
    /// <para>Each engine on a device compiles its kernels anew, so use one engine for many calls.</para>
    /// </remarks>
    /// <param name="options">Which engine, and what it may take of the machine.</param>
    /// <param name="log">Told of each engine that <see cref="EngineKind.Auto"/> rejects or gives up, and why.</param>
    /// <returns>The engine.</returns>
    /// <exception cref="EngineUnavailableException">The engine is not in this build or does not work here.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static ITamEngine Create(EngineOptions options, Action<string>? log = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var kind = options.Kind == EngineKind.Auto && options.Device.Length > 0 ? KindOf(options.Device) : options.Kind;
        return kind == EngineKind.Auto ? CreateAuto(options, log) : CreateOne(kind, options);
    }

    /// <summary>
    /// Creates an engine with default options; see <see cref="Create(EngineOptions, Action{string}?)"/>.
    /// </summary>
    /// <param name="kind">Which engine.</param>
    /// <param name="log">Told of each engine that <see cref="EngineKind.Auto"/> rejects or gives up, and why.</param>
    /// <returns>The engine.</returns>
    /// <exception cref="EngineUnavailableException">The engine is not in this build or does not work here.</exception>
    public static ITamEngine Create(EngineKind kind, Action<string>? log = null) =>
        Create(new EngineOptions { Kind = kind }, log);

    private static EngineKind KindOf(string device)
    {
        var found = _registry.FirstOrDefault(one => one.FindDevices is not null && one.Kind.HasDevice(device));
        if (found is not null)
        {
            return found.Kind;
        }

        var there = string.Join(", ", Devices.Select(one => one.Label).DefaultIfEmpty("none"));
        throw new EngineUnavailableException(EngineKind.Auto, $"there is no device {device}; there are: {there}");
    }

    private static ITamEngine CreateAuto(EngineOptions options, Action<string>? log)
    {
        foreach (var candidate in DevicePreference)
        {
            ITamEngine? engine = null;
            try
            {
                engine = CreateOne(candidate, options);
                DeviceSelfTest.Run(engine);
                return new AutoEngine(engine, () => CreateOne(EngineKind.Cpu, options), OffloadCostModel.Assumed, log);
            }
            catch (EngineUnavailableException e)
            {
                engine?.Dispose();
                log?.Invoke($"passed over: {e.Message}");
            }
        }

        return CreateOne(EngineKind.Cpu, options);
    }

    private static ITamEngine CreateOne(EngineKind kind, EngineOptions options)
    {
        var found =
            _registry.FirstOrDefault(one => one.Kind == kind)
            ?? throw new EngineUnavailableException(
                kind,
                $"engine {kind} is not part of this build; it has: {string.Join(", ", All)}"
            );
        if (options.Device.Length > 0 && found.FindDevices is null)
        {
            throw new EngineUnavailableException(
                kind,
                $"engine {kind} computes on the CPU, not on device {options.Device}"
            );
        }

        return found.Create(options);
    }

    private static Registration OnDevice(
        EngineKind kind,
        Func<EngineOptions, IKernelDevice> open,
        Func<IEnumerable<EngineDevice>> find
    ) =>
        new(
            kind,
            options => new DeviceEngine(open(options), options.MaxDeviceBytes)
            {
                MaxWorkingBytes = options.MaxWorkingBytes,
            },
            find
        );

    private sealed record Registration(
        EngineKind Kind,
        Func<EngineOptions, ITamEngine> Create,
        Func<IEnumerable<EngineDevice>>? FindDevices
    );
}
