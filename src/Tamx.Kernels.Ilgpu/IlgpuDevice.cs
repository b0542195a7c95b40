using ILGPU;
using ILGPU.Runtime;
using Tamx.Kernels.Devices;

namespace Tamx.Kernels.Ilgpu;

/// <summary>A device of ILGPU's. Launches and copies go through its default stream, so they happen in order.</summary>
internal sealed unsafe class IlgpuDevice : IKernelDevice
{
    private readonly IlgpuProgram _program;
    private readonly Dictionary<nint, MemoryBuffer1D<byte, Stride1D.Dense>> _memory = [];

    /// <summary>Opens a device.</summary>
    /// <exception cref="EngineUnavailableException">It does not work.</exception>
    public IlgpuDevice(Context context, Device device, EngineDevice info)
    {
        Info = info;
        try
        {
            _program = IlgpuProgram.Of(context, device);
        }
        catch (Exception e) when (e is not EngineUnavailableException)
        {
            throw Unavailable("starting", e);
        }
    }

    public EngineDevice Info { get; }

    public long LargestAllocation => Info.MemoryBytes;

    public nint Allocate(long bytes)
    {
        nint memory = 0;
        Run("allocating", () =>
        {
            var buffer = _program.Accelerator.Allocate1D<byte>(bytes);
            memory = buffer.NativePtr;
            _memory.Add(memory, buffer);
        });
        return memory;
    }

    public void Free(nint memory) => Run("freeing memory", () =>
    {
        _program.Accelerator.DefaultStream.Synchronize();
        if (_memory.Remove(memory, out var buffer))
        {
            buffer.Dispose();
        }
    });

    public void Upload(nint memory, void* source, long bytes)
    {
        if (bytes > 0)
        {
            Run("copying to it", () =>
            {
                _memory[memory].View.SubView(0, bytes).CopyFromCPU(ref *(byte*)source, bytes);
                _program.Accelerator.DefaultStream.Synchronize();
            });
        }
    }

    public void Download(nint memory, void* destination, long bytes)
    {
        if (bytes > 0)
        {
            Run("copying from it", () =>
            {
                _memory[memory].View.SubView(0, bytes).CopyToCPU(ref *(byte*)destination, bytes);
                _program.Accelerator.DefaultStream.Synchronize();
            });
        }
    }

    public void Launch(DeviceKernel kernel, int groupsX, int groupsY, ReadOnlySpan<KernelArgument> arguments)
    {
        var copy = arguments.ToArray();
        Run($"running {kernel.Name}", () => _program.Launch(kernel, groupsX, groupsY, new IlgpuArguments(copy, _memory)));
    }

    public void Dispose()
    {
        try
        {
            foreach (nint memory in _memory.Keys.ToArray())
            {
                Free(memory);
            }
        }
        catch (EngineUnavailableException)
        {
            // With the device, its memory is gone.
            _memory.Clear();
        }
    }

    /// <summary>Does something with the device, one thread at a time: engines share it, and ILGPU's accelerators are not for several.</summary>
    private void Run(string what, Action action)
    {
        lock (_program)
        {
            try
            {
                action();
            }
            catch (Exception e) when (e is AcceleratorException or InternalCompilerException or NotSupportedException or OutOfMemoryException)
            {
                if (what != "allocating")
                {
                    _program.Forget();
                }

                throw Unavailable(what, e);
            }
        }
    }

    private EngineUnavailableException Unavailable(string what, Exception e) => new(
        Info.Kind, $"{Info.Name} ({Info.Description}): {what}: {e.Message.Split('\n')[0].Trim()}", e);
}
