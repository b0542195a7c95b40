using Tamx.Kernels;
using Xunit;

namespace Tamx.Testing;

/// <summary>The registry's engines that work on this machine, for theories that walk them.</summary>
public static class TestEngines
{
    private static readonly Dictionary<EngineKind, string?> Refusals = TamEngine.All.ToDictionary(kind => kind, Refusal);

    /// <summary>The engines that work here. That OpenCL is among them in CI, an <see cref="EngineFactAttribute"/> sees to.</summary>
    public static IReadOnlyList<EngineKind> Working { get; } = [.. TamEngine.All.Where(kind => Refusals[kind] is null)];

    /// <summary>Those of them that compute on a device.</summary>
    public static IReadOnlyList<EngineKind> WorkingOnDevices { get; } = [.. Working.Intersect([EngineKind.OpenCl, EngineKind.Cuda])];

    /// <summary><see cref="Working"/>, as the data of a theory.</summary>
    public static TheoryData<EngineKind> Kinds => [.. Working];

    /// <summary>Why an engine does not work here; null where it does.</summary>
    public static string? WhyNot(EngineKind kind) => Refusals[kind];

    /// <summary>What an engine may differ from the reference by, on normalised maps. The largest difference seen is about 1e-6 with any.</summary>
    public static double Tolerance(EngineKind kind) => WorkingOnDevices.Contains(kind) ? 5e-6 : 2e-6;

    private static string? Refusal(EngineKind kind)
    {
        try
        {
            TamEngine.Create(kind).Dispose();
            return null;
        }
        catch (EngineUnavailableException e)
        {
            return e.Message;
        }
    }
}
