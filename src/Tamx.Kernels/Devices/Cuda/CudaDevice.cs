using System.Runtime.InteropServices;
using static Tamx.Kernels.Devices.Cuda.CudaMethods;

namespace Tamx.Kernels.Devices.Cuda;

/// <summary>A CUDA device. Launches and copies go through the default stream, so they happen in order.</summary>
internal sealed unsafe class CudaDevice : IKernelDevice
{
    /// <summary>Bytes from which on a copy goes through pinned memory. Drivers stage up to 64 KB themselves.</summary>
    private const int SmallestStaged = 256 << 10;

    private readonly CudaContext _context;
    private readonly HashSet<nint> _memory = [];
    private readonly PinnedStaging _staging = new();

    /// <summary>Opens a device.</summary>
    /// <exception cref="EngineUnavailableException">It cannot run the kernels.</exception>
    public CudaDevice(int handle, EngineDevice info)
    {
        Info = info;
        var (major, minor) = CudaDevices.Capability(handle);
        if ((major, minor).CompareTo((6, 1)) < 0)
        {
            throw new EngineUnavailableException(
                EngineKind.Cuda,
                $"{info.Label} has compute capability {major}.{minor}, and 6.1 is needed; try engine opencl"
            );
        }

        ComputeUnitCount = CudaDevices.Attribute(handle, MultiprocessorCount);
        _context = new CudaContext(handle);
    }

    ~CudaDevice() => Release();

    public EngineDevice Info { get; }

    public long LargestAllocation => Info.MemoryBytes;

    public int ComputeUnitCount { get; }

    /// <summary>Turns a status into an error that says what failed.</summary>
    public static void Check(int status, string what, string device = "engine cuda")
    {
        if (status != Success)
        {
            var reason =
                status == OutOfMemory ? "out of memory on the device"
                : GetErrorString(status, out var text) == Success ? Marshal.PtrToStringUTF8(text)!
                : "the driver failed";
            throw new EngineUnavailableException(EngineKind.Cuda, $"{device}: {what}: {reason} (CUDA error {status})")
            {
                IsLackOfMemory = status == OutOfMemory,
            };
        }
    }

    public nint Allocate(long bytes)
    {
        using var scope = _context.Enter();
        CheckUse(MemoryAllocate(out var memory, (nuint)bytes), "allocating");
        _memory.Add(memory);
        return memory;
    }

    public void Free(nint memory)
    {
        using var scope = _context.Enter();
        _memory.Remove(memory);
        _ = MemoryFree(memory);
    }

    public void Upload(nint memory, void* source, long bytes)
    {
        if (bytes > 0)
        {
            using var scope = _context.Enter();
            CheckUse(
                IsStaged(bytes)
                    ? _staging.Upload(memory, (byte*)source, bytes)
                    : CopyToDevice(memory, source, (nuint)bytes),
                "copying to it"
            );
        }
    }

    public void Download(nint memory, void* destination, long bytes)
    {
        if (bytes > 0)
        {
            using var scope = _context.Enter();
            CheckUse(
                IsStaged(bytes)
                    ? _staging.Download((byte*)destination, memory, bytes)
                    : CopyToHost(destination, memory, (nuint)bytes),
                "copying from it"
            );
        }
    }

    public void Launch(DeviceKernel kernel, int groupsX, int groupsY, ReadOnlySpan<KernelArgument> arguments)
    {
        using var scope = _context.Enter();
        var function = _context.Function(kernel);
        var values = stackalloc long[2 * arguments.Length];
        var pointers = stackalloc void*[arguments.Length];
        for (var i = 0; i < arguments.Length; i++)
        {
            // ILGPU declares a view as a pointer and a length. No kernel reads the length.
            values[2 * i] = arguments[i].Bits + arguments[i].Start;
            values[2 * i + 1] = long.MaxValue;
            pointers[i] = values + 2 * i;
        }

        var (width, height) = ((uint)kernel.GroupWidth, (uint)kernel.GroupHeight);
        CheckUse(
            CudaMethods.Launch(function, (uint)groupsX, (uint)groupsY, 1, width, height, 1, 0, 0, pointers, null),
            $"running {kernel.Name}"
        );
    }

    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    /// <summary>Whether a copy goes through pinned memory: it is large enough, and there is such memory.</summary>
    private bool IsStaged(long bytes) => bytes >= SmallestStaged && _staging.Reserve() == Success;

    private void Release()
    {
        // It is null where the constructor has failed.
        if (_context is null)
        {
            return;
        }

        try
        {
            // Kernels of a call that threw may still run. The driver waits for them before it frees memory.
            using var scope = _context.Enter();
            foreach (var memory in _memory)
            {
                _ = MemoryFree(memory);
            }

            _staging.Free();
            _context.Unload();
        }
        catch (EngineUnavailableException)
        {
            // The context is gone, and its memory with it.
        }

        _memory.Clear();
        _context.Release();
    }

    private void CheckUse(int status, string what) => Check(status, what, Info.Label);
}
