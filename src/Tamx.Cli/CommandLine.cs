using System.CommandLine;
using System.Text;
using Tamx.Cli.Batch;
using Tamx.Kernels;
using Tamx.Llama;

namespace Tamx.Cli;

/// <summary>The frame of all commands: parses, runs, and turns errors into a line on stderr and an exit code.</summary>
internal static class CommandLine
{
    /// <summary>Runs a command line.</summary>
    /// <param name="arguments">Arguments, without the program's name.</param>
    /// <param name="context">Standard input and output, and Ctrl+C.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, CommandContext context)
    {
        var error = context.Error;
        try
        {
            // A text may begin with @. It names no file of further arguments.
            var parsed = CreateRoot()
                .Parse(
                    arguments.Count > 0 ? arguments : ["--help"],
                    new ParserConfiguration { ResponseFileTokenReplacer = null }
                );

            // The last error is the most specific: it names an unknown word and not the missing command.
            if ((Spelling.Explain(parsed) ?? (parsed.Errors is [.., var last] ? last.Message : null)) is { } fault)
            {
                WriteError(error, fault + " See --help.");
                return ExitCode.Usage;
            }

            return await parsed.InvokeAsync(context, context.Interruption.Cancel);
        }
        catch (Exception e)
        {
            WriteError(error, TextOf(e));
            if (Environment.GetEnvironmentVariable("TAMX_DEBUG") == "1")
            {
                error.WriteLine(e);
            }

            return ExitCodeOf(e);
        }
    }

    /// <summary>What a user is told of an error: one line.</summary>
    internal static string Explain(Exception e) => OneLine(TextOf(e));

    /// <summary>The program with all its commands.</summary>
    internal static RootCommand CreateRoot()
    {
        var root = new RootCommand(
            "Shows where in the picture and in the prompt each token of a vision-language model's answer came from."
        )
        {
            ExplainCommand.Create(),
            MapsCommand.Create(),
            ReportCommand.Create(),
            BatchCommand.Create(),
            EvalCommand.Create(),
            CalibrateCommand.Create(),
            CaptureCommand.Create(),
            InfoCommand.Create(),
            ServeCommand.Create(),
            McpCommand.Create(),
        };
        DocumentedCommand.ShowExamples(
            root,
            ("tamx explain", "Explain the demo model's answer about the demo picture: tamx-report.html."),
            (
                "tamx explain -m MODEL.gguf --mmproj MMPROJ.gguf --image photo.jpg -p \"What is this?\"",
                "Ask your own model about your own picture."
            )
        );
        return root;
    }

    private static string TextOf(Exception e) =>
        ExitCodeOf(e) switch
        {
            ExitCode.Cancelled => "cancelled",
            ExitCode.InternalError when e is not LlamaException =>
                $"a fault of tamx itself, which TAMX_DEBUG=1 shows in full: {e.Message}",
            _ => Describe(e),
        };

    /// <summary>The error's message, with settings named by their flags.</summary>
    private static string Describe(Exception e) =>
        e switch
        {
            InvalidInputException input => input.Describe(FlagNames.Of),
            LlamaException llama => llama.Describe(FlagNames.Of),
            NativeLibraryException missing => missing.Describe(FlagNames.Of),
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

    private static void WriteError(TextWriter error, string message) => error.WriteLine($"tamx: {OneLine(message)}");

    private static string OneLine(string message)
    {
        var parts = OutsideText
            .Lines(message)
            .Split(['\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return Shorten(string.Join(' ', parts));
    }

    /// <summary>Leaves out the middle of what repeats somebody's long value; the end says the way out.</summary>
    private static string Shorten(string line)
    {
        const int MostBytes = 1400;
        const int Start = 300;
        const int End = 150;
        return Encoding.UTF8.GetByteCount(line) <= MostBytes ? line : $"{line[..Start]} … {line[^End..]}";
    }
}
