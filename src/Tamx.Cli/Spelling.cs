using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Tamx.Cli;

/// <summary>Guesses what an unknown word was meant to be.</summary>
internal static class Spelling
{
    /// <summary>
    /// Names the first unknown word that is close to an option or a command, and its match, or that an option took for
    /// its value; null if there is none.
    /// </summary>
    public static string? Explain(ParseResult parsed)
    {
        string[] taken = [.. WordsTakenForValues(parsed)];
        return Match(parsed, [.. parsed.UnmatchedTokens, .. taken])
            ?? (
                taken is [var word, ..]
                    ? $"'{word}' is not known here; a file of that name is given as ./{word}."
                    : null
            );
    }

    /// <summary>
    /// Words that begin as options do and stand where a value is expected. The parser takes them for the value: a
    /// misspelt option would name a file.
    /// </summary>
    private static IEnumerable<string> WordsTakenForValues(ParseResult parsed) =>
        parsed
            .CommandResult.Children.Where(one => one is ArgumentResult or OptionResult { Option: not ITextOption })
            .SelectMany(one => one.Tokens)
            .Where(token => token.Type == TokenType.Argument)
            .Select(token => token.Value)
            .Where(word =>
                word.Length > 1
                && word[0] == '-'
                && !double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out _)
            );

    private static string? Match(ParseResult parsed, string[] words)
    {
        var command = parsed.CommandResult.Command;
        string[] names =
        [
            .. command.Subcommands.Select(one => one.Name),
            .. command
                .Options.Concat(parsed.RootCommandResult.Command.Options)
                .SelectMany(option => option.Aliases.Prepend(option.Name)),
        ];
        foreach (var name in words.Select(word => word.Split('=')[0]).Where(name => name.Length > 2))
        {
            var (best, distance) = names.Select(known => (known, Distance(name, known))).MinBy(pair => pair.Item2);

            if (distance == 0)
            {
                return $"{name} stands in the wrong place; options go behind the command.";
            }

            // One slip in a short word, two in a long one.
            if (distance <= (name.Length > 6 ? 2 : 1))
            {
                return $"'{name}' is not known here; did you mean {best}?";
            }
        }

        return null;
    }

    /// <summary>Letters to insert, drop, replace or swap with a neighbour (optimal string alignment).</summary>
    private static int Distance(string one, string other)
    {
        var costs = new int[one.Length + 1, other.Length + 1];
        for (var i = 0; i <= one.Length; i++)
        {
            for (var j = 0; j <= other.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    costs[i, j] = i + j;
                    continue;
                }

                var replaced = costs[i - 1, j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
                costs[i, j] = Math.Min(replaced, Math.Min(costs[i - 1, j], costs[i, j - 1]) + 1);
                if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                {
                    costs[i, j] = Math.Min(costs[i, j], costs[i - 2, j - 2] + 1);
                }
            }
        }

        return costs[one.Length, other.Length];
    }
}
