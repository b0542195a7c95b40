using System.Text;
using static Tamx.Kernels.Devices.Cuda.CudaMethods;

namespace Tamx.Kernels.Devices.Cuda;

/// <summary>A device's primary context, and a cache of the kernels that the driver has compiled for it.</summary>
/// <remarks>
/// All code of the process that uses the device shares the primary context. So nothing else in it is touched, and it
/// lives until its last user releases it. Used by one thread at a time.
/// </remarks>
internal sealed unsafe class CudaContext
{
    private readonly int _device;
    private readonly nint _context;
    private readonly (int Major, int Minor) _capability;
    private readonly Dictionary<DeviceKernel, nint> _functions = [];
    private readonly List<nint> _modules = [];
    private bool _isReleased;

    public CudaContext(int device)
    {
        _device = device;
        _capability = CudaDevices.Capability(device);
        CudaDevice.Check(PrimaryContextRetain(out _context, device), "creating a context");
    }

    /// <summary>Makes the context current on this thread, until the result is disposed of.</summary>
    public Scope Enter()
    {
        CudaDevice.Check(ContextPush(_context), "entering the context");
        return new Scope(_context);
    }

    /// <summary>A kernel's function, from the cache or compiled. The context must be current.</summary>
    /// <exception cref="EngineUnavailableException">The driver does not compile it.</exception>
    public nint Function(DeviceKernel kernel)
    {
        if (!_functions.TryGetValue(kernel, out var function))
        {
            var text = KernelCompiler.ToPtx(kernel, _capability);
            CudaDevice.Check(
                ModuleGetFunction(out function, Load(kernel, text), text.Entry),
                $"finding kernel {kernel.Name}"
            );
            _functions.Add(kernel, function);
        }

        return function;
    }

    /// <summary>Unloads the kernels. The context must be current.</summary>
    public void Unload()
    {
        foreach (var module in _modules)
        {
            _ = ModuleUnload(module);
        }

        _functions.Clear();
        _modules.Clear();
    }

    /// <summary>Releases the context. No <see cref="Scope"/> may be open.</summary>
    public void Release()
    {
        if (!_isReleased)
        {
            _isReleased = true;
            _ = PrimaryContextRelease(_device);
        }
    }

    private nint Load(DeviceKernel kernel, KernelText text)
    {
        const int LogSize = 4096;
        var image = Encoding.UTF8.GetBytes(text.Text + '\0');
        var log = stackalloc byte[LogSize];
        log[0] = 0;
        var options = stackalloc int[] { JitErrorLogBuffer, JitErrorLogBufferSizeBytes };
        var values = stackalloc void*[] { log, (void*)LogSize };
        fixed (byte* start = image)
        {
            var status = ModuleLoad(out var module, start, 2, options, values);
            if (status != Success)
            {
                var excerpt = CompilerLog.Excerpt(new ReadOnlySpan<byte>(log, LogSize));
                CudaDevice.Check(status, $"loading kernel {kernel.Name}{excerpt}");
            }

            _modules.Add(module);
            return module;
        }
    }

    /// <summary>The scope in which a context is current on this thread.</summary>
    internal readonly ref struct Scope(nint context)
    {
        public void Dispose()
        {
            if (context != 0)
            {
                _ = ContextPop(out _);
            }
        }
    }
}
