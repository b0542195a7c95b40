namespace Tamx.Kernels.Devices;

/// <summary>An open device: memory, copies, and kernel launches, which run in order.</summary>
/// <remarks>
/// Used by one thread at a time. Every method throws <see cref="EngineUnavailableException"/> with the driver's reason
/// where the driver fails.
/// </remarks>
public unsafe interface IKernelDevice : IDisposable
{
    /// <summary>Its name and properties.</summary>
    EngineDevice Info { get; }

    /// <summary>Largest size of an allocation, in bytes.</summary>
    long LargestAllocation { get; }

    /// <summary>Its compute units (CUDA: multiprocessors). Each runs groups of threads by itself.</summary>
    int ComputeUnitCount { get; }

    /// <summary>Allocates memory on the device. Its content is undefined.</summary>
    /// <param name="bytes">At least 1.</param>
    /// <returns>The memory's handle, not 0.</returns>
    nint Allocate(long bytes);

    /// <summary>Frees memory, once all launches that use it have ended.</summary>
    /// <param name="memory">The memory's handle.</param>
    void Free(nint memory);

    /// <summary>Copies to the device. The source may be changed when this returns.</summary>
    /// <param name="memory">Handle of the memory. The copy goes to its start.</param>
    /// <param name="source">What is copied.</param>
    /// <param name="bytes">Number of bytes; may be 0.</param>
    void Upload(nint memory, void* source, long bytes);

    /// <summary>Copies from the device, once all launches so far have ended.</summary>
    /// <param name="memory">Handle of the memory. The copy is of its start.</param>
    /// <param name="destination">Receives the copy.</param>
    /// <param name="bytes">Number of bytes; may be 0.</param>
    void Download(nint memory, void* destination, long bytes);

    /// <summary>Starts a kernel.</summary>
    /// <param name="kernel">The kernel. It is compiled at its first launch.</param>
    /// <param name="groupsX">Groups along x, at least 1.</param>
    /// <param name="groupsY">Groups along y, from 1 to 65535.</param>
    /// <param name="arguments">The kernel's arguments in order.</param>
    void Launch(DeviceKernel kernel, int groupsX, int groupsY, ReadOnlySpan<KernelArgument> arguments);
}
