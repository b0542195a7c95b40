using System.Globalization;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;
using Tamx.Kernels.Devices;

namespace Tamx.Kernels.Ilgpu;

/// <summary>The engine <c>ilgpu</c>: the kernels in C#, which ILGPU compiles at run time for CUDA, OpenCL and a processor that stands in for a GPU.</summary>
/// <remarks>
/// A <see cref="DeviceEngine"/>, so within 5e-6 of the reference as the engines cuda and opencl are. A driver's compiler may fuse products with sums, so
/// the last bits differ from device to device; on one device they are the same every time.
/// </remarks>
public static class IlgpuEngine
{
    // ILGPU's stand-in has a thread for each thread of a group; kernels run there in groups of one, on as many multiprocessors as there are processors.
    private const int LeastThreadsPerWarp = 2;

    private static readonly Lazy<Context> SharedContext = new(() => Context.Create(builder => builder
        .Cuda()
        .OpenCL()
        .CPU(new CPUDevice(LeastThreadsPerWarp, 1, Environment.ProcessorCount))
        .Optimize(OptimizationLevel.Release)));

    private static int _isRegistered;

    /// <summary>The engine's name.</summary>
    public static EngineKind Kind { get; } = new("ilgpu");

    /// <summary>Adds the engine to <see cref="TamEngine"/>, which makes it then. Once is enough; more often does nothing.</summary>
    public static void Register()
    {
        if (Interlocked.Exchange(ref _isRegistered, 1) == 0)
        {
            TamEngine.Register(
                Kind,
                options => new DeviceEngine(Open(options), options.MaxDeviceBytes) { MaxWorkingBytes = options.MaxWorkingBytes },
                () => Find().Select(one => one.Info));
        }
    }

    /// <summary>Opens a device.</summary>
    /// <param name="options">Which one.</param>
    /// <exception cref="EngineUnavailableException">There is no such device, or it does not work.</exception>
    internal static IlgpuDevice Open(EngineOptions options)
    {
        var devices = Find();
        var info = options.ChooseDevice(Kind, [.. devices.Select(one => one.Info)]);
        return new IlgpuDevice(SharedContext.Value, devices.First(one => one.Info == info).Device, info);
    }

    /// <summary>The devices that ILGPU has found when it started: CUDA, then OpenCL, GPUs first, then the processor that stands in for one.</summary>
    private static (Device Device, EngineDevice Info)[] Find()
    {
        try
        {
            return
            [
                .. SharedContext.Value.Devices
                    .OrderBy(device => device switch { CudaDevice => 0, CLDevice when IsGpu(device) => 1, CLDevice => 2, _ => 3 })
                    .Select((device, index) => (device, Describe(device, index))),
            ];
        }
        catch (Exception e) when (e is not EngineUnavailableException)
        {
            throw new EngineUnavailableException(Kind, $"engine ilgpu: ILGPU does not start: {e.Message}", e);
        }
    }

    private static EngineDevice Describe(Device device, int index) => new(
        string.Create(CultureInfo.InvariantCulture, $"ILGPU{index}"),
        Kind,
        device switch
        {
            CudaDevice => $"{device.Name} through CUDA",
            CLDevice => $"{device.Name} through OpenCL",
            _ => "the processors in the place of a GPU",
        },
        device is CPUDevice ? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes : device.MemorySize,
        IsGpu(device));

    private static bool IsGpu(Device device) => device is CudaDevice || (device is CLDevice one && one.DeviceType.HasFlag(CLDeviceType.CL_DEVICE_TYPE_GPU));
}
