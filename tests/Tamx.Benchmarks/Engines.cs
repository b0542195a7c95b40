using System.Diagnostics;
using System.Globalization;
using Tamx.Kernels;

namespace Tamx.Benchmarks;

/// <summary>All engines of this build that work here, on every device they have, at the same maps in turns.</summary>
internal static class Engines
{
    private const int Rounds = 15;

    /// <summary>Measures and writes a table.</summary>
    public static void Write(TextWriter output)
    {
        var trace = AnswerTrace.Create(1, 32, 32, 128, 0);
        List<ITamEngine> engines = [];
        foreach (var kind in TamEngines.All)
        {
            string[] devices = TamEngines.OnDevices.Contains(kind)
                ? [.. TamEngines.Devices.Where(device => device.Kind == kind).Select(device => device.Name)]
                : [string.Empty];
            engines.AddRange(
                devices.Select(device => TamEngines.Create(new EngineOptions { Kind = kind, Device = device }))
            );
        }

        // What is compiled at the first use is no matter of speed.
        engines.ForEach(engine => ActivationMaps.Compute(trace, engine: engine));
        double[] best = [.. engines.Select(_ => double.PositiveInfinity)];
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < best.Length; i++)
            {
                var start = Stopwatch.GetTimestamp();
                ActivationMaps.Compute(trace, engine: engines[i]);
                best[i] = Math.Min(best[i], Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }

        var processors = best[engines.FindIndex(engine => engine.Kind == EngineKind.Cpu)];
        output.WriteLine($"Maps of 128 tokens, 32 x 32 cells, states of 2048, k = 3; in turns, best of {Rounds}");
        output.WriteLine();
        output.WriteLine("| engine | time | times that of cpu |");
        output.WriteLine("| --- | --- | --- |");
        for (var i = 0; i < best.Length; i++)
        {
            output.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {engines[i].Name} | {best[i] * 1e3:F1} ms | {best[i] / processors:F1} |"
                )
            );
            engines[i].Dispose();
        }
    }
}
