using System.Runtime.InteropServices;

namespace Tamx.Kernels.Devices.Cuda;

/// <summary>The functions of the CUDA driver that Tamx calls. cuda.h gives those with _v2 the plain name.</summary>
internal static unsafe partial class CudaMethods
{
    public const int Success = 0;
    public const int OutOfMemory = 2;
    public const int NoDevice = 100;

    public const int MultiprocessorCount = 16;
    public const int ComputeCapabilityMajor = 75;
    public const int ComputeCapabilityMinor = 76;

    public const uint EventDisableTiming = 2;

    public const int JitErrorLogBuffer = 5;
    public const int JitErrorLogBufferSizeBytes = 6;

    static CudaMethods() => DriverLibrary.Register();

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuInit")]
    public static partial int Init(uint flags);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuGetErrorString")]
    public static partial int GetErrorString(int status, out nint text);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuDeviceGetCount")]
    public static partial int DeviceGetCount(out int count);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuDeviceGet")]
    public static partial int DeviceGet(out int device, int ordinal);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuDeviceGetName")]
    public static partial int DeviceGetName(byte* name, int capacity, int device);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuDeviceTotalMem_v2")]
    public static partial int DeviceTotalMemory(out nuint bytes, int device);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuDeviceGetAttribute")]
    public static partial int DeviceGetAttribute(out int value, int attribute, int device);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuDevicePrimaryCtxRetain")]
    public static partial int PrimaryContextRetain(out nint context, int device);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
    public static partial int PrimaryContextRelease(int device);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuCtxPushCurrent_v2")]
    public static partial int ContextPush(nint context);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuCtxPopCurrent_v2")]
    public static partial int ContextPop(out nint context);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuModuleLoadDataEx")]
    public static partial int ModuleLoad(out nint module, byte* image, uint optionCount, int* options, void** values);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuModuleUnload")]
    public static partial int ModuleUnload(nint module);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuModuleGetFunction", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ModuleGetFunction(out nint function, nint module, string name);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuMemAlloc_v2")]
    public static partial int MemoryAllocate(out nint memory, nuint bytes);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuMemFree_v2")]
    public static partial int MemoryFree(nint memory);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuMemcpyHtoD_v2")]
    public static partial int CopyToDevice(nint memory, void* source, nuint bytes);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuMemcpyDtoH_v2")]
    public static partial int CopyToHost(void* destination, nint memory, nuint bytes);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuMemcpyHtoDAsync_v2")]
    public static partial int StartCopyToDevice(nint memory, void* source, nuint bytes, nint stream);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuMemcpyDtoHAsync_v2")]
    public static partial int StartCopyToHost(void* destination, nint memory, nuint bytes, nint stream);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuMemAllocHost_v2")]
    public static partial int HostAllocate(out nint memory, nuint bytes);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuMemFreeHost")]
    public static partial int HostFree(nint memory);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuEventCreate")]
    public static partial int EventCreate(out nint signal, uint flags);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuEventRecord")]
    public static partial int EventRecord(nint signal, nint stream);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuEventSynchronize")]
    public static partial int EventSynchronize(nint signal);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuEventDestroy_v2")]
    public static partial int EventDestroy(nint signal);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuLaunchKernel")]
    public static partial int Launch(
        nint function,
        uint groupsX,
        uint groupsY,
        uint groupsZ,
        uint threadsX,
        uint threadsY,
        uint threadsZ,
        uint sharedBytes,
        nint stream,
        void** arguments,
        void** extra
    );
}
