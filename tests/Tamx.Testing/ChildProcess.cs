using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace Tamx.Testing;

/// <summary>What runs in a process of its own, since native code may end it.</summary>
public static partial class ChildProcess
{
    /// <summary>RLIMIT_CORE, the same number on Linux and macOS.</summary>
    private const int CoreSize = 4;

    /// <summary>The host of this process.</summary>
    public static string Dotnet { get; } =
        Path.GetFullPath(
            Path.Combine(
                RuntimeEnvironment.GetRuntimeDirectory(),
                "..",
                "..",
                "..",
                OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"
            )
        );

    /// <summary>
    /// How to start a program of tests as a child. Whatever happens there, no debugger starts and no dump file is
    /// written.
    /// </summary>
    public static ProcessStartInfo Describe(Assembly program, params IEnumerable<string> arguments) =>
        new(Dotnet, [program.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            Environment = { ["GGML_NO_BACKTRACE"] = "1", ["DOTNET_DbgEnableMiniDump"] = "0" },
        };

    /// <summary>Forbids core files to this process.</summary>
    public static void LeaveNothingBehind()
    {
        if (!OperatingSystem.IsWindows())
        {
            var none = default(Limit);
            _ = SetLimit(CoreSize, in none);
        }
    }

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, in Limit limit);

    private struct Limit
    {
        public nuint Current;
        public nuint Most;
    }
}
