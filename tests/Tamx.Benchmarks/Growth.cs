using System.Diagnostics;
using System.Globalization;
using Tamx.Kernels;

namespace Tamx.Benchmarks;

/// <summary>
/// Time and memory of a whole computation against the number of cells and against the answer's length, each size in a
/// process of its own.
/// </summary>
internal static class Growth
{
    private const int Rows = 128;
    private const int WordCount = 4000;

    private static readonly int[] Columns = [16, 32, 64, 128];
    private static readonly int[] AnswerLengths = [128, 256, 512, 1024];

    /// <summary>Measures and writes two tables.</summary>
    public static void Write(TextWriter output)
    {
        output.WriteLine(
            "| cells | answer tokens | time | per cell and token | memory beside the trace | in buffers of [maps, cells] |"
        );
        output.WriteLine("| --- | --- | --- | --- | --- | --- |");
        foreach (
            var (columns, length) in Columns
                .Select(columns => (columns, AnswerLengths[^1]))
                .Concat(AnswerLengths.Select(length => (Columns[^1], length)))
        )
        {
            var fields = RunAlone(columns, length).Split(' ');
            var seconds = double.Parse(fields[0], CultureInfo.InvariantCulture);
            var bytes = double.Parse(fields[1], CultureInfo.InvariantCulture);
            var values = (double)Rows * columns * length;
            output.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {Rows * columns} | {length} | {seconds * 1e3:F0} ms | {seconds * 1e9 / values:F1} ns | {bytes / 1e6:F0} MB | {bytes / (4 * values):F2} |"
                )
            );
            output.Flush();
        }
    }

    /// <summary>The part of a process of its own: seconds and bytes of one size.</summary>
    public static void WriteOne(TextWriter output, int columns, int answerLength)
    {
        var trace = AnswerTrace.Create(1, Rows, columns, answerLength, 0, WordCount);

        // What is compiled at the first use, and the threads, are no matter of size.
        using var engine = TamEngines.Create(EngineKind.Cpu);
        ActivationMaps.Compute(AnswerTrace.Create(1, 8, 8, 8, 0), engine: engine);
        GC.Collect();
        var before = ResidentMemory.Now;
        ResidentMemory.ResetPeak();
        var best = Time();
        var peak = ResidentMemory.Peak - before;
        for (var round = 0; round < 3; round++)
        {
            GC.Collect();
            best = Math.Min(best, Time());
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{best} {peak}"));

        double Time()
        {
            var start = Stopwatch.GetTimestamp();
            ActivationMaps.Compute(trace, engine: engine);
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    private static string RunAlone(int columns, int answerLength) =>
        ChildProcess.RunAgain(
            "--growth",
            columns.ToString(CultureInfo.InvariantCulture),
            answerLength.ToString(CultureInfo.InvariantCulture)
        );
}
