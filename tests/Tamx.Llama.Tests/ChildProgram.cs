using System.Diagnostics;
using Tamx.Llama.Tests.Gguf;
using Tamx.Llama.Tests.Interop;
using Tamx.Llama.Tests.Media;
using Tamx.Testing;
using Xunit.MicrosoftTestingPlatform;

namespace Tamx.Llama.Tests;

/// <summary>
/// The tests' program, and what runs in a process of its own, since native code may end it: started by tests as
/// <c>dotnet Tamx.Llama.Tests.dll NAME ...</c>.
/// </summary>
internal static class ChildProgram
{
    public static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["texts", .. var rest]:
                ChildProcess.LeaveNothingBehind();
                return TextRun.Run(rest);
            case ["left-out", .. var rest]:
                ChildProcess.LeaveNothingBehind();
                return await LeftOutRun.RunAsync(rest);
            case ["environment"]:
                ChildProcess.LeaveNothingBehind();
                return EnvironmentTests.Change();
            case ["pictures", .. var rest]:
                return PictureMemoryRun.Run(rest);
            case ["abort", .. var rest]:
                return AbortRun.Run(rest);
            case ["host-program", .. var rest]:
                ChildProcess.LeaveNothingBehind();
                return await HostProgramRun.RunAsync(rest);
            default:
                return await TestPlatformTestFramework.RunAsync(
                    arguments,
                    SelfRegisteredExtensions.AddSelfRegisteredExtensions
                );
        }
    }

    /// <summary>How to start it as a child.</summary>
    public static ProcessStartInfo Start(params string[] arguments) =>
        ChildProcess.Describe(typeof(ChildProgram).Assembly, arguments);
}
