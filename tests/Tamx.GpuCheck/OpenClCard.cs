using System.Diagnostics;
using System.Runtime.InteropServices;
using Tamx.Kernels;
using Tamx.Kernels.Devices;
using Tamx.Kernels.Devices.OpenCl;
using static Tamx.GpuCheck.DriverCalls;
using static Tamx.Kernels.Devices.OpenCl.OpenClMethods;

namespace Tamx.GpuCheck;

/// <summary>An OpenCL device in its own context.</summary>
internal sealed unsafe class OpenClCard : ICard
{
    private const int GroupSize = 256;
    private const int GroupCount = 1024;

    // Eight independent vectors of sixteen sums, so that neither a GPU nor a CPU waits for the operation before.
    private const string Source = """
        __kernel void multiply_add(__global float *out, float a, float b, int count)
        {
            float16 s0 = (float16)((float)get_local_id(0) * 1e-3f), s1 = s0 + 1, s2 = s0 + 2, s3 = s0 + 3;
            float16 s4 = s0 + 4, s5 = s0 + 5, s6 = s0 + 6, s7 = s0 + 7;
            for (int i = 0; i < count; i++) {
                s0 = fma(s0, a, b); s1 = fma(s1, a, b); s2 = fma(s2, a, b); s3 = fma(s3, a, b);
                s4 = fma(s4, a, b); s5 = fma(s5, a, b); s6 = fma(s6, a, b); s7 = fma(s7, a, b);
            }
            float16 s = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7;
            float8 t = s.lo + s.hi;
            float4 u = t.lo + t.hi;
            out[get_global_id(0)] = u.s0 + u.s1 + u.s2 + u.s3;
        }
        """;

    private const int OperationsPerRound = 8 * 16 * 2;

    private readonly nint _id;
    private readonly nint _context;
    private readonly nint _queue;
    private nint _kernel;
    private int _rounds = 64;

    public OpenClCard(nint id, EngineDevice info)
    {
        (_id, Info) = (id, info);
        _context = CreateContext(null, 1, &id, 0, 0, out var status);
        OpenClDevice.Check(status, "creating a context");
        _queue = CreateCommandQueue(_context, id, 0, out status);
        OpenClDevice.Check(status, "creating a queue");
    }

    public EngineDevice Info { get; }

    public string Facts => $"{OpenClDevices.Text(_id, DeviceVersion)}, driver {OpenClDevices.Text(_id, DriverVersion)}";

    public IDeviceClock? KernelClock => null;

    public IKernelDevice Open() => new OpenClDevice(_id, Info);

    public double CopyInside(long bytes)
    {
        var source = Create(bytes, MemReadWrite);
        var destination = Create(bytes, MemReadWrite);
        var seconds = Time(() => OpenClCopyInside(_queue, source, destination, 0, 0, (nuint)bytes, 0, null, null));
        _ = ReleaseMemory(source);
        _ = ReleaseMemory(destination);
        return seconds;
    }

    public double CopyHost(long bytes, bool isUpload, bool isPinned)
    {
        var memory = Create(bytes, MemReadWrite);
        var pinned = isPinned ? Create(bytes, MemReadWrite | MemAllocHostPointer) : 0;
        var status = Success;
        var host = isPinned
            ? OpenClMap(_queue, pinned, 1, MapReadWrite, 0, (nuint)bytes, 0, null, null, out status)
            : (nint)NativeMemory.AllocZeroed((nuint)bytes);
        OpenClDevice.Check(status, "mapping pinned memory");
        var seconds = Time(() =>
            isUpload
                ? EnqueueWrite(_queue, memory, 1, 0, (nuint)bytes, (void*)host, 0, null, null)
                : EnqueueRead(_queue, memory, 1, 0, (nuint)bytes, (void*)host, 0, null, null)
        );
        if (isPinned)
        {
            _ = OpenClUnmap(_queue, pinned, host, 0, null, null);
            _ = Finish(_queue);
            _ = ReleaseMemory(pinned);
        }
        else
        {
            NativeMemory.Free((void*)host);
        }

        _ = ReleaseMemory(memory);
        return seconds;
    }

    public (double Seconds, double Operations) MultiplyAdd()
    {
        if (_kernel == 0)
        {
            var program = CreateProgramWithSource(_context, 1, Source, null, out var status);
            OpenClDevice.Check(status, "reading the peak's kernel");
            fixed (nint* id = &_id)
            {
                OpenClDevice.Check(BuildProgram(program, 1, id, "-cl-std=CL1.2", 0, 0), "compiling the peak's kernel");
            }

            _kernel = CreateKernel(program, "multiply_add", out status);
            OpenClDevice.Check(status, "creating the peak's kernel");
            _ = ReleaseProgram(program);
        }

        var sums = Create(GroupSize * GroupCount * sizeof(float), MemReadWrite);
        var (a, b) = (0.999f, 1e-3f);
        var rounds = _rounds;
        OpenClDevice.Check(SetKernelArgument(_kernel, 0, (nuint)sizeof(nint), &sums), "an argument");
        OpenClDevice.Check(SetKernelArgument(_kernel, 1, sizeof(float), &a), "an argument");
        OpenClDevice.Check(SetKernelArgument(_kernel, 2, sizeof(float), &b), "an argument");
        OpenClDevice.Check(SetKernelArgument(_kernel, 3, sizeof(int), &rounds), "an argument");
        var seconds = Time(() =>
        {
            nuint global = GroupSize * GroupCount;
            nuint local = GroupSize;
            return EnqueueKernel(_queue, _kernel, 1, null, &global, &local, 0, null, null);
        });
        _ = ReleaseMemory(sums);
        _rounds = Rounds.Next(_rounds, seconds);
        return (seconds, (double)rounds * OperationsPerRound * GroupSize * GroupCount);
    }

    public void Dispose()
    {
        if (_kernel != 0)
        {
            _ = ReleaseKernel(_kernel);
        }

        _ = ReleaseCommandQueue(_queue);
        _ = ReleaseContext(_context);
    }

    private nint Create(long bytes, ulong flags)
    {
        var memory = CreateBuffer(_context, flags, (nuint)bytes, null, out var status);
        OpenClDevice.Check(status, "allocating");
        return memory;
    }

    private double Time(Func<int> enqueue)
    {
        _ = Finish(_queue);
        var start = Stopwatch.GetTimestamp();
        OpenClDevice.Check(enqueue(), "measuring");
        _ = Finish(_queue);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
