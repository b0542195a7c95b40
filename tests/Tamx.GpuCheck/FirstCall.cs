using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Tamx.Kernels;
using Tamx.Testing;

namespace Tamx.GpuCheck;

/// <summary>
/// Measures a program's first call: with an empty cache of the driver's compiler, and with a full one.
/// </summary>
internal static class FirstCall
{
    /// <summary>The argument that makes this program measure its own first call.</summary>
    public const string Argument = "--first-call";

    // The folders of drivers' compiler caches: NVIDIA's, PoCL's, Mesa's, and of drivers that follow XDG.
    private static readonly string[] CacheVariables =
    [
        "CUDA_CACHE_PATH",
        "POCL_CACHE_DIR",
        "MESA_SHADER_CACHE_DIR",
        "XDG_CACHE_HOME",
    ];

    /// <summary>Measures in this process, and prints seconds for the engine and for its first call.</summary>
    public static void Run(EngineKind kind)
    {
        var problem = RandomProblem.Create(1, [(1, 24, 24)], 256, 40, 30, 2);
        var start = Stopwatch.GetTimestamp();
        using var engine = TamEngines.Create(kind);
        var creating = Stopwatch.GetElapsedTime(start).TotalSeconds;
        start = Stopwatch.GetTimestamp();
        problem.Compute(engine);
        var computing = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{creating:R} {computing:R}"));
    }

    /// <summary>Measures in two new processes with one cache, which is empty for the first.</summary>
    /// <returns>Seconds for the engine and its first call, cold and warm; null where a process failed.</returns>
    public static (FirstCallSeconds Cold, FirstCallSeconds Warm)? Measure(EngineKind kind)
    {
        var folder = Directory.CreateTempSubdirectory("tamx-gpu-check").FullName;
        try
        {
            return Start(kind, folder) is { } cold && Start(kind, folder) is { } warm ? (cold, warm) : null;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static FirstCallSeconds? Start(EngineKind kind, string folder)
    {
        var program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            start.ArgumentList.Add(Assembly.GetExecutingAssembly().Location);
        }

        start.ArgumentList.Add(Argument);
        start.ArgumentList.Add(kind.Name);
        foreach (var variable in CacheVariables)
        {
            start.Environment[variable] = folder;
        }

        using var process = Process.Start(start)!;
        var words = process.StandardOutput.ReadToEnd().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        return process.ExitCode == 0 && words is [var creating, var computing]
            ? new(Number(creating), Number(computing))
            : null;
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}

/// <summary>Seconds for an engine and for its first call.</summary>
internal readonly record struct FirstCallSeconds(double Creating, double Computing);
