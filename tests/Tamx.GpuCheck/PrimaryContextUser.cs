using Tamx.Kernels.Devices.Cuda;
using static Tamx.GpuCheck.DriverCalls;
using static Tamx.Kernels.Devices.Cuda.CudaMethods;

namespace Tamx.GpuCheck;

/// <summary>
/// Another user of a device's primary context, like llama.cpp's CUDA backend. Its thread writes, copies and reads
/// memory all the time. The context is current on the thread that created this.
/// </summary>
internal sealed unsafe class PrimaryContextUser : IDisposable
{
    private const int Count = 1 << 20;

    private readonly int _device;
    private readonly CudaContext _context;
    private readonly nint _expected;
    private readonly Thread _thread;
    private volatile bool _isEnding;
    private volatile string? _fault;

    public PrimaryContextUser(int device)
    {
        _device = device;
        CudaDevice.Check(PrimaryContextRetain(out _expected, device), "creating a context");
        CudaDevice.Check(ContextPush(_expected), "entering the context");
        _context = new CudaContext(device);
        _thread = new Thread(Work) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Rounds of work that were done without a fault.</summary>
    public int RoundCount { get; private set; }

    /// <summary>Throws if the engine has disturbed this work or left another context current on the thread.</summary>
    public void Check()
    {
        CudaDevice.Check(CudaCurrentContext(out var current), "asking for the thread's context");
        if (current != _expected)
        {
            throw new InvalidOperationException("the engine left another context current on the thread");
        }

        if (_fault is not null)
        {
            throw new InvalidOperationException($"the other user of the context: {_fault}");
        }
    }

    public void Dispose()
    {
        _isEnding = true;
        _thread.Join();
        _ = ContextPop(out _);
        _context.Release();
        _ = PrimaryContextRelease(_device);
    }

    private void Work()
    {
        try
        {
            using var scope = _context.Enter();
            CudaDevice.Check(MemoryAllocate(out var source, Count * sizeof(uint)), "allocating");
            CudaDevice.Check(MemoryAllocate(out var destination, Count * sizeof(uint)), "allocating");
            var read = new uint[Count];
            for (var round = 1u; !_isEnding; round++)
            {
                CudaDevice.Check(CudaFill(source, round, Count), "writing");
                CudaDevice.Check(CudaCopyInside(destination, source, Count * sizeof(uint)), "copying");
                fixed (uint* start = read)
                {
                    CudaDevice.Check(CopyToHost(start, destination, Count * sizeof(uint)), "reading");
                }

                if (read.AsSpan().IndexOfAnyExcept(round) is >= 0 and var index)
                {
                    _fault = $"its memory holds {read[index]} where it wrote {round}";
                    return;
                }

                RoundCount++;
            }

            _ = MemoryFree(source);
            _ = MemoryFree(destination);
        }
        catch (Exception e)
        {
            _fault = e.Message;
        }
    }
}
