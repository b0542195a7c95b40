namespace Tamx.Kernels.Ilgpu;

/// <summary>What drivers have compiled, by device: kept for the life of the process, since compiling is slow. Safe to use from any thread.</summary>
/// <param name="open">Makes what there is for a device at first.</param>
/// <typeparam name="TDevice">What names a device.</typeparam>
/// <typeparam name="TProgram">What is kept for it.</typeparam>
internal sealed class KeptPrograms<TDevice, TProgram>(Func<TDevice, TProgram> open)
    where TDevice : notnull
    where TProgram : class
{
    private readonly Dictionary<TDevice, TProgram> _programs = [];
    private readonly Lock _gate = new();

    /// <summary>What there is for a device. Nobody else's is opened meanwhile.</summary>
    /// <param name="device">The device.</param>
    /// <returns>What is kept for it; made now if there was nothing.</returns>
    public TProgram Of(TDevice device)
    {
        lock (_gate)
        {
            if (!_programs.TryGetValue(device, out var program))
            {
                _programs.Add(device, program = open(device));
            }

            return program;
        }
    }

    /// <summary>Forgets a device's, unless it has been replaced already.</summary>
    /// <param name="device">The device.</param>
    /// <param name="program">What was kept for it.</param>
    public void Remove(TDevice device, TProgram program)
    {
        lock (_gate)
        {
            if (_programs.GetValueOrDefault(device) == program)
            {
                _programs.Remove(device);
            }
        }
    }
}
