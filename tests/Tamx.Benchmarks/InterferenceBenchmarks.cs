using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;
using Tamx.Kernels;
using Tamx.Testing;

namespace Tamx.Benchmarks;

/// <summary>
/// E = Q A, [M, T] by [T, V], with scale, subtraction and normalisation: the engine's whole work on a problem whose
/// projection is next to nothing.
/// </summary>
[InProcess]
public class InterferenceBenchmarks
{
    private RandomProblem _problem = null!;
    private float[] _maps = [];
    private ValueRange[] _ranges = [];
    private float[] _activations = [];
    private ITamEngine _engine = null!;

    public int CellCount { get; } = 3840;

    public int MapCount { get; } = 512;

    public int RowCount { get; } = 110;

    [GlobalSetup]
    public void SetUp()
    {
        _problem = RandomProblem.Create(1, [(1, 48, 80)], 1, RowCount, MapCount / 4, 4).With(kernelSize: 1);

        // All weights there are, as in the last steps of an answer.
        var random = new Random(2);
        foreach (ref var weight in _problem.Weights.AsSpan())
        {
            weight = random.NextSingle() / RowCount;
        }

        _maps = new float[MapCount * CellCount];
        _ranges = new ValueRange[MapCount / 4];
        _activations = new float[RowCount * CellCount];
        _engine = TamEngines.Create(new EngineOptions { Kind = EngineKind.Cpu, ThreadCount = 1 });
        _engine.Project(_problem.CellStates, _problem.OutputRows, 1, _activations);
    }

    [GlobalCleanup]
    public void CleanUp() => _engine.Dispose();

    [Benchmark]
    public void Cpu()
    {
        Array.Fill(_ranges, ValueRange.Empty);
        _engine.Compute(_problem.Problem, _maps, _ranges);
    }

    /// <summary>The product alone, a row of E at a time.</summary>
    [Benchmark(Baseline = true)]
    public void MultiplyAddPerRow()
    {
        for (var m = 0; m < MapCount; m++)
        {
            var map = _maps.AsSpan(m * CellCount, CellCount);
            map.Clear();
            for (var t = 0; t < RowCount; t++)
            {
                TensorPrimitives.MultiplyAdd(
                    _activations.AsSpan(t * CellCount, CellCount),
                    _problem.Weights[(m * RowCount) + t],
                    map,
                    map
                );
            }
        }
    }
}
