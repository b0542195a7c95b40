using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using Tamx.Llama;

namespace Tamx.Cli;

/// <summary><c>--logit-bias</c>, as llama.cpp's tools have it.</summary>
internal sealed partial class LogitBiasOption
{
    private readonly TextListOption _biases = new("-l", "--logit-bias")
    {
        Description =
            "Added to the logit of a token, by its id: 15043+1, or 15043-100 for never; may be given several times.",
        HelpName = "TOKEN_ID(+/-)BIAS",
    };

    /// <summary>Adds the option to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_biases);
        _biases.Validators.Add(result =>
        {
            var ids = new HashSet<int>();
            foreach (var token in result.Tokens)
            {
                if (Parse(token.Value) is not { } bias)
                {
                    result.AddError(
                        FormattableString.Invariant(
                            $"--logit-bias {token.Value}: it must be a token's id, + or -, and a number up to {CompletionOptions.MaxLogitBias}, as in 15043+1."
                        )
                    );
                }
                else if (!ids.Add(bias.Id))
                {
                    result.AddError($"--logit-bias names token {bias.Id} twice; give one number for it.");
                }
            }
        });
    }

    /// <summary>The biases by token id.</summary>
    public IReadOnlyDictionary<int, float> Read(ParseResult parsed) =>
        (parsed.GetValue(_biases) ?? [])
            .Select(text => Parse(text)!.Value)
            .ToDictionary(pair => pair.Id, pair => pair.Bias);

    private static (int Id, float Bias)? Parse(string text) =>
        Shape().Match(text) is { Success: true } match
        && int.TryParse(match.Groups["id"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
        && float.TryParse(
            match.Groups["bias"].ValueSpan,
            NumberStyles.Float,
            CultureInfo.InvariantCulture,
            out var bias
        )
        && Math.Abs(bias) <= CompletionOptions.MaxLogitBias
            ? (id, bias)
            : null;

    [GeneratedRegex("^(?<id>[0-9]+)(?<bias>[+-][0-9.]+)$", RegexOptions.CultureInvariant)]
    private static partial Regex Shape();
}
