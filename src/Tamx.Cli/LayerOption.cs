using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Tamx.Cli;

/// <summary><c>--layers 8,16,last</c>: layers of a model, by number from 0, by <c>last</c>, or <c>all</c>.</summary>
internal sealed class LayerOption : Option<IReadOnlyList<int>>
{
    /// <summary>What <c>all</c> stands for until the model is known.</summary>
    private const int All = -2;

    public LayerOption(string name, string description)
        : base(name)
    {
        Description = description;
        HelpName = "K,...";
        CustomParser = Parse;
        Arity = ArgumentArity.ExactlyOne;
    }

    /// <summary>The layers of a model; -1 for the last hidden states. Empty where none are given.</summary>
    public IReadOnlyList<int> Read(ParseResult parsed, int layerCount) => Read(parsed, AllOf(layerCount));

    /// <summary>The layers that are asked for; -1 for the last hidden states. Empty where none are given.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="all">What <c>all</c> stands for.</param>
    public IReadOnlyList<int> Read(ParseResult parsed, IReadOnlyList<int> all)
    {
        var layers = parsed.GetValue(this) ?? [];
        return layers.Contains(All) ? all : layers;
    }

    /// <summary>All layers of a model, the last as -1.</summary>
    public static IReadOnlyList<int> AllOf(int layerCount) => [.. Enumerable.Range(0, layerCount - 1), -1];

    /// <summary>One layer: its number, or -1 for <c>last</c>.</summary>
    public static int ParseOne(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (TryParse(text) is { } layer)
        {
            return layer;
        }

        result.AddError($"{OutsideText.Quoted(text)} is no layer; a number from 0 or \"last\" is needed.");
        return -1;
    }

    private static int? TryParse(string text) =>
        text == "last" ? -1
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var layer) ? layer
        : null;

    private IReadOnlyList<int> Parse(ArgumentResult result)
    {
        List<int> layers = [];
        foreach (var part in result.Tokens[0].Value.Split(','))
        {
            if ((part == "all" ? All : TryParse(part)) is { } layer)
            {
                layers.Add(layer);
            }
            else
            {
                result.AddError(
                    $"{Name} {OutsideText.Quoted(part)}: layers are numbers from 0, \"last\" or \"all\", with commas between."
                );
                return [];
            }
        }

        return [.. layers.Distinct()];
    }
}
