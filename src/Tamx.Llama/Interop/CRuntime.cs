using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Tamx.Llama.Interop;

/// <summary>The C library: its environment, which native code reads and .NET does not write, and its exit.</summary>
/// <remarks>
/// On Linux, setenv may free the list of variables while another thread reads it (glibc before 2.41, and musl). Drivers
/// of GPUs do so whenever they like. So a new list takes the old one's place there, and the old one is never freed.
/// </remarks>
internal static unsafe partial class CRuntime
{
    private static readonly Lock Gate = new();

    /// <summary>Sets a variable for native code, also for what a library loaded later reads at once.</summary>
    internal static void SetVariable(string name, string value)
    {
        if (OperatingSystem.IsWindows())
        {
            _ = PutVariable(name, value);
        }
        else if (OperatingSystem.IsLinux())
        {
            Replace(name, value);
        }
        else
        {
            _ = SetVariable(name, value, overwrite: 1);
        }
    }

    /// <summary>Removes a variable for native code.</summary>
    internal static void RemoveVariable(string name)
    {
        if (OperatingSystem.IsWindows())
        {
            _ = PutVariable(name, string.Empty);
        }
        else if (OperatingSystem.IsLinux())
        {
            Replace(name, null);
        }
        else
        {
            _ = UnsetVariable(name);
        }
    }

    private static void Replace(string name, string? value)
    {
        var prefix = Encoding.UTF8.GetBytes(name + "=");
        lock (Gate)
        {
            var list = (byte***)NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "environ");
            var old = *list;
            var count = 0;
            while (old != null && old[count] != null)
            {
                count++;
            }

            // One more for the new variable, and one for the end.
            var variables = (byte**)NativeMemory.Alloc((nuint)count + 2, (nuint)sizeof(byte*));
            var kept = 0;
            for (var i = 0; i < count; i++)
            {
                var variable = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(old[i]);
                if (!variable.StartsWith(prefix))
                {
                    variables[kept++] = old[i];
                }
            }

            if (value is not null)
            {
                variables[kept++] = (byte*)Marshal.StringToCoTaskMemUTF8($"{name}={value}");
            }

            variables[kept] = null;
            Volatile.Write(ref *(nint*)list, (nint)variables);
        }
    }

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
