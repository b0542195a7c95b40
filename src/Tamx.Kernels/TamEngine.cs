using Tamx.Kernels.Cpu;

namespace Tamx.Kernels;

/// <summary>The engines of this build, listed by hand.</summary>
public static class TamEngine
{
    private static readonly (EngineKind Kind, Func<int, ITamEngine> Create)[] Registry =
    [
        (EngineKind.Reference, _ => new ReferenceEngine()),
        (EngineKind.Cpu, CpuEngine.Create),
    ];

    /// <summary>What <see cref="EngineKind.Auto"/> tries, the best first.</summary>
    private static readonly EngineKind[] Preference = [EngineKind.Cuda, EngineKind.OpenCl, EngineKind.Cpu, EngineKind.Reference];

    /// <summary>The engines that are part of this build. One that needs a device may still be refused on this machine.</summary>
    public static IReadOnlyList<EngineKind> All { get; } = [.. Registry.Select(entry => entry.Kind)];

    /// <summary>Creates an engine. The caller disposes of it.</summary>
    /// <param name="kind">Which one; <see cref="EngineKind.Auto"/> takes the best that works.</param>
    /// <param name="threadCount">Threads an engine on the processor may use, or 0 to let it choose. Results do not depend on it.</param>
    /// <param name="log">Receives one line per engine that <see cref="EngineKind.Auto"/> passes over, with the reason.</param>
    /// <returns>The engine.</returns>
    /// <exception cref="EngineUnavailableException">The engine asked for is not in this build or does not work on this machine.</exception>
    public static ITamEngine Create(EngineKind kind, int threadCount = 0, Action<string>? log = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threadCount);
        if (kind != EngineKind.Auto)
        {
            return CreateOne(kind, threadCount);
        }

        foreach (var candidate in Preference)
        {
            try
            {
                return CreateOne(candidate, threadCount);
            }
            catch (EngineUnavailableException e)
            {
                log?.Invoke($"passed over: {e.Message}");
            }
        }

        throw new EngineUnavailableException(kind, "No engine works on this machine.");
    }

    private static ITamEngine CreateOne(EngineKind kind, int threadCount)
    {
        foreach (var entry in Registry)
        {
            if (entry.Kind == kind)
            {
                return entry.Create(threadCount);
            }
        }

        string available = string.Join(", ", All).ToLowerInvariant();
        throw new EngineUnavailableException(
            kind, $"engine {kind.ToString().ToLowerInvariant()} is not part of this build; it has: {available}");
    }
}
