using System.Diagnostics;
using System.Runtime.InteropServices;
using Tamx.Llama.Tests.Interop;
using Tamx.Llama.Tests.Media;
using Xunit.MicrosoftTestingPlatform;

namespace Tamx.Llama.Tests;

/// <summary>
/// The tests' program, and what runs in a process of its own, since native code may end it: started by tests as
/// <c>dotnet Tamx.Llama.Tests.dll NAME ...</c>.
/// </summary>
internal static partial class ChildProgram
{
    /// <summary>RLIMIT_CORE, the same number on Linux and macOS.</summary>
    private const int CoreSize = 4;

    public static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["texts", .. var rest]:
                LeaveNothingBehind();
                return TextRun.Run(rest);
            case ["environment"]:
                LeaveNothingBehind();
                return EnvironmentTests.Change();
            case ["pictures", .. var rest]:
                return PictureMemoryRun.Run(rest);
            case ["abort", .. var rest]:
                return AbortRun.Run(rest);
            case ["host-program", .. var rest]:
                LeaveNothingBehind();
                return await HostProgramRun.RunAsync(rest);
            default:
                return await TestPlatformTestFramework.RunAsync(
                    arguments,
                    SelfRegisteredExtensions.AddSelfRegisteredExtensions
                );
        }
    }

    /// <summary>
    /// How to start it. Whatever happens there, no debugger starts and no core or dump file is written.
    /// </summary>
    public static ProcessStartInfo Start(params string[] arguments)
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        var dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
        var start = new ProcessStartInfo(dotnet, [typeof(ChildProgram).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = System.Text.Encoding.UTF8,
        };
        start.Environment["GGML_NO_BACKTRACE"] = "1";
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        return start;
    }

    /// <summary>Forbids core files to this process.</summary>
    private static void LeaveNothingBehind()
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
