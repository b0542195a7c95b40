using Tamx.Kernels;

namespace Tamx;

/// <summary>An engine that several threads may use: they take turns, call by call.</summary>
internal sealed class SharedEngine(ITamEngine engine) : ITamEngine
{
    private readonly Lock _turn = new();

    public EngineKind Kind => engine.Kind;

    public string Name => engine.Name;

    public long MaxWorkingBytes => engine.MaxWorkingBytes;

    public void Project(
        ReadOnlySpan<float> states,
        ReadOnlySpan<float> outputRows,
        int hiddenSize,
        Span<float> destination,
        CancellationToken cancellationToken = default
    )
    {
        lock (_turn)
        {
            engine.Project(states, outputRows, hiddenSize, destination, cancellationToken);
        }
    }

    public void Compute(
        in TamProblem problem,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default
    )
    {
        lock (_turn)
        {
            engine.Compute(problem, maps, ranges, cancellationToken);
        }
    }

    public void Refine(
        in TamProblem problem,
        ReadOnlySpan<float> activations,
        int cellCount,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default
    )
    {
        lock (_turn)
        {
            engine.Refine(problem, activations, cellCount, maps, ranges, cancellationToken);
        }
    }

    public void SelectTop(in TopTokenQuery query, CancellationToken cancellationToken = default)
    {
        lock (_turn)
        {
            engine.SelectTop(query, cancellationToken);
        }
    }

    public void Dispose()
    {
        lock (_turn)
        {
            engine.Dispose();
        }
    }
}
