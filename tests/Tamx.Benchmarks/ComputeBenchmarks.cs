using BenchmarkDotNet.Attributes;
using Tamx.Kernels;

namespace Tamx.Benchmarks;

/// <summary>
/// What `tamx maps` computes: from a trace to all maps of an answer of 128 tokens, hidden size 2048, about 110
/// different ids.
/// </summary>
[InProcess]
public class ComputeBenchmarks
{
    public const int AnswerLength = 128;

    private Trace _trace = null!;
    private ITamEngine _one = null!;
    private ITamEngine _all = null!;

    /// <summary>Frames, rows, columns.</summary>
    [ParamsSource(nameof(Grids))]
    public (int Frames, int Rows, int Columns) Grid { get; set; }

    [Params(0, 3)]
    public int CandidateCount { get; set; }

    [Params(3, 5)]
    public int KernelSize { get; set; }

    public static IEnumerable<(int Frames, int Rows, int Columns)> Grids =>
        [(1, 16, 16), (1, 32, 32), (1, 48, 80), (16, 24, 24)];

    /// <summary>Multiplications and additions of the two products.</summary>
    public double Flops
    {
        get
        {
            var cells = (double)Grid.Frames * Grid.Rows * Grid.Columns;
            double ids = _trace.OutputIds.Count(AnswerTrace.IsWord);
            return (2 * cells * ids * _trace.HiddenSize) + (2 * cells * ids * AnswerLength * (1 + CandidateCount));
        }
    }

    [GlobalSetup]
    public void SetUp()
    {
        _trace = AnswerTrace.Create(Grid.Frames, Grid.Rows, Grid.Columns, AnswerLength, CandidateCount);
        _one = TamEngines.Create(new EngineOptions { Kind = EngineKind.Cpu, ThreadCount = 1 });
        _all = TamEngines.Create(EngineKind.Cpu);
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _one.Dispose();
        _all.Dispose();
    }

    [Benchmark(Baseline = true)]
    public ActivationMaps OneThread() => Compute(_one);

    [Benchmark]
    public ActivationMaps AllThreads() => Compute(_all);

    /// <summary>Seconds that Python takes for the same maps, on one thread.</summary>
    public double MeasurePython() => PythonBaseline.Measure(_trace, OneThread(), 1);

    private ActivationMaps Compute(ITamEngine engine) =>
        ActivationMaps.Compute(_trace, new TamOptions { KernelSize = KernelSize }, engine);
}
