using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Tamx.Kernels;
using Tamx.Kernels.Devices;
using Tamx.Kernels.Devices.Cuda;
using static Tamx.GpuCheck.DriverCalls;
using static Tamx.Kernels.Devices.Cuda.CudaMethods;

namespace Tamx.GpuCheck;

/// <summary>A CUDA device in its primary context, which the engine shares.</summary>
internal sealed unsafe class CudaCard : ICard
{
    private const int GroupSize = 256;
    private const int GroupsPerMultiprocessor = 8;
    private const int Sums = 16;
    private const int Unrolled = 16;

    private readonly int _handle;
    private readonly CudaContext _context;
    private readonly EventClock _clock;
    private readonly int _groupCount;
    private nint _kernel;
    private int _rounds = 64;

    public CudaCard(int handle, EngineDevice info)
    {
        (_handle, Info) = (handle, info);
        _context = new CudaContext(handle);
        _groupCount = GroupsPerMultiprocessor * Attribute(MultiprocessorCount);
        _clock = new EventClock(_context);
    }

    public EngineDevice Info { get; }

    public string Facts
    {
        get
        {
            CudaDevice.Check(CudaDriverVersion(out var version), "asking for the driver's version");
            var (major, minor) = (Attribute(ComputeCapabilityMajor), Attribute(ComputeCapabilityMinor));
            return string.Create(
                CultureInfo.InvariantCulture,
                $"CUDA {version / 1000}.{version % 1000 / 10}, compute capability {major}.{minor}, "
                    + $"{Attribute(MultiprocessorCount)} multiprocessors"
            );
        }
    }

    public IDeviceClock? KernelClock => _clock;

    public IKernelDevice Open() => new CudaDevice(_handle, Info);

    public double CopyInside(long bytes)
    {
        using var scope = _context.Enter();
        var source = Allocate(bytes);
        var destination = Allocate(bytes);
        var seconds = Time(() => CudaCopyInside(destination, source, (nuint)bytes));
        _ = MemoryFree(source);
        _ = MemoryFree(destination);
        return seconds;
    }

    public double CopyHost(long bytes, bool isUpload, bool isPinned)
    {
        using var scope = _context.Enter();
        var memory = Allocate(bytes);
        nint host;
        if (isPinned)
        {
            CudaDevice.Check(HostAllocate(out host, (nuint)bytes), "allocating pinned memory");
        }
        else
        {
            host = (nint)NativeMemory.AllocZeroed((nuint)bytes);
        }

        var seconds = Time(() =>
            isUpload ? CopyToDevice(memory, (void*)host, (nuint)bytes) : CopyToHost((void*)host, memory, (nuint)bytes)
        );
        if (isPinned)
        {
            _ = HostFree(host);
        }
        else
        {
            NativeMemory.Free((void*)host);
        }

        _ = MemoryFree(memory);
        return seconds;
    }

    public (double Seconds, double Operations) MultiplyAdd()
    {
        using var scope = _context.Enter();
        if (_kernel == 0)
        {
            fixed (byte* image = Encoding.ASCII.GetBytes(Assembly() + '\0'))
            {
                CudaDevice.Check(ModuleLoad(out var module, image, 0, null, null), "loading the peak's kernel");
                CudaDevice.Check(ModuleGetFunction(out _kernel, module, "multiply_add"), "finding the peak's kernel");
            }
        }

        var sums = Allocate((long)GroupSize * _groupCount * sizeof(float));
        var (a, b, rounds) = (0.999f, 1e-3f, _rounds);
        var arguments = stackalloc void*[] { &sums, &a, &b, &rounds };
        var pointers = (nint)arguments;
        var seconds = Time(() =>
            CudaMethods.Launch(_kernel, (uint)_groupCount, 1, 1, GroupSize, 1, 1, 0, 0, (void**)pointers, null)
        );
        _ = MemoryFree(sums);
        _rounds = Rounds.Next(_rounds, seconds);
        return (seconds, 2.0 * rounds * Sums * Unrolled * GroupSize * _groupCount);
    }

