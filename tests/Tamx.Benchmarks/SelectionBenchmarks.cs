using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;
using Tamx.Kernels;

namespace Tamx.Benchmarks;

/// <summary>
/// The best tokens of a slice of the vocabulary: logits [P, N] from [P, D] and [N, D], the K best of each state and the
/// log-sum-exp.
/// </summary>
[InProcess]
public class SelectionBenchmarks
{
    private readonly double[] _logSums = new double[StateCount];
    private readonly TokenScore[] _best = new TokenScore[StateCount * Count];
    private ITamEngine _one = null!;
    private ITamEngine _all = null!;
    private float[] _states = [];
    private float[] _rows = [];

    /// <summary>P: an answer's steps.</summary>
    public const int StateCount = 64;

    /// <summary>N: as many rows as make 64 MB, of the 151,936 that the vocabulary of the Qwen-VL models has.</summary>
    public const int RowCount = 8192;

    /// <summary>D.</summary>
    public const int HiddenSize = 2048;

    /// <summary>K.</summary>
    public const int Count = 10;

    [GlobalSetup]
    public void SetUp()
    {
        var random = new Random(1);
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() - 0.5f) / 4)];
        (_states, _rows) = (Values(StateCount * HiddenSize), Values(RowCount * HiddenSize));
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
    public void Cpu() => Select(_one);

    [Benchmark]
    public void CpuAllThreads() => Select(_all);

    /// <summary>What one writes first: each logit by itself, then a look through all of them.</summary>
    [Benchmark(Baseline = true)]
    public void DotPerElement()
    {
        var logits = new float[RowCount];
        var exponentials = new float[RowCount];
        var ids = new int[RowCount];
        for (var p = 0; p < StateCount; p++)
        {
            var state = _states.AsSpan(p * HiddenSize, HiddenSize);
            for (var t = 0; t < RowCount; t++)
            {
                logits[t] = TensorPrimitives.Dot(_rows.AsSpan(t * HiddenSize, HiddenSize), state);
                ids[t] = t;
            }

            var largest = TensorPrimitives.Max<float>(logits);
            TensorPrimitives.Subtract(logits, largest, exponentials);
            TensorPrimitives.Exp<float>(exponentials, exponentials);
            _logSums[p] = largest + Math.Log(TensorPrimitives.Sum<float>(exponentials));
            Array.Sort(logits, ids);
            for (var i = 0; i < Count; i++)
            {
                _best[(p * Count) + i] = new TokenScore(ids[^(i + 1)], logits[^(i + 1)]);
            }
        }
    }

    [Benchmark]
    public void Reference()
    {
        using var reference = new ReferenceEngine();
        Select(reference);
    }

    private void Select(ITamEngine engine)
    {
        Array.Fill(_best, TokenScore.None);
        Array.Fill(_logSums, double.NegativeInfinity);
        engine.SelectTop(
            new()
            {
                HiddenSize = HiddenSize,
                States = _states,
                OutputRows = _rows,
                Best = _best,
                LogSums = _logSums,
            }
        );
    }
}
