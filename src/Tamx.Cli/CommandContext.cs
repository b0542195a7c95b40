using System.CommandLine;

namespace Tamx.Cli;

/// <summary>What a command has besides its arguments: standard input and output, and Ctrl+C.</summary>
internal sealed class CommandContext : InvocationConfiguration
{
    public CommandContext()
    {
        // Errors and Ctrl+C are ours.
        EnableDefaultExceptionHandler = false;
        ProcessTerminationTimeout = null;
    }

    /// <summary>Opens standard input.</summary>
    public required Func<Stream> OpenInput { get; init; }

    /// <summary>Opens standard output for bytes.</summary>
    public required Func<Stream> OpenOutput { get; init; }

    /// <summary>Whether a person reads standard output as it is written.</summary>
    public required bool OutputIsTerminal { get; init; }

    /// <summary>Ctrl+C.</summary>
    public required Interruption Interruption { get; init; }

    /// <summary>That of a command line that is being run.</summary>
    public static CommandContext Of(ParseResult parsed) => (CommandContext)parsed.InvocationConfiguration;
}
