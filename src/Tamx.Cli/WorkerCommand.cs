using System.CommandLine;
using Tamx.Llama;
using Tamx.Web.Worker;

namespace Tamx.Cli;

/// <summary><c>tamx worker</c>: the process that runs the model for <c>tamx serve</c>.</summary>
internal static class WorkerCommand
{
    public static Command Create()
    {
        var verbose = new Option<bool>("-v", "--verbose") { Description = "Write llama.cpp's log to stderr." };
        var command = new DocumentedCommand(
            "worker",
            "Runs the model for tamx serve, which starts this by itself; it speaks over its standard input and output.",
            ("tamx serve", "The server starts its worker."),
            ("tamx serve -v", "The same, with the worker's log.")
        )
        {
            verbose,
        };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(verbose))
            {
                LlamaRuntime.Logger = new TextWriterLogger(Console.Error);
            }

            // Ctrl+C goes to the server too. The server ends this process by closing its input.
            CommandContext.Of(parsed).Interruption.IsIgnored = true;
            var output = Console.OpenStandardOutput();
            Console.SetOut(TextWriter.Null);
            return WorkerHost.RunAsync(Console.OpenStandardInput(), output);
        });
        return command;
    }
}
