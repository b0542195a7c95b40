using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Tamx.Cli;

/// <summary>A command with examples in its help.</summary>
/// <param name="name">Its name.</param>
/// <param name="description">What it does.</param>
/// <param name="examples">Command lines, each with what it is for.</param>
internal sealed class DocumentedCommand(
    string name,
    string description,
    params (string Line, string Purpose)[] examples
) : Command(name, description)
{
    /// <summary>Command lines, each with what it is for.</summary>
    public IReadOnlyList<(string Line, string Purpose)> Examples { get; } = examples;

    /// <summary>Has a root's help end with the examples of the command that it is about.</summary>
    /// <param name="root">The root, with its commands.</param>
    /// <param name="examples">Examples for the root's own help.</param>
    public static void ShowExamples(RootCommand root, params (string Line, string Purpose)[] examples)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((SynchronousCommandLineAction)help.Action!, examples);
    }

    private sealed class HelpWithExamples(
        SynchronousCommandLineAction help,
        IReadOnlyList<(string Line, string Purpose)> rootExamples
    ) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var code = help.Invoke(parseResult);
            var output = parseResult.InvocationConfiguration.Output;
            var examples = parseResult.CommandResult.Command is DocumentedCommand command
                ? command.Examples
                : rootExamples;
            output.WriteLine("Examples:");
            foreach (var (line, purpose) in examples)
            {
                output.WriteLine($"  {line}");
                output.WriteLine($"      {purpose}");
            }

            output.WriteLine();
            return code;
        }
    }
}
