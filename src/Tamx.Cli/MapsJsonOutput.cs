using System.CommandLine;
using Tamx.Report;

namespace Tamx.Cli;

/// <summary>The option <c>--maps-json</c>: all maps as JSON, to a file or to standard output.</summary>
internal sealed class MapsJsonOutput
{
    private readonly Option<string?> _path = new("--maps-json")
    {
        Description = "Write all maps, of tokens, candidates and words, as JSON; - for stdout.",
        HelpName = "FILE.json|-",
    };

    /// <summary>Adds the option to a command.</summary>
    public void AddTo(Command command) => command.Options.Add(_path);

    /// <summary>Adds the file to the command's outputs.</summary>
    public void AddTo(CommandFiles files, ParseResult parsed) => files.Writes(_path.Name, parsed.GetValue(_path));

    /// <summary>Writes the maps to the requested place.</summary>
    public Task WriteAsync(
        ParseResult parsed,
        Trace trace,
        ActivationMaps maps,
        CancellationToken cancellationToken,
        IReadOnlyList<WordSupport>? supports = null,
        string? calibration = null
    ) =>
        parsed.GetValue(_path) is { } path
            ? OutputFile.WriteAsync(
                CommandContext.Of(parsed),
                path,
                stream => MapsJson.Write(trace, maps, stream, supports, calibration),
                cancellationToken
            )
            : Task.CompletedTask;
}
