using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;
using Tamx.Kernels;

namespace Tamx.Benchmarks;

/// <summary>A = relu(W H^T), [T, D] by [V, D]: the larger of the two products.</summary>
[InProcess]
public class ProjectionBenchmarks
{
    private ITamEngine _one = null!;
    private ITamEngine _all = null!;
    private float[] _states = [];
    private float[] _rows = [];
    private float[] _products = [];

    /// <summary>V, T.</summary>
    [ParamsSource(nameof(Sizes))]
    public (int States, int Rows) Size { get; set; }

    public int HiddenSize { get; } = 2048;

    public static IEnumerable<(int States, int Rows)> Sizes => [(1024, 160), (3840, 110)];

    [GlobalSetup]
    public void SetUp()
    {
        var random = new Random(1);
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (2 * random.NextSingle()) - 1)];
        (_states, _rows, _products) = (
            Values(Size.States * HiddenSize),
            Values(Size.Rows * HiddenSize),
            new float[Size.States * Size.Rows]
        );
        _one = TamEngines.Create(new EngineOptions { Kind = EngineKind.Cpu, ThreadCount = 1 });
        _all = TamEngines.Create(EngineKind.Cpu);
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _one.Dispose();
        _all.Dispose();
    }

    [Benchmark]
    public void Cpu() => _one.Project(_states, _rows, HiddenSize, _products);

    [Benchmark]
    public void CpuAllThreads() => _all.Project(_states, _rows, HiddenSize, _products);

    [Benchmark(Baseline = true)]
    public void DotPerElement()
    {
        for (var t = 0; t < Size.Rows; t++)
        {
            var row = _rows.AsSpan(t * HiddenSize, HiddenSize);
            for (var v = 0; v < Size.States; v++)
            {
                _products[(t * Size.States) + v] = Math.Max(
                    0,
                    TensorPrimitives.Dot(row, _states.AsSpan(v * HiddenSize, HiddenSize))
                );
            }
        }
    }

    [Benchmark]
    public void Reference()
    {
        using var reference = new ReferenceEngine();
        reference.Project(_states, _rows, HiddenSize, _products);
    }
}
