namespace Tamx.Kernels;

/// <summary>
/// A device for what is worth the way to it, the processors for the rest; and for everything, once the device has failed. Which of the two computes
/// depends on the sizes alone, so that the same question gives the same bits.
/// </summary>
/// <param name="device">The engine on the device; disposed of by this one.</param>
/// <param name="createProcessors">Creates the engine on the processors, when it is needed first.</param>
/// <param name="way">What the way to the device costs.</param>
/// <param name="log">Told why, if the device fails.</param>
internal sealed class AutoEngine(ITamEngine device, Func<ITamEngine> createProcessors, WayToDevice way, Action<string>? log) : ITamEngine
{
    private ITamEngine? _device = device;
    private ITamEngine? _processors;
    private bool _hasUsedDevice;

    public EngineKind Kind => (_device ?? Processors).Kind;

    /// <summary>Whatever has computed so far; the device before anything has.</summary>
    public string Name => _processors is null ? _device!.Name : _hasUsedDevice && _device is not null ? $"{_device.Name} and {_processors.Name}" : _processors.Name;

    private ITamEngine Processors => _processors ??= createProcessors();

    public void Project(
        ReadOnlySpan<float> states,
        ReadOnlySpan<float> outputRows,
        int hiddenSize,
        Span<float> destination,
        CancellationToken cancellationToken = default)
    {
        var engine = Choose(way.IsWorthIt((long)destination.Length * hiddenSize, 0, 1, (long)states.Length + outputRows.Length + destination.Length));
        try
        {
            engine.Project(states, outputRows, hiddenSize, destination, cancellationToken);
        }
        catch (EngineUnavailableException e) when (engine == _device)
        {
            GiveUp(e).Project(states, outputRows, hiddenSize, destination, cancellationToken);
        }
    }

    public void Compute(in TamProblem problem, Span<float> maps, Span<ValueRange> ranges, CancellationToken cancellationToken = default)
    {
        ValueRange[] before = ranges.ToArray();
        var engine = Choose(way.IsWorthIt(
            ((long)problem.CellStates.Length + maps.Length) * problem.OutputRows.Length / Math.Max(1, problem.HiddenSize),
            maps.Length,
            problem.KernelSize,
            (long)problem.CellStates.Length + problem.OutputRows.Length + problem.Weights.Length + maps.Length));
        try
        {
            engine.Compute(problem, maps, ranges, cancellationToken);
        }
        catch (EngineUnavailableException e) when (engine == _device)
        {
            before.CopyTo(ranges);
            GiveUp(e).Compute(problem, maps, ranges, cancellationToken);
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
        var engine = Choose(way.IsWorthIt(
            (long)maps.Length * (activations.Length / Math.Max(1, cellCount)),
            maps.Length,
            problem.KernelSize,
            (long)activations.Length + problem.Weights.Length + maps.Length));
        try
        {
            engine.Refine(problem, activations, cellCount, maps, ranges, cancellationToken);
        }
        catch (EngineUnavailableException e) when (engine == _device)
        {
            before.CopyTo(ranges);
            GiveUp(e).Refine(problem, activations, cellCount, maps, ranges, cancellationToken);
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
        var engine = Choose(way.IsWorthIt((long)logSums.Length * outputRows.Length, 0, 1, (long)states.Length + outputRows.Length));
        try
        {
            engine.SelectTop(states, outputRows, hiddenSize, firstId, best, logSums, cancellationToken);
        }
        catch (EngineUnavailableException e) when (engine == _device)
        {
            bestBefore.CopyTo(best);
            logSumsBefore.CopyTo(logSums);
            GiveUp(e).SelectTop(states, outputRows, hiddenSize, firstId, best, logSums, cancellationToken);
        }
    }

    public void Dispose()
    {
        _device?.Dispose();
        _processors?.Dispose();
    }

    private ITamEngine Choose(bool isWorthIt)
    {
        if (!isWorthIt || _device is null)
        {
            return Processors;
        }

        _hasUsedDevice = true;
        return _device;
    }

    private ITamEngine GiveUp(EngineUnavailableException reason)
    {
        _device!.Dispose();
        _device = null;
        log?.Invoke($"the {Processors.Name} engine takes over: {reason.Message}");
        return Processors;
    }
}
