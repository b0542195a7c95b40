using System.Diagnostics.CodeAnalysis;

namespace Tamx.Kernels;

/// <summary>
/// Computes on a device what is worth the offload, and everything else on the CPU. The CPU also takes calls that the
/// device lacks memory for, and all calls once the device has failed.
/// </summary>
/// <remarks>
/// The choice depends on the sizes and on the device's memory alone. So the same call gives the same bits.
/// </remarks>
/// <param name="device">The engine on the device. This engine disposes of it.</param>
/// <param name="createCpu">Creates the engine on the CPU, at its first call.</param>
/// <param name="cost">What an offload costs.</param>
/// <param name="log">Told why the device failed, and of the first call that it lacked memory for.</param>
internal sealed class AutoEngine(
    ITamEngine device,
    Func<ITamEngine> createCpu,
    OffloadCostModel cost,
    Action<string>? log
) : ITamEngine
{
    private ITamEngine? _device = device;
    private ITamEngine? _cpu;
    private bool _hasUsedDevice;
    private bool _hasLackedMemory;

    public EngineKind Kind => (_device ?? Cpu).Kind;

    /// <summary>The engines that have computed so far. Before the first call it is the device's.</summary>
    public string Name =>
        _cpu is null ? _device!.Name
        : _hasUsedDevice && _device is not null ? $"{_device.Name} and {_cpu.Name}"
        : _cpu.Name;

    public long MaxWorkingBytes { get; } = device.MaxWorkingBytes;

    private ITamEngine Cpu => _cpu ??= createCpu();

    public void Project(
        ReadOnlySpan<float> states,
        ReadOnlySpan<float> outputRows,
        int hiddenSize,
        Span<float> destination,
        CancellationToken cancellationToken = default
    )
    {
        var copied = (long)states.Length + outputRows.Length + destination.Length;
        if (UsesDevice((long)destination.Length * hiddenSize, 0, 1, copied))
        {
            try
            {
                _device.Project(states, outputRows, hiddenSize, destination, cancellationToken);
                return;
            }
            catch (EngineUnavailableException e)
            {
                FallBack(e);
            }
        }

        Cpu.Project(states, outputRows, hiddenSize, destination, cancellationToken);
    }

    public void Compute(
        in TamProblem problem,
        Span<float> maps,
        Span<ValueRange> ranges,
        CancellationToken cancellationToken = default
    )
    {
        var products =
            ((long)problem.CellStates.Length + maps.Length)
            * problem.OutputRows.Length
            / Math.Max(1, problem.HiddenSize);
        var copied = (long)problem.CellStates.Length + problem.OutputRows.Length + problem.Weights.Length + maps.Length;
        if (UsesDevice(products, maps.Length, problem.KernelSize, copied))
        {
            var before = ranges.ToArray();
            try
            {
                _device.Compute(problem, maps, ranges, cancellationToken);
                return;
            }
            catch (EngineUnavailableException e)
            {
                FallBack(e);
                before.CopyTo(ranges);
            }
        }

        Cpu.Compute(problem, maps, ranges, cancellationToken);
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
        var products = (long)maps.Length * (activations.Length / Math.Max(1, cellCount));
        var copied = (long)activations.Length + problem.Weights.Length + maps.Length;
        if (UsesDevice(products, maps.Length, problem.KernelSize, copied))
        {
            var before = ranges.ToArray();
            try
            {
                _device.Refine(problem, activations, cellCount, maps, ranges, cancellationToken);
                return;
            }
            catch (EngineUnavailableException e)
            {
                FallBack(e);
                before.CopyTo(ranges);
            }
        }

        Cpu.Refine(problem, activations, cellCount, maps, ranges, cancellationToken);
    }

    public void SelectTop(in TopTokenQuery query, CancellationToken cancellationToken = default)
    {
        var copied = (long)query.States.Length + query.OutputRows.Length;
        if (UsesDevice((long)query.StateCount * query.OutputRows.Length, 0, 1, copied))
        {
            var (bestBefore, logSumsBefore) = (query.Best.ToArray(), query.LogSums.ToArray());
            try
            {
                _device.SelectTop(query, cancellationToken);
                return;
            }
            catch (EngineUnavailableException e)
            {
                FallBack(e);
                bestBefore.CopyTo(query.Best);
                logSumsBefore.CopyTo(query.LogSums);
            }
        }

        Cpu.SelectTop(query, cancellationToken);
    }

    public void Dispose()
    {
        _device?.Dispose();
        _cpu?.Dispose();
    }

    [MemberNotNullWhen(true, nameof(_device))]
    private bool UsesDevice(long products, long filteredValues, int kernelSize, long copiedValues)
    {
        if (_device is null || !cost.ShouldOffload(products, filteredValues, kernelSize, copiedValues))
        {
            return false;
        }

        _hasUsedDevice = true;
        return true;
    }

    /// <summary>Leaves this call to the CPU if the device lacked memory; after other failures, all calls.</summary>
    private void FallBack(EngineUnavailableException reason)
    {
        if (!reason.IsLackOfMemory)
        {
            _device!.Dispose();
            _device = null;
        }

        if (!reason.IsLackOfMemory || !_hasLackedMemory)
        {
            log?.Invoke($"the {Cpu.Name} engine takes over: {reason.Message}");
        }

        _hasLackedMemory |= reason.IsLackOfMemory;
    }
}
