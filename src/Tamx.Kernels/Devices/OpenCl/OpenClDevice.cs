using static Tamx.Kernels.Devices.OpenCl.OpenClMethods;

namespace Tamx.Kernels.Devices.OpenCl;

/// <summary>An OpenCL device with its own queue.</summary>
internal sealed unsafe class OpenClDevice : IKernelDevice
{
    private readonly OpenClContext _context;
    private readonly Dictionary<DeviceKernel, nint> _kernels = [];
    private readonly HashSet<nint> _memory = [];
    private nint _queue;

    /// <summary>Opens a device.</summary>
    /// <exception cref="EngineUnavailableException">It cannot run the kernels.</exception>
    public OpenClDevice(nint id, EngineDevice info)
    {
        Info = info;
        ComputeUnitCount = (int)OpenClDevices.Number(id, DeviceMaxComputeUnits);
        LargestAllocation = (long)Math.Min(OpenClDevices.Number(id, DeviceMaxMemAllocSize), long.MaxValue);
        Require(OpenClDevices.Number(id, DeviceAvailable) != 0, "is not available");
        Require(OpenClDevices.Number(id, DeviceCompilerAvailable) != 0, "has no compiler");
        foreach (var old in (string[])["OpenCL 1.0", "OpenCL 1.1"])
        {
            Require(
                !OpenClDevices.Text(id, DeviceVersion).StartsWith(old, StringComparison.Ordinal),
                $"has {old}, and 1.2 is needed"
            );
        }

        Require(
            OpenClDevices.Number(id, DeviceMaxWorkGroupSize) >= DeviceKernel.GroupThreads,
            $"runs fewer than {DeviceKernel.GroupThreads} threads in a group"
        );
        Require(
            OpenClDevices.Number(id, DeviceLocalMemSize) >= DeviceKernel.SharedMemoryBytes,
            $"has less than {DeviceKernel.SharedMemoryBytes} bytes of local memory"
        );
        _context = new OpenClContext(id);
        _queue = CreateCommandQueue(_context.Handle, id, 0, out var status);
        CheckUse(status, "creating a queue");
    }

    ~OpenClDevice() => Release();

    public EngineDevice Info { get; }

    public long LargestAllocation { get; }

    public int ComputeUnitCount { get; }

    /// <summary>Turns a status into an error that says what failed.</summary>
    public static void Check(int status, string what, string device = "engine opencl")
    {
        if (status != Success)
        {
            var reason = status switch
            {
                MemObjectAllocationFailure or OutOfResources => "out of memory on the device",
                OutOfHostMemory => "the driver is out of memory",
                BuildProgramFailure => "the driver's compiler refused it",
                _ => "the driver failed",
            };
            throw new EngineUnavailableException(
                EngineKind.OpenCl,
                $"{device}: {what}: {reason} (OpenCL error {status})"
            )
            {
                IsLackOfMemory = status == MemObjectAllocationFailure,
            };
        }
    }

    public nint Allocate(long bytes)
    {
        var memory = CreateBuffer(_context.Handle, MemReadWrite, (nuint)bytes, null, out var status);
        CheckUse(status, "allocating");
        _memory.Add(memory);
        return memory;
    }

    public void Free(nint memory)
    {
        _memory.Remove(memory);
        _ = ReleaseMemory(memory);
    }

    public void Upload(nint memory, void* source, long bytes)
    {
        if (bytes > 0)
        {
            CheckUse(EnqueueWrite(_queue, memory, 1, 0, (nuint)bytes, source, 0, null, null), "copying to it");
        }
    }

    public void Download(nint memory, void* destination, long bytes)
    {
        if (bytes > 0)
        {
            CheckUse(EnqueueRead(_queue, memory, 1, 0, (nuint)bytes, destination, 0, null, null), "copying from it");
        }
    }

    public void Launch(DeviceKernel kernel, int groupsX, int groupsY, ReadOnlySpan<KernelArgument> arguments)
    {
        if (!_kernels.TryGetValue(kernel, out var handle))
        {
            _kernels.Add(kernel, handle = _context.CreateKernel(kernel));
        }

        SetArguments(kernel, handle, arguments);
        var local = stackalloc nuint[] { (nuint)kernel.GroupWidth, (nuint)kernel.GroupHeight };
        var global = stackalloc nuint[] { (nuint)groupsX * local[0], (nuint)groupsY * local[1] };
        CheckUse(EnqueueKernel(_queue, handle, 2, null, global, local, 0, null, null), $"running {kernel.Name}");
    }

    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Sets arguments in the order that ILGPU declares: first the memory of all views, then all arguments. Among these,
    /// a view is its start and its length.
    /// </summary>
    private void SetArguments(DeviceKernel kernel, nint handle, ReadOnlySpan<KernelArgument> arguments)
    {
        var index = 0u;
        foreach (var argument in arguments)
        {
            if (argument.IsMemory)
            {
                var memory = argument.Bits;
                Set((nuint)argument.Size, &memory);
            }
        }

        // No kernel reads a view's length.
        var view = stackalloc long[2];
        view[1] = long.MaxValue;
        foreach (var argument in arguments)
        {
            view[0] = argument.IsMemory ? argument.Start / argument.ElementSize : argument.Bits;
            var size = argument.IsMemory ? 2 * sizeof(long) : (nuint)argument.Size;
            Set(size, view);
        }

        void Set(nuint size, void* value)
        {
            CheckUse(SetKernelArgument(handle, index, size, value), $"argument {index} of {kernel.Name}");
            index++;
        }
    }

    private void Release()
    {
        if (_queue != 0)
        {
            // Kernels of a call that threw may still use the memory.
            _ = Finish(_queue);
        }

        foreach (var memory in _memory)
        {
            _ = ReleaseMemory(memory);
        }

        foreach (var kernel in _kernels.Values)
        {
            _ = ReleaseKernel(kernel);
        }

        if (_queue != 0)
        {
            _ = ReleaseCommandQueue(_queue);
        }

        _memory.Clear();
        _kernels.Clear();
        _queue = 0;

        // It is null where the constructor has failed.
        _context?.Release();
    }

    private void CheckUse(int status, string what) => Check(status, what, Info.Label);

    private void Require(bool condition, string reason)
    {
        if (!condition)
        {
            throw new EngineUnavailableException(EngineKind.OpenCl, $"{Info.Label} {reason}");
        }
    }
}
