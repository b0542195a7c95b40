using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tamx.Llama.Interop;

/// <summary>
/// The C library's environment (stdlib.h), which native code reads and .NET's own variables do not reach.
/// </summary>
internal static partial class CRuntime
{
    /// <summary>
    /// Sets a variable for native code. A library that reads it when it is loaded must be loaded afterwards.
    /// </summary>
    internal static void SetVariable(string name, string value) =>
        _ = OperatingSystem.IsWindows() ? PutVariable(name, value) : SetVariable(name, value, overwrite: 1);

    /// <summary>Takes a variable away from native code.</summary>
    internal static void RemoveVariable(string name) =>
        _ = OperatingSystem.IsWindows() ? PutVariable(name, string.Empty) : UnsetVariable(name);

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
