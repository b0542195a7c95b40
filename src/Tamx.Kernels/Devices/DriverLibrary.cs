using System.Reflection;
using System.Runtime.InteropServices;

namespace Tamx.Kernels.Devices;

/// <summary>Finds the drivers' libraries by their file names on each system.</summary>
internal static class DriverLibrary
{
    /// <summary>Name of the OpenCL loader in P/Invokes.</summary>
    public const string OpenCl = "tamx-opencl";

    /// <summary>Name of the CUDA driver in P/Invokes.</summary>
    public const string Cuda = "tamx-cuda";

    static DriverLibrary() => NativeLibrary.SetDllImportResolver(typeof(DriverLibrary).Assembly, Resolve);

    /// <summary>Makes this assembly's P/Invokes find them.</summary>
    public static void Register()
    {
        // The static constructor does it, once.
    }

    /// <summary>File names in the order of trying. On Linux, only development packages have the plain name.</summary>
    internal static string[] FileNames(string library) =>
        library switch
        {
            OpenCl when OperatingSystem.IsWindows() => ["OpenCL.dll"],
            OpenCl when OperatingSystem.IsMacOS() => ["/System/Library/Frameworks/OpenCL.framework/OpenCL"],
            OpenCl => ["libOpenCL.so.1", "libOpenCL.so"],
            Cuda when OperatingSystem.IsWindows() => ["nvcuda.dll"],
            Cuda when OperatingSystem.IsMacOS() => [],
            Cuda => ["libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"],
            _ => [],
        };

    internal static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        foreach (var file in FileNames(name))
        {
            // A driver comes with the system. A file in a folder of the user's is not loaded.
            if (NativeLibrary.TryLoad(file, assembly, DllImportSearchPath.System32, out var handle))
            {
                return handle;
            }
        }

        return 0;
    }
}