    public void Dispose()
    {
        _clock.Dispose();
        _context.Release();
    }

    /// <summary>PTX with sixteen sums per thread. A round adds sixteen fused products to each.</summary>
    internal static string Assembly()
    {
        var text = new StringBuilder();
        text.Append(
            """
            .version 6.0
            .target sm_60
            .address_size 64
            .visible .entry multiply_add(.param .u64 sums, .param .f32 a, .param .f32 b, .param .u32 count)
            {
                .reg .f32 %s<16>;
                .reg .f32 %a;
                .reg .f32 %b;
                .reg .b32 %i;
                .reg .b32 %n;
                .reg .b32 %x;
                .reg .b32 %g;
                .reg .b32 %w;
                .reg .b64 %p;
                .reg .b64 %o;
                .reg .pred %q;
                ld.param.u64 %p, [sums];
                ld.param.f32 %a, [a];
                ld.param.f32 %b, [b];
                ld.param.u32 %n, [count];
                mov.u32 %x, %tid.x;
                mov.u32 %g, %ctaid.x;
                mov.u32 %w, %ntid.x;
                mad.lo.u32 %x, %g, %w, %x;
                mul.wide.u32 %o, %x, 4;
                add.u64 %p, %p, %o;
                cvta.to.global.u64 %p, %p;
                cvt.rn.f32.u32 %s0, %x;

            """
        );
        for (var i = 1; i < Sums; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"    add.f32 %s{i}, %s{i - 1}, %a;\n");
        }

        text.Append("    mov.u32 %i, 0;\nROUND:\n");
        for (var i = 0; i < Sums * Unrolled; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"    fma.rn.f32 %s{i % Sums}, %s{i % Sums}, %a, %b;\n");
        }

        text.Append("    add.u32 %i, %i, 1;\n    setp.lt.u32 %q, %i, %n;\n    @%q bra ROUND;\n");
        for (var i = 1; i < Sums; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"    add.f32 %s0, %s0, %s{i};\n");
        }

        return text.Append("    st.global.f32 [%p], %s0;\n    ret;\n}\n").ToString();
    }

    private int Attribute(int name) => CudaDevices.Attribute(_handle, name);

    private static nint Allocate(long bytes)
    {
        CudaDevice.Check(MemoryAllocate(out var memory, (nuint)bytes), "allocating");
        return memory;
    }

    private static double Time(Func<int> start)
    {
        CudaDevice.Check(CudaSynchronize(), "waiting");
        var begin = Stopwatch.GetTimestamp();
        CudaDevice.Check(start(), "measuring");
        CudaDevice.Check(CudaSynchronize(), "waiting");
        return Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    /// <summary>Events in the default stream, in which the engine launches its kernels.</summary>
    private sealed class EventClock : IDeviceClock, IDisposable
    {
        private readonly CudaContext _context;
        private readonly nint _start;
        private readonly nint _end;

        public EventClock(CudaContext context)
        {
            _context = context;
            using var scope = context.Enter();
            CudaDevice.Check(EventCreate(out _start, 0), "creating an event");
            CudaDevice.Check(EventCreate(out _end, 0), "creating an event");
        }

        public void Start()
        {
            using var scope = _context.Enter();
            CudaDevice.Check(EventRecord(_start, 0), "recording an event");
        }

        public double Stop()
        {
            using var scope = _context.Enter();
            CudaDevice.Check(EventRecord(_end, 0), "recording an event");
            CudaDevice.Check(EventSynchronize(_end), "waiting for an event");
            CudaDevice.Check(CudaElapsed(out var milliseconds, _start, _end), "reading an event");
            return milliseconds / 1000;
        }

        public void Dispose()
        {
            using var scope = _context.Enter();
            _ = EventDestroy(_start);
            _ = EventDestroy(_end);
        }
    }
}
