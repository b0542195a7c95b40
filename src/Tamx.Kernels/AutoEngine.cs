namespace Tamx.Kernels;

/// <summary>
/// A device for what is worth the way to it, the processors for the rest: also for what the device lacks the memory
/// for, and for everything, once it has failed. Which of the two computes depends on the sizes and the device's memory
/// alone, so that the same question gives the same bits.
/// </summary>
/// <param name="device">The engine on the device; disposed of by this one.</param>
/// <param name="createProcessors">Creates the engine on the processors, when it is needed first.</param>
/// <param name="way">What the way to the device costs.</param>
/// <param name="log">Told why, if the device fails, and when it lacks memory for the first time.</param>
internal sealed class AutoEngine(
    ITamEngine device, Func<ITamEngine> createProcessors, WayToDevice way, Action<string>? log) : ITamEngine
{
    private ITamEngine? _device = device;
    private ITamEngine? _processors;
    private bool _hasUsedDevice;
    private bool _hasLackedMemory;

    public EngineKind Kind => (_device ?? Processors).Kind;

    /// <summary>Whatever has computed so far; the device before anything has.</summary>
    public string Name => _processors is null ? _device!.Name : _hasUsedDevice && _device is not null ? $"{_device.Name} and {_processors.Name}" : _processors.Name;

    public long MaxWorkingBytes { get; } = device.MaxWorkingBytes;

    private ITamEngine Processors => _processors ??= createProcessors();

    public void Project(
        ReadOnlySpan<float> states,
        ReadOnlySpan<float> outputRows,
        int hiddenSize,
        Span<float> destination,
        CancellationToken cancellationToken = default)
    {
        var copied = (long)states.Length + outputRows.Length + destination.Length;
        for (var engine = Choose(way.IsWorthIt((long)destination.Length * hiddenSize, 0, 1, copied)); ; engine = Processors)
        {
            try
            {
                engine.Project(states, outputRows, hiddenSize, destination, cancellationToken);
                return;
            }
            catch (EngineUnavailableException e) when (engine == _device)
            {
                PassOver(e);
            }
        }
    }

    public void Compute(in TamProblem problem, Span<float> maps, Span<ValueRange> ranges, CancellationToken cancellationToken = default)
    {
        var products = ((long)problem.CellStates.Length + maps.Length) * problem.OutputRows.Length / Math.Max(1, problem.HiddenSize);
        var copied = (long)problem.CellStates.Length + problem.OutputRows.Length + problem.Weights.Length + maps.Length;
        var before = ranges.ToArray();
        for (var engine = Choose(way.IsWorthIt(products, maps.Length, problem.KernelSize, copied)); ; engine = Processors)
        {
            try
            {
                engine.Compute(problem, maps, ranges, cancellationToken);
                return;
            }
            catch (EngineUnavailableException e) when (engine == _device)
            {
                PassOver(e);
                before.CopyTo(ranges);
            }
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
        var products = (long)maps.Length * (activations.Length / Math.Max(1, cellCount));
        var copied = (long)activations.Length + problem.Weights.Length + maps.Length;
        var before = ranges.ToArray();
        for (var engine = Choose(way.IsWorthIt(products, maps.Length, problem.KernelSize, copied)); ; engine = Processors)
        {
            try
            {
                engine.Refine(problem, activations, cellCount, maps, ranges, cancellationToken);
                return;
            }
            catch (EngineUnavailableException e) when (engine == _device)
            {
                PassOver(e);
                before.CopyTo(ranges);
            }
        }
    }

    public void SelectTop(in TopTokenQuery query, CancellationToken cancellationToken = default)
    {
        var copied = (long)query.States.Length + query.OutputRows.Length;
        var (bestBefore, logSumsBefore) = (query.Best.ToArray(), query.LogSums.ToArray());
        for (var engine = Choose(way.IsWorthIt((long)query.StateCount * query.OutputRows.Length, 0, 1, copied)); ; engine = Processors)
        {
            try
            {
                engine.SelectTop(query, cancellationToken);
                return;
            }
            catch (EngineUnavailableException e) when (engine == _device)
            {
                PassOver(e);
                bestBefore.CopyTo(query.Best);
                logSumsBefore.CopyTo(query.LogSums);
            }
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

    /// <summary>Lets the processors do a call that the device could not do, or all from now on.</summary>
    private void PassOver(EngineUnavailableException reason)
    {
        if (!reason.IsLackOfMemory)
        {
            _device!.Dispose();
            _device = null;
        }

        if (!reason.IsLackOfMemory || !_hasLackedMemory)
        {
            log?.Invoke($"the {Processors.Name} engine takes over: {reason.Message}");
        }

        _hasLackedMemory |= reason.IsLackOfMemory;
    }
}
