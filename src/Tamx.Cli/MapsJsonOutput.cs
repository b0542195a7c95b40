using System.CommandLine;
using System.Text;
using Tamx.Report;

namespace Tamx.Cli;

/// <summary>The option <c>--maps-json</c>: all maps as JSON, to a file or to stdout.</summary>
internal sealed class MapsJsonOutput
{
    private const string StandardOutput = "-";

    private readonly Option<string?> _path = new("--maps-json")
    {
        Description = "Write all maps, of tokens, candidates and words, as JSON; - for stdout.",
        HelpName = "FILE.json|-",
    };

    /// <summary>Adds the option to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="summary">The option that prints a summary to stdout. Both cannot go there.</param>
    public void AddTo(Command command, Option<bool> summary)
    {
        command.Options.Add(_path);
        command.Validators.Add(result =>
        {
            if (result.GetValue(summary) && result.GetValue(_path) == StandardOutput)
            {
                result.AddError("--json and --maps-json - both write to stdout; give --maps-json a file.");
            }
        });
    }

    /// <summary>Adds the file to the command's outputs.</summary>
    public void AddTo(CommandFiles files, ParseResult parsed) => files.Writes(_path.Name, FilePath(parsed));

    /// <summary>The file to write, or null if there is none.</summary>
    private string? FilePath(ParseResult parsed) =>
        parsed.GetValue(_path) is { } path && path != StandardOutput ? path : null;

    /// <summary>Whether the maps go to stdout. Then nothing else may.</summary>
    public bool TakesStandardOutput(ParseResult parsed) => parsed.GetValue(_path) == StandardOutput;

    /// <summary>Writes the maps to the requested place.</summary>
    public void Write(ParseResult parsed, Trace trace, ActivationMaps maps)
    {
        if (FilePath(parsed) is { } path)
        {
            WholeFile.Write(path, stream => MapsJson.Write(trace, maps, stream));
        }
        else if (TakesStandardOutput(parsed))
        {
            using var stream = new MemoryStream();
            MapsJson.Write(trace, maps, stream);
            parsed.InvocationConfiguration.Output.WriteLine(
                Encoding.UTF8.GetString(stream.GetBuffer().AsSpan(0, (int)stream.Length))
            );
        }
    }
}
