using System.Runtime.InteropServices;

namespace Tamx.Kernels.Devices.OpenCl;

/// <summary>The functions of OpenCL 1.2 that Tamx calls.</summary>
internal static unsafe partial class OpenClMethods
{
    public const int Success = 0;
    public const int DeviceNotFound = -1;
    public const int MemObjectAllocationFailure = -4;
    public const int OutOfResources = -5;
    public const int OutOfHostMemory = -6;
    public const int BuildProgramFailure = -11;
    public const int PlatformNotFound = -1001;

    public const ulong DeviceTypeCpu = 1 << 1;
    public const ulong DeviceTypeGpu = 1 << 2;
    public const ulong DeviceTypeAll = 0xFFFFFFFF;

    public const uint DeviceType = 0x1000;
    public const uint DeviceMaxComputeUnits = 0x1002;
    public const uint DeviceMaxWorkGroupSize = 0x1004;
    public const uint DeviceMaxMemAllocSize = 0x1010;
    public const uint DeviceGlobalMemSize = 0x101F;
    public const uint DeviceLocalMemSize = 0x1023;
    public const uint DeviceAvailable = 0x1027;
    public const uint DeviceCompilerAvailable = 0x1028;
    public const uint DeviceName = 0x102B;
    public const uint DeviceVersion = 0x102F;
    public const uint DeviceHostUnifiedMemory = 0x1035;

    public const uint ProgramBuildLog = 0x1183;

    public const ulong MemReadWrite = 1;

    static OpenClMethods() => DriverLibrary.Register();

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clGetPlatformIDs")]
    public static partial int GetPlatformIds(uint capacity, nint* platforms, out uint count);

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clGetDeviceIDs")]
    public static partial int GetDeviceIds(nint platform, ulong type, uint capacity, nint* devices, out uint count);

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clGetDeviceInfo")]
    public static partial int GetDeviceInfo(nint device, uint name, nuint capacity, void* value, out nuint size);

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clCreateContext")]
    public static partial nint CreateContext(
        nint* properties,
        uint deviceCount,
        nint* devices,
        nint notify,
        nint data,
        out int status
    );

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clReleaseContext")]
    public static partial int ReleaseContext(nint context);

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clCreateCommandQueue")]
    public static partial nint CreateCommandQueue(nint context, nint device, ulong properties, out int status);

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clReleaseCommandQueue")]
    public static partial int ReleaseCommandQueue(nint queue);

    [LibraryImport(
        DriverLibrary.OpenCl,
        EntryPoint = "clCreateProgramWithSource",
        StringMarshalling = StringMarshalling.Utf8
    )]
    public static partial nint CreateProgramWithSource(
        nint context,
        uint count,
        in string source,
        nuint* lengths,
        out int status
    );

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clBuildProgram", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int BuildProgram(
        nint program,
        uint deviceCount,
        nint* devices,
        string options,
        nint notify,
        nint data
    );

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clGetProgramBuildInfo")]
    public static partial int GetProgramBuildInfo(
        nint program,
        nint device,
        uint name,
        nuint capacity,
        void* value,
        out nuint size
    );

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clReleaseProgram")]
    public static partial int ReleaseProgram(nint program);

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clCreateKernel", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint CreateKernel(nint program, string name, out int status);

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clReleaseKernel")]
    public static partial int ReleaseKernel(nint kernel);

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clSetKernelArg")]
    public static partial int SetKernelArgument(nint kernel, uint index, nuint size, void* value);

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clCreateBuffer")]
    public static partial nint CreateBuffer(nint context, ulong flags, nuint size, void* host, out int status);

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clReleaseMemObject")]
    public static partial int ReleaseMemory(nint memory);

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clEnqueueWriteBuffer")]
    public static partial int EnqueueWrite(
        nint queue,
        nint memory,
        uint blocking,
        nuint offset,
        nuint size,
        void* source,
        uint waitCount,
        nint* wait,
        nint* signal
    );

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clEnqueueReadBuffer")]
    public static partial int EnqueueRead(
        nint queue,
        nint memory,
        uint blocking,
        nuint offset,
        nuint size,
        void* destination,
        uint waitCount,
        nint* wait,
        nint* signal
    );

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clEnqueueNDRangeKernel")]
    public static partial int EnqueueKernel(
        nint queue,
        nint kernel,
        uint dimensions,
        nuint* offset,
        nuint* globalSize,
        nuint* localSize,
        uint waitCount,
        nint* wait,
        nint* signal
    );

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clFinish")]
    public static partial int Finish(nint queue);
}
