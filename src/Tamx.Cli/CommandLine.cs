using System.CommandLine;
using Tamx.Kernels;
using Tamx.Llama;

namespace Tamx.Cli;

/// <summary>The frame of all commands: parses, runs, and turns errors into a line on stderr and an exit code.</summary>
internal static class CommandLine
{
    /// <summary>Runs a command line.</summary>
    /// <param name="arguments">Arguments, without the program's name.</param>
    /// <param name="output">Where results go (stdout).</param>
    /// <param name="error">Where progress, logs and errors go (stderr).</param>
    /// <param name="cancellationToken">Cancels the command; so does Ctrl+C.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(
        IReadOnlyList<string> arguments,
        TextWriter output,
        TextWriter error,
        CancellationToken cancellationToken = default
    )
    {
        var root = new RootCommand(
            "Shows where in the picture and in the prompt each token of a vision-language model's answer came from."
        )
        {
            ExplainCommand.Create(),
            MapsCommand.Create(),
            ReportCommand.Create(),
            EvalCommand.Create(),
            InfoCommand.Create(),
            ServeCommand.Create(),
            WorkerCommand.Create(),
        };

        // A text may begin with @. It names no file of further arguments.
        var parsed = root.Parse(
            arguments.Count > 0 ? arguments : ["--help"],
            new ParserConfiguration { ResponseFileTokenReplacer = null }
        );
        if (parsed.Errors.Count > 0)
        {
            // The last error is the most specific: it names an unknown word and not the missing command.
            WriteError(error, (Spelling.Explain(parsed) ?? parsed.Errors[^1].Message) + " See --help.");
            return ExitCode.Usage;
        }

        try
        {
            var configuration = new InvocationConfiguration
            {
                Output = output,
                Error = error,
                EnableDefaultExceptionHandler = false,
            };
            return await parsed.InvokeAsync(configuration, cancellationToken);
        }
        catch (Exception e)
        {
            var code = ExitCodeOf(e);
            WriteError(
                error,
                code switch
                {
                    ExitCode.Cancelled => "cancelled",
                    ExitCode.InternalError when e is not LlamaException =>
                        $"a fault of tamx itself, which TAMX_DEBUG=1 shows in full: {e.Message}",
                    _ => Describe(e),
                }
            );
            if (Environment.GetEnvironmentVariable("TAMX_DEBUG") == "1")
            {
                error.WriteLine(e);
            }

            return code;
        }
    }

    /// <summary>The error's message, with settings named by their flags.</summary>
    private static string Describe(Exception e) =>
        e switch
        {
            InvalidInputException input => input.Describe(FlagNames.Of),
            LlamaException llama => llama.Describe(FlagNames.Of),
            EngineUnavailableException { IsLackOfMemory: true } => e.Message.Replace(
                nameof(EngineOptions.MaxWorkingBytes),
                FlagNames.Of(new Setting(nameof(EngineOptions.MaxWorkingBytes))),
                StringComparison.Ordinal
            ),
            _ => e.Message,
        };

    private static int ExitCodeOf(Exception e) =>
        e switch
        {
            OperationCanceledException => ExitCode.Cancelled,
            UsageException => ExitCode.Usage,
            InvalidInputException or IOException or UnauthorizedAccessException => ExitCode.BadInput,
            EngineUnavailableException or NativeLibraryException => ExitCode.MissingPart,
            _ => ExitCode.InternalError,
        };

    private static void WriteError(TextWriter error, string message) =>
        error.WriteLine($"tamx: {OutsideText.Line(message)}");
}
