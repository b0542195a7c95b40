using System.Diagnostics;

namespace Tamx.Benchmarks;

/// <summary>This program again, as a process of its own, so that memory is its own too.</summary>
internal static class ChildProcess
{
    /// <summary>Runs to the end and gives what was written to stdout, less blanks around it.</summary>
    public static string Run(IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output.Trim() : throw new InvalidOperationException($"The process ended with {process.ExitCode}.");
    }
}
