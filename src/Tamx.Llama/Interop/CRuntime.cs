using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tamx.Llama.Interop;

/// <summary>The C library: its environment, which native code reads and .NET does not write, and its exit.</summary>
internal static partial class CRuntime
{
    /// <summary>Sets a variable for native code, also for what a library loaded later reads at once.</summary>
    internal static void SetVariable(string name, string value) =>
        _ = OperatingSystem.IsWindows() ? PutVariable(name, value) : SetVariable(name, value, overwrite: 1);

    /// <summary>Removes a variable for native code.</summary>
    internal static void RemoveVariable(string name) =>
        _ = OperatingSystem.IsWindows() ? PutVariable(name, string.Empty) : UnsetVariable(name);

    /// <summary>Ends the process at once: nothing is flushed, and no exit handler runs.</summary>
    internal static void Exit(int code)
    {
        if (OperatingSystem.IsWindows())
        {
            ExitOnWindows(code);
        }
        else
        {
            ExitElsewhere(code);
        }
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    private static partial void ExitElsewhere(int code);

    [LibraryImport("ucrtbase", EntryPoint = "_exit")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    private static partial void ExitOnWindows(int code);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    private static partial int SetVariable(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "unsetenv", StringMarshalling = StringMarshalling.Utf8)]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    private static partial int UnsetVariable(string name);

    [LibraryImport("ucrtbase", EntryPoint = "_putenv_s", StringMarshalling = StringMarshalling.Utf8)]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    private static partial int PutVariable(string name, string value);
}
