using System.Text;
using static Tamx.Kernels.Devices.Cuda.CudaMethods;

namespace Tamx.Kernels.Devices.Cuda;

/// <summary>A share in a device's primary context, and the kernels that the driver has compiled for it.</summary>
/// <remarks>
/// The context is one for all of the process that use the device, so nothing else in it is touched, and it lives until
/// the last of them lets go of it. Used by one thread at a time.
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
        CudaDevice.Check(DeviceGetAttribute(out var major, ComputeCapabilityMajor, device), "asking for a device's version");
        CudaDevice.Check(DeviceGetAttribute(out var minor, ComputeCapabilityMinor, device), "asking for a device's version");
        _capability = (major, minor);
        CudaDevice.Check(PrimaryContextRetain(out _context, device), "creating a context");
    }

    /// <summary>
    /// Makes the context this thread's; what was the thread's comes back when the result is disposed of.
    /// </summary>
    public Scope Enter()
    {
        CudaDevice.Check(ContextPush(_context), "entering the context");
        return new Scope(_context);
    }

    /// <summary>A kernel. The context must be this thread's.</summary>
    /// <exception cref="EngineUnavailableException">The driver does not take it.</exception>
    public nint Function(DeviceKernel kernel)
    {
        if (!_functions.TryGetValue(kernel, out var function))
        {
            var text = KernelCompiler.ToPtx(kernel, _capability);
            CudaDevice.Check(ModuleGetFunction(out function, Load(kernel, text), text.Entry), $"finding kernel {kernel.Name}");
            _functions.Add(kernel, function);
        }

        return function;
    }

    /// <summary>Unloads the kernels. The context must be this thread's.</summary>
    public void Unload()
    {
        foreach (var module in _modules)
        {
            _ = ModuleUnload(module);
        }

        _functions.Clear();
        _modules.Clear();
    }

    /// <summary>Lets go of the context. It must be no thread's through this any more.</summary>
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
                CudaDevice.Check(status, $"loading kernel {kernel.Name}{CompilerLog.Start(new ReadOnlySpan<byte>(log, LogSize))}");
            }

            _modules.Add(module);
            return module;
        }
    }

    /// <summary>The time in which a context is this thread's.</summary>
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
