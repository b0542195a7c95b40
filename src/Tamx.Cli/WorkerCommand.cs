using System.CommandLine;
using Tamx.Web.Worker;

namespace Tamx.Cli;

/// <summary><c>tamx worker</c>: the process in which <c>tamx serve</c> has its model run.</summary>
internal static class WorkerCommand
{
    public static Command Create()
    {
        var command = new Command("worker", "Runs the model for tamx serve, which starts this by itself; it speaks over its standard input and output.") { Hidden = true };
        command.SetAction(_ =>
        {
            // Ctrl+C goes to the server too. It says when this ends, by closing the input.
            Console.CancelKeyPress += (_, press) => press.Cancel = true;
            Stream output = Console.OpenStandardOutput();
            Console.SetOut(TextWriter.Null);
            return WorkerHost.RunAsync(Console.OpenStandardInput(), output);
        });
        return command;
    }
}
