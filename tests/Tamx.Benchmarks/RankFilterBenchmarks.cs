using BenchmarkDotNet.Attributes;
using Tamx.Kernels;

namespace Tamx.Benchmarks;

/// <summary>The rank filter over maps of 32 x 32, about half of whose values are 0.</summary>
[InProcess]
public class RankFilterBenchmarks
{
    private const int Side = 32;
    private float[] _maps = [];
    private float[] _work = [];
    private double[] _wide = [];
    private double[] _filtered = [];

    [Params(3, 5, 7, 9)]
    public int KernelSize { get; set; }

    public int MapCount { get; } = 512;

    /// <summary>Maps the scalar filter does, which takes its time.</summary>
    public int ScalarMapCount { get; } = 8;

    [GlobalSetup]
    public void SetUp()
    {
        var random = new Random(1);
        _maps =
        [
            .. Enumerable.Range(0, MapCount * Side * Side).Select(_ => Math.Max(0, (2 * random.NextSingle()) - 1)),
        ];
        _work = new float[_maps.Length];
        _wide = [.. _maps.Take(ScalarMapCount * Side * Side).Select(value => (double)value)];
        _filtered = new double[Side * Side];
    }

    [Benchmark]
    public void Cpu()
    {
        _maps.CopyTo(_work, 0);
        VectorKernels.OfThisMachine.Filter(_work, Side, Side, KernelSize);
    }

    [Benchmark(Baseline = true)]
    public void ScalarSort()
    {
        for (var i = 0; i < ScalarMapCount; i++)
        {
            RankFilter.Apply(
                _wide.AsSpan(i * Side * Side, Side * Side),
                Side,
                Side,
                KernelSize,
                ConstantWindow.Zero,
                _filtered
            );
        }
    }
}
