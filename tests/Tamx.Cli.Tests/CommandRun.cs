using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Tamx.Cli.Tests;

/// <summary>One command line, run in this process with its output captured.</summary>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    /// <summary>The host of this process.</summary>
    public static string Dotnet =>
        Path.GetFullPath(
            Path.Combine(
                RuntimeEnvironment.GetRuntimeDirectory(),
                "..",
                "..",
                "..",
                OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"
            )
        );

    public static async Task<CommandRun> Of(
        IReadOnlyList<string> arguments,
        CancellationToken cancellationToken = default
    )
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await CommandLine.RunAsync(arguments, output, error, cancellationToken);
        return new CommandRun(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>One command line, run in a process of its own.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="folder">The current folder.</param>
    /// <param name="environment">Environment variables that are to be different.</param>
    public static Task<CommandRun> OfProcess(
        IReadOnlyList<string> arguments,
        string folder,
        params (string Name, string Value)[] environment
    ) => OfProcess(typeof(CommandLine).Assembly.Location, arguments, folder, environment);

    /// <summary>The same, of a program that lies elsewhere.</summary>
    public static Task<CommandRun> OfProcess(
        string program,
        IReadOnlyList<string> arguments,
        string folder,
        params (string Name, string Value)[] environment
    ) => OfProgram(Dotnet, [program, .. arguments], folder, environment);

    /// <summary>Any program.</summary>
    public static async Task<CommandRun> OfProgram(
        string program,
        IReadOnlyList<string> arguments,
        string folder,
        params (string Name, string Value)[] environment
    )
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = folder,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new CommandRun(process.ExitCode, await output, error);
    }

    /// <summary>Holds the run to a failure of one line that says something.</summary>
    public void AssertFails(int exitCode, string message)
    {
        Assert.Contains(message, Error, StringComparison.Ordinal);
        Assert.Equal(exitCode, ExitCode);
        Assert.Equal(string.Empty, Output);
        Assert.StartsWith("tamx: ", Error, StringComparison.Ordinal);
        Assert.Single(Error.TrimEnd('\n', '\r').Split('\n'));
    }
}
