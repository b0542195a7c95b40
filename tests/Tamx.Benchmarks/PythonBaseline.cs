using System.ComponentModel;
using System.Globalization;
using Tamx.Testing;

namespace Tamx.Benchmarks;

/// <summary>The same maps in Python, as TAMX computes them (python/maps.py), timed on the machine at hand.</summary>
/// <remarks>
/// Takes the interpreter that TAMX_PYTHON names, or python3. It needs torch, NumPy and SciPy (Debian: python3-torch
/// python3-scipy).
/// </remarks>
internal static class PythonBaseline
{
    private const int RoundCount = 2;

    private static string Interpreter => Environment.GetEnvironmentVariable("TAMX_PYTHON") ?? "python3";

    /// <summary>Why there is nothing to compare with; null if there is.</summary>
    public static string? FindObstacle()
    {
        try
        {
            Run("-c", "import torch, scipy.optimize");
            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            return $"{Interpreter} has no torch, NumPy and SciPy; name one that has with TAMX_PYTHON";
        }
    }

    /// <summary>Best seconds for the maps of a trace, after a check that Python's maps are the given ones.</summary>
    public static double Measure(Trace trace, ActivationMaps expected, int threadCount)
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("trace.safetensors");
        TraceFile.Save(trace, path);
        var fields = Run(
                Path.Combine(AppContext.BaseDirectory, "maps.py"),
                path,
                expected.Options.KernelSize.ToString(CultureInfo.InvariantCulture),
                threadCount.ToString(CultureInfo.InvariantCulture),
                RoundCount.ToString(CultureInfo.InvariantCulture)
            )
            .Split(' ');
        var sum = double.Parse(fields[1], CultureInfo.InvariantCulture);
        var expectedSum = expected.Answer.Sum(token =>
            token
                .Candidates.Append(token.Token)
                .Sum(explained => explained.VisionMaps.Sum(map => map!.Values.ToArray().Sum(value => (double)value)))
        );
        return Math.Abs(sum - expectedSum) <= 1e-4 * expectedSum
            ? double.Parse(fields[0], CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"Python's maps add up to {sum}, ours to {expectedSum}.");
    }

    private static string Run(params string[] arguments) => ChildProcess.Run(Interpreter, arguments);
}
