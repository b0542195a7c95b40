using System.Runtime.InteropServices;
using Tamx.Web.Worker;
using Xunit.MicrosoftTestingPlatform;

namespace Tamx.Web.Tests;

/// <summary>
/// The tests' program, and the worker as it is, but that a signal makes it call abort(), as a failed assertion of ggml
/// does. (The runtime survives a SIGABRT that comes from outside.)
/// </summary>
internal static partial class AbortingWorker
{
    /// <summary>How a server starts it.</summary>
    public static IReadOnlyList<string> Command { get; } =
    ["dotnet", typeof(AbortingWorker).Assembly.Location, "worker"];

    public static async Task<int> Main(string[] arguments)
    {
        if (arguments is not ["worker"])
        {
            return await TestPlatformTestFramework.RunAsync(
                arguments,
                SelfRegisteredExtensions.AddSelfRegisteredExtensions
            );
        }

        using var registration = PosixSignalRegistration.Create((PosixSignal)Signals.VirtualAlarm, _ => Abort());
        return await WorkerHost.RunAsync(Console.OpenStandardInput(), Console.OpenStandardOutput());
    }

    [LibraryImport("libc", EntryPoint = "abort")]
    private static partial void Abort();
}
