using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Tamx.Kernels.Devices;

namespace Tamx.GpuCheck;

/// <summary>The drivers' functions that only measurements call. The engines import the others.</summary>
internal static unsafe partial class DriverCalls
{
    public const ulong MemAllocHostPointer = 1 << 4;
    public const uint DriverVersion = 0x102D;
    public const ulong MapReadWrite = 3;

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuDriverGetVersion")]
    public static partial int CudaDriverVersion(out int version);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuMemcpyDtoD_v2")]
    public static partial int CudaCopyInside(nint destination, nint source, nuint bytes);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuMemsetD32_v2")]
    public static partial int CudaFill(nint memory, uint value, nuint count);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuCtxSynchronize")]
    public static partial int CudaSynchronize();

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuCtxGetCurrent")]
    public static partial int CudaCurrentContext(out nint context);

    [LibraryImport(DriverLibrary.Cuda, EntryPoint = "cuEventElapsedTime")]
    public static partial int CudaElapsed(out float milliseconds, nint start, nint end);

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clEnqueueCopyBuffer")]
    public static partial int OpenClCopyInside(
        nint queue,
        nint source,
        nint destination,
        nuint sourceOffset,
        nuint offset,
        nuint bytes,
        uint waitCount,
        nint* wait,
        nint* signal
    );

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clEnqueueMapBuffer")]
    public static partial nint OpenClMap(
        nint queue,
        nint memory,
        uint blocking,
        ulong flags,
        nuint offset,
        nuint bytes,
        uint waitCount,
        nint* wait,
        nint* signal,
        out int status
    );

    [LibraryImport(DriverLibrary.OpenCl, EntryPoint = "clEnqueueUnmapMemObject")]
    public static partial int OpenClUnmap(
        nint queue,
        nint memory,
        nint mapped,
        uint waitCount,
        nint* wait,
        nint* signal
    );

    /// <summary>Makes this assembly's P/Invokes find the drivers where the engines find them.</summary>
    [ModuleInitializer]
    internal static void Register() =>
        NativeLibrary.SetDllImportResolver(typeof(DriverCalls).Assembly, DriverLibrary.Resolve);
}
