using System.CommandLine;
using Tamx.Report;

namespace Tamx.Cli;

/// <summary>
/// Options to write maps as pictures, tables and arrays: <c>--export png,json,csv,npy --out-dir D</c>.
/// </summary>
internal sealed class ExportArguments
{
    private readonly Option<string?> _formats = new("--export")
    {
        Description = "Write maps as these files too: png, json, csv, npy; several with commas.",
        HelpName = "FORMATS",
    };
    private readonly Option<string?> _folder = new("--out-dir")
    {
        Description = "The folder for --export; made if it is not there.",
        HelpName = "FOLDER",
    };
    private readonly Option<bool> _words = new("--words") { Description = "One PNG per word, rather than per token." };
    private readonly Option<ColourMap> _colours = new("--colours")
    {
        Description = "Colours of the PNG files: magma (the default), viridis, cividis, turbo or jet.",
        HelpName = "MAP",
    };

    public ExportArguments()
    {
        _colours.RequireName();
        _formats.Validators.Add(result =>
        {
            foreach (var name in Names(result.GetValueOrDefault<string?>()).Where(name => Parse(name) is null))
            {
                result.AddError($"--export '{name}': there are png, json, csv and npy.");
            }
        });
    }

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_formats);
        command.Options.Add(_folder);
        command.Options.Add(_words);
        command.Options.Add(_colours);
        command.AddCheck(result =>
        {
            if (result.GetValue(_formats) is null != result.GetValue(_folder) is null)
            {
                result.AddError("--export and --out-dir go together: the files to write, and the folder for them.");
            }
        });
    }

    /// <summary>Adds the folder to the command's outputs.</summary>
    public void AddTo(CommandFiles files, ParseResult parsed) =>
        files.WritesInto(
            _folder.Name,
            parsed.GetValue(_folder),
            [.. Names(parsed.GetValue(_formats)).Select(name => $".{name}")]
        );

    /// <summary>Writes the requested formats.</summary>
    public async Task WriteAsync(
        ParseResult parsed,
        Trace trace,
        ActivationMaps maps,
        CancellationToken cancellationToken
    )
    {
        if (parsed.GetValue(_folder) is { } folder)
        {
            var formats = Names(parsed.GetValue(_formats))
                .Aggregate(ExportFormats.None, (all, name) => all | Parse(name)!.Value);
            var options = new MapExportOptions { Words = parsed.GetValue(_words), Colours = parsed.GetValue(_colours) };
            await MapExport.WriteAsync(trace, maps, folder, formats, options, cancellationToken);
        }
    }

    private static string[] Names(string? list) => (list ?? "").Split(',', StringSplitOptions.TrimEntries);

    private static ExportFormats? Parse(string name) =>
        name.ToLowerInvariant() switch
        {
            "png" => ExportFormats.Png,
            "json" => ExportFormats.Json,
            "csv" => ExportFormats.Csv,
            "npy" => ExportFormats.Npy,
            _ => null,
        };
}
