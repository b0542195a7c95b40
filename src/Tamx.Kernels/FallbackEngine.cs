namespace Tamx.Kernels;

/// <summary>An engine on a device, until it fails: from then on another one.</summary>
/// <param name="device">The engine to begin with; disposed of by this one.</param>
/// <param name="createOther">Creates the one that takes over.</param>
/// <param name="log">Told why, if it comes to that.</param>
internal sealed class FallbackEngine(ITamEngine device, Func<ITamEngine> createOther, Action<string>? log) : ITamEngine
{
    private ITamEngine _engine = device;
    private bool _hasFailed;

    public EngineKind Kind => _engine.Kind;

    public string Name => _engine.Name;

    public void Project(
        ReadOnlySpan<float> states,
        ReadOnlySpan<float> outputRows,
        int hiddenSize,
        Span<float> destination,
        CancellationToken cancellationToken = default)
    {
        try
        {
            _engine.Project(states, outputRows, hiddenSize, destination, cancellationToken);
        }
        catch (EngineUnavailableException e) when (!_hasFailed)
        {
            GiveUp(e);
            _engine.Project(states, outputRows, hiddenSize, destination, cancellationToken);
        }
    }

    public void Compute(in TamProblem problem, Span<float> maps, Span<ValueRange> ranges, CancellationToken cancellationToken = default)
    {
        ValueRange[] before = ranges.ToArray();
        try
        {
            _engine.Compute(problem, maps, ranges, cancellationToken);
        }
        catch (EngineUnavailableException e) when (!_hasFailed)
        {
            GiveUp(e);
            before.CopyTo(ranges);
            _engine.Compute(problem, maps, ranges, cancellationToken);
        }
    }

    public void Refine(
        in TamProblem problem,
        ReadOnlySpan<float> activations,
        int cellCount,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default)
    {
        ValueRange[] before = ranges.ToArray();
        try
        {
            _engine.Refine(problem, activations, cellCount, maps, ranges, cancellationToken);
        }
        catch (EngineUnavailableException e) when (!_hasFailed)
        {
            GiveUp(e);
            before.CopyTo(ranges);
            _engine.Refine(problem, activations, cellCount, maps, ranges, cancellationToken);
        }
    }

    public void SelectTop(
        ReadOnlySpan<float> states,
        ReadOnlySpan<float> outputRows,
        int hiddenSize,
        int firstId,
        Span<TokenScore> best,
        Span<double> logSums,
        CancellationToken cancellationToken = default)
    {
        TokenScore[] bestBefore = best.ToArray();
        double[] logSumsBefore = logSums.ToArray();
        try
        {
            _engine.SelectTop(states, outputRows, hiddenSize, firstId, best, logSums, cancellationToken);
        }
        catch (EngineUnavailableException e) when (!_hasFailed)
        {
            GiveUp(e);
            bestBefore.CopyTo(best);
            logSumsBefore.CopyTo(logSums);
            _engine.SelectTop(states, outputRows, hiddenSize, firstId, best, logSums, cancellationToken);
        }
    }

    public void Dispose() => _engine.Dispose();

    private void GiveUp(EngineUnavailableException reason)
    {
        _hasFailed = true;
        _engine.Dispose();
        _engine = createOther();
        log?.Invoke($"the {_engine.Name} engine takes over: {reason.Message}");
    }
}
