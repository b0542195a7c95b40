using System.Runtime.InteropServices;
using Tamx.Web.Worker;

namespace Tamx.Web.Worker
{
    /// <summary>
    /// How any program that serves a model is its worker as well: started with the variable DOTNET_STARTUP_HOOKS, the
    /// runtime calls <c>StartupHook.Initialize</c> before the program's own code, of which nothing is run then.
    /// </summary>
    internal static class WorkerHook
    {
        /// <summary>The variable's value.</summary>
        public static string Name { get; } = typeof(WorkerHook).Assembly.GetName().Name!;

        public static int Run()
        {
            // Ctrl+C goes to the server too. The server ends this process by closing its input.
            using var interruption = PosixSignalRegistration.Create(
                PosixSignal.SIGINT,
                context => context.Cancel = true
            );
            Environment.SetEnvironmentVariable("DOTNET_STARTUP_HOOKS", null);
            var output = Console.OpenStandardOutput();
            Console.SetOut(TextWriter.Null);
            return WorkerHost.RunAsync(Console.OpenStandardInput(), output).GetAwaiter().GetResult();
        }
    }
}

/// <summary>The name and place that the runtime looks for.</summary>
internal static class StartupHook
{
    public static void Initialize() => Environment.Exit(WorkerHook.Run());
}
