using System.Diagnostics;
using System.Reflection;

namespace Tamx.Benchmarks;

/// <summary>Programs that run to their end and say what they found on stdout.</summary>
internal static class ChildProcess
{
    /// <summary>This program again, as a process of its own, so that memory is its own too.</summary>
    public static string RunAgain(params string[] arguments)
    {
        var (program, all) = Again(arguments);
        return Run(program, all);
    }

    /// <summary>The same, not waited for.</summary>
    public static Process StartAgain(params string[] arguments)
    {
        var (program, all) = Again(arguments);
        return Process.Start(program, all);
    }

    /// <summary>Runs a program to the end and gives what it wrote to stdout, less blanks around it.</summary>
    public static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output.Trim()
            : throw new InvalidOperationException(
                $"{Path.GetFileName(program)} ended with {process.ExitCode}: {errors.Result.Trim()}"
            );
    }

    private static (string Program, string[] Arguments) Again(string[] arguments)
    {
        var program = Environment.ProcessPath!;
        var isHost = Path.GetFileNameWithoutExtension(program) == "dotnet";
        return (program, isHost ? [Assembly.GetEntryAssembly()!.Location, .. arguments] : arguments);
    }
}
