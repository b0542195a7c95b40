using Tamx.Cli;

using var interruption = Interruption.OfThisProcess();
var context = new CommandContext
{
    Output = Console.Out,
    Error = Console.Error,
    OpenInput = Console.OpenStandardInput,
    OpenOutput = Console.OpenStandardOutput,
    OutputIsTerminal = !Console.IsOutputRedirected,
    Interruption = interruption,
};
return await CommandLine.RunAsync(args, context);
