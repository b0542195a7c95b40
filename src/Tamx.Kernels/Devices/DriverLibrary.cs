using System.Reflection;
using System.Runtime.InteropServices;

namespace Tamx.Kernels.Devices;

/// <summary>Finds the drivers' libraries by the file names that they really have.</summary>
internal static class DriverLibrary
{
    /// <summary>Name of the OpenCL loader in P/Invokes.</summary>
    public const string OpenCl = "tamx-opencl";

    /// <summary>Name of the CUDA driver in P/Invokes.</summary>
    public const string Cuda = "tamx-cuda";

    static DriverLibrary() => NativeLibrary.SetDllImportResolver(typeof(DriverLibrary).Assembly, Resolve);

    /// <summary>Sees to it that this assembly's P/Invokes find them.</summary>
    public static void Register()
    {
        // The constructor has done it, once.
    }

    /// <summary>File names, the likeliest first. Linux packages have the plain names for developers only.</summary>
    internal static string[] FileNames(string library) => library switch
    {
        OpenCl when OperatingSystem.IsWindows() => ["OpenCL.dll"],
        OpenCl when OperatingSystem.IsMacOS() => ["/System/Library/Frameworks/OpenCL.framework/OpenCL"],
        OpenCl => ["libOpenCL.so.1", "libOpenCL.so"],
        Cuda when OperatingSystem.IsWindows() => ["nvcuda.dll"],
        Cuda when OperatingSystem.IsMacOS() => [],
        Cuda => ["libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"],
        _ => [],
    };

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        foreach (var file in FileNames(name))
        {
            // A driver comes with the system; one that lies about in a folder of the user's is not meant.
            if (NativeLibrary.TryLoad(file, assembly, DllImportSearchPath.System32, out var handle))
            {
                return handle;
            }
        }

        return 0;
    }
}
