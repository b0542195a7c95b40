using System.CommandLine;
using System.Globalization;

namespace Tamx.Cli;

/// <summary>The options for dumps of other programs: who wrote them, and what they do not say.</summary>
internal sealed class DumpArguments
{
    private readonly Option<DumpFormat?> _from = new("--from")
    {
        Description = "Who wrote the dump: vllm, sglang or transformers; left out, tamx sees it by what it holds.",
        HelpName = "PROGRAM",
        CustomParser = result =>
        {
            if (
                Enum.TryParse<DumpFormat>(result.Tokens[0].Value, ignoreCase: true, out var format)
                && Enum.IsDefined(format)
                && !char.IsAsciiDigit(result.Tokens[0].Value[0])
            )
            {
                return format;
            }

            result.AddError(
                $"--from {OutsideText.Quoted(result.Tokens[0].Value)}: there are vllm, sglang and transformers."
            );
            return null;
        },
    };

    private readonly Option<string[]> _images = new("--image")
    {
        Description = "The pictures of a dump of vLLM or SGLang, in order: their shapes say how their cells lie.",
        HelpName = "FILE",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<string[]> _grids = new("--grid")
    {
        Description = "Rows and columns of cells of each picture of such a dump, in order, as in 12x16.",
        HelpName = "RxC",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<int[]> _layers = new("--dump-layers")
    {
        Description =
            "The layers that a dump of vLLM holds, in order: numbers from 0, with commas between, the last one the model's last (vLLM's own numbers less 1).",
        HelpName = "K,...",
        CustomParser = result =>
        {
            List<int> layers = [];
            foreach (var part in result.Tokens[0].Value.Split(','))
            {
                if (int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var layer))
                {
                    layers.Add(layer);
                }
                else
                {
                    result.AddError(
                        $"--dump-layers {OutsideText.Quoted(part)}: layers are numbers from 0, with commas between."
                    );
                }
            }

            return [.. layers];
        },
    };

    public DumpArguments() =>
        _grids.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
            {
                if (Parse(token.Value) is null)
                {
                    result.AddError(
                        $"--grid {OutsideText.Quoted(token.Value)}: give rows and columns of cells, as in 12x16."
                    );
                }
            }
        });

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_from);
        command.Options.Add(_images);
        command.Options.Add(_grids);
        command.Options.Add(_layers);
    }

    /// <summary>Adds the pictures to the command's inputs.</summary>
    public void AddTo(CommandFiles files, ParseResult parsed) =>
        files.Reads(_images.Name, parsed.GetValue(_images) ?? []);

    /// <summary>What the command line says.</summary>
    public DumpOptions Read(ParseResult parsed) =>
        new()
        {
            Format = parsed.GetValue(_from),
            Pictures = parsed.GetValue(_images) ?? [],
            Grids = [.. (parsed.GetValue(_grids) ?? []).Select(text => Parse(text)!.Value)],
            DumpLayers = parsed.GetValue(_layers) ?? [],
        };

    private static (int Rows, int Columns)? Parse(string text) =>
        text.Split('x') is [var rows, var columns]
        && int.TryParse(rows, NumberStyles.None, CultureInfo.InvariantCulture, out var r)
        && int.TryParse(columns, NumberStyles.None, CultureInfo.InvariantCulture, out var c)
        && r is > 0 and <= 4096
        && c is > 0 and <= 4096
            ? (r, c)
            : null;
}
