namespace Tamx.Kernels.Devices;

/// <summary>What <see cref="DeviceEngine"/> needs of a driver: memory, copies, and launches that run in the order they are asked for.</summary>
/// <remarks>Used by one thread at a time. Whatever fails throws <see cref="EngineUnavailableException"/> with the driver's reason.</remarks>
public unsafe interface IKernelDevice : IDisposable
{
    /// <summary>The device.</summary>
    EngineDevice Info { get; }

    /// <summary>Bytes that one allocation can have at most.</summary>
    long LargestAllocation { get; }

    /// <summary>Its processors, each of which runs groups by itself.</summary>
    int ProcessorCount { get; }

    /// <summary>Memory on the device, its content undefined.</summary>
    /// <param name="bytes">At least 1.</param>
    /// <returns>What names it, not 0.</returns>
    nint Allocate(long bytes);

    /// <summary>Gives memory back, once all launches that use it have ended.</summary>
    /// <param name="memory">The memory.</param>
    void Free(nint memory);

    /// <summary>Copies to the device. The source may be changed when this returns.</summary>
    /// <param name="memory">The memory, from its first byte on.</param>
    /// <param name="source">What is copied.</param>
    /// <param name="bytes">How much of it; may be 0.</param>
    void Upload(nint memory, void* source, long bytes);

    /// <summary>Copies from the device what all launches so far have left there.</summary>
    /// <param name="memory">The memory, from its first byte on.</param>
    /// <param name="destination">Receives it.</param>
    /// <param name="bytes">How much of it; may be 0.</param>
    void Download(nint memory, void* destination, long bytes);

    /// <summary>Starts a kernel.</summary>
    /// <param name="kernel">Which one; built at its first launch.</param>
    /// <param name="groupsX">Groups along x, at least 1.</param>
    /// <param name="groupsY">Groups along y, from 1 to 65535.</param>
    /// <param name="arguments">The kernel's arguments in order.</param>
    void Launch(DeviceKernel kernel, int groupsX, int groupsY, ReadOnlySpan<KernelArgument> arguments);
}
