using System.Runtime.InteropServices;

namespace Tamx.Web.Tests;

/// <summary>What can befall a process on Unix.</summary>
internal static partial class Signals
{
    public const int Kill = 9;

    public const int Terminate = 15;

    /// <summary>
    /// SIGVTALRM: lets <see cref="AbortingWorker"/> abort, or ends it if it has not got so far. Nobody else has a use
    /// for it: <c>nohup</c> has hang-ups ignored, and the compiler in an OpenCL driver (LLVM) takes SIGUSR1.
    /// </summary>
    public const int VirtualAlarm = 26;

    /// <summary>The process stands still; it cannot refuse.</summary>
    public const int Freeze = 19;

    public static void Send(int processId, int signal) => Assert.Equal(0, SendSignal(processId, signal));

    /// <summary>Whether there is such a process, one that has ended but was not waited for included.</summary>
    public static bool Exists(int processId) => SendSignal(processId, 0) == 0;

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int processId, int signal);
}
