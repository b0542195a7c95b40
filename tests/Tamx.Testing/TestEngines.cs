using System.Collections.Concurrent;
using Tamx.Kernels;

namespace Tamx.Testing;

/// <summary>The registry's engines that work on this machine, for theories that walk them.</summary>
public static class TestEngines
{
    private static readonly ConcurrentDictionary<EngineKind, string?> Refusals = new();

    /// <summary>The engines that work here. That OpenCL is among them in CI, a test holds.</summary>
    public static IReadOnlyList<EngineKind> Working => [.. TamEngines.All.Where(kind => WhyNot(kind) is null)];

    /// <summary>Those of them that compute on a device.</summary>
    public static IReadOnlyList<EngineKind> WorkingOnDevices => [.. Working.Intersect(TamEngines.OnDevices)];

    /// <summary><see cref="Working"/>, as the data of a theory: names, which a runner can show and filter by.</summary>
    public static TheoryData<string> Names => [.. Working.Select(kind => kind.Name)];

    /// <summary>
    /// <see cref="WorkingOnDevices"/> as the data of a theory. Where there is none, one row is skipped with the reason.
    /// </summary>
    public static TheoryData<string> DeviceNames =>
        WorkingOnDevices.Count > 0
            ? [.. WorkingOnDevices.Select(kind => kind.Name)]
            : [new TheoryDataRow<string>(EngineKind.OpenCl.Name) { Skip = Missing(EngineKind.OpenCl) }];

    /// <summary>Skips the test where an engine does not work. In CI (CI=true) OpenCL has to.</summary>
    public static void SkipWithout(EngineKind kind)
    {
        if (Missing(kind) is { } reason)
        {
            Assert.Skip(reason);
        }
    }

    /// <summary>Why an engine does not work here; null where it does.</summary>
    public static string? WhyNot(EngineKind kind) => Refusals.GetOrAdd(kind, Refusal);

    /// <summary>
    /// What an engine may differ from the reference by, on normalised maps. The largest difference seen is about 1e-6
    /// with any.
    /// </summary>
    public static double Tolerance(EngineKind kind) => TamEngines.OnDevices.Contains(kind) ? 5e-6 : 2e-6;

    private static string? Missing(EngineKind kind)
    {
        var required = kind == EngineKind.OpenCl && Environment.GetEnvironmentVariable("CI") == "true";
        var wayOut = kind == EngineKind.OpenCl ? " (Debian: apt-get install pocl-opencl-icd ocl-icd-libopencl1)" : "";
        return required || WhyNot(kind) is not { } reason ? null : reason + wayOut;
    }

    private static string? Refusal(EngineKind kind)
    {
        try
        {
            TamEngines.Create(kind).Dispose();
            return null;
        }
        catch (EngineUnavailableException e)
        {
            return e.Message;
        }
    }
}
