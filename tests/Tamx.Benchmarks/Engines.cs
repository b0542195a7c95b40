using System.Diagnostics;
using System.Globalization;
using Tamx.Kernels;

namespace Tamx.Benchmarks;

/// <summary>All engines of this build that work here, on every device they have, at the same maps.</summary>
internal static class Engines
{
    private const int Rounds = 5;

    /// <summary>Measures and writes a table.</summary>
    public static void Write(TextWriter output)
    {
        var trace = AnswerTrace.Create(1, 32, 32, 128, 0);
        double processors = Measure(EngineKind.Cpu, string.Empty)!.Value.Seconds;
        output.WriteLine("Maps of 128 tokens, 32 x 32 cells, states of 2048, k = 3; best of " + Rounds);
        output.WriteLine();
        output.WriteLine("| engine | time | of the cpu engine's |");
        output.WriteLine("| --- | --- | --- |");
        foreach (var kind in TamEngine.All)
        {
            string[] devices = TamEngine.OnDevices.Contains(kind) ? [.. TamEngine.Devices.Where(device => device.Kind == kind).Select(device => device.Name)] : [string.Empty];
            foreach (string device in devices)
            {
                if (Measure(kind, device) is var (name, seconds))
                {
                    output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {seconds * 1e3:F1} ms | {seconds / processors:G2} |"));
                }
            }
        }

        (string Name, double Seconds)? Measure(EngineKind kind, string device)
        {
            try
            {
                using var engine = TamEngine.Create(kind, device: device);
                ActivationMaps.Compute(trace, engine: engine);
                double best = double.PositiveInfinity;
                for (int round = 0; round < Rounds; round++)
                {
                    long start = Stopwatch.GetTimestamp();
                    ActivationMaps.Compute(trace, engine: engine);
                    best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
                }

                return (engine.Name, best);
            }
            catch (EngineUnavailableException e)
            {
                Console.Error.WriteLine(e.Message);
                return null;
            }
        }
    }
}
