namespace Tamx.Cli.Tests;

/// <summary>One command line, run in this process with its output captured.</summary>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    public static async Task<CommandRun> Of(IReadOnlyList<string> arguments, CancellationToken cancellationToken = default)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int exitCode = await CommandLine.RunAsync(arguments, output, error, cancellationToken);
        return new CommandRun(exitCode, output.ToString(), error.ToString());
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
