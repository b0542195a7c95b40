using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Tamx.Cli;

internal static class OptionRanges
{
    /// <summary>What ggml's thread pools hold (<c>GGML_MAX_N_THREADS</c>).</summary>
    public const int MaxThreads = 512;

    /// <summary>Makes a smaller number, or what is none, an error of the command line.</summary>
    public static void RequireAtLeast<T>(this Option<T> option, T least)
        where T : INumber<T>, IMinMaxValue<T> =>
        option.CustomParser = result => Parse(result, option.Name, least, T.MaxValue);

    /// <inheritdoc cref="RequireAtLeast{T}(Option{T}, T)"/>
    public static void RequireAtLeast<T>(this Option<T?> option, T least)
        where T : struct, INumber<T>, IMinMaxValue<T> =>
        option.CustomParser = result => Parse(result, option.Name, least, T.MaxValue);

    /// <summary>Makes a number outside [least, most], or NaN, an error of the command line.</summary>
    public static void RequireWithin<T>(this Option<T> option, T least, T most)
        where T : INumber<T>, IMinMaxValue<T> =>
        option.CustomParser = result => Parse(result, option.Name, least, most);

    /// <inheritdoc cref="RequireWithin{T}(Option{T}, T, T)"/>
    public static void RequireWithin<T>(this Option<T?> option, T least, T most)
        where T : struct, INumber<T>, IMinMaxValue<T> =>
        option.CustomParser = result => Parse(result, option.Name, least, most);

    /// <summary>Makes all but the names of an enumeration, in lower case, an error of the command line.</summary>
    public static void RequireName<T>(this Option<T> option)
        where T : struct, Enum =>
        option.CustomParser = result =>
        {
            var names = Enum.GetNames<T>();
            var text = result.Tokens is [var token, ..] ? token.Value : "";
            var index = Array.FindIndex(names, name => name.Equals(text, StringComparison.OrdinalIgnoreCase));
            if (index < 0)
            {
                var listed = string.Join(", ", names.Select(name => name.ToLowerInvariant()));
                result.AddError($"{option.Name} is {Shown(text)}; there are {listed}.");
                return default;
            }

            return Enum.Parse<T>(names[index]);
        };

    /// <summary>Makes one value an error of the command line.</summary>
    /// <param name="option">The option.</param>
    /// <param name="refused">The value to refuse.</param>
    /// <param name="reason">What would be right.</param>
    public static void Refuse(this Option<int> option, int refused, string reason) =>
        option.Validators.Add(result =>
        {
            if (
                result.Tokens is [var token, ..]
                && int.TryParse(token.Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var value)
                && value == refused
            )
            {
                result.AddError($"{option.Name} is {value}; {reason}.");
            }
        });

    private static T Parse<T>(ArgumentResult result, string name, T least, T most)
        where T : INumber<T>, IMinMaxValue<T>
    {
        var isWhole = T.IsInteger(T.One / (T.One + T.One));
        var style = isWhole ? NumberStyles.Integer : NumberStyles.Float;
        var text = result.Tokens is [var token, ..] ? token.Value : "";
        var isNumber = T.TryParse(text, style, CultureInfo.InvariantCulture, out var value);
        if (isNumber && value! >= least && value! <= most)
        {
            return value!;
        }

        var kind = isWhole ? "a whole number" : "a number";
        var range =
            isNumber && value! < least && most == T.MaxValue ? $"at least {least}"
            : most == T.MaxValue && !isWhole ? $"{kind} of at least {least}"
            : isNumber ? $"from {least} to {most}"
            : $"{kind} from {least} to {most}";
        result.AddError(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name} is {(isNumber ? $"{value}" : Shown(text))}; it must be {range}."
            )
        );
        return least;
    }

    /// <summary>What somebody wrote, as long as a number is.</summary>
    private static string Shown(string text)
    {
        const int Most = 30;
        return text.Length == 0 ? "empty"
            : text.Length > Most ? $"'{text[..Most]}…'"
            : $"'{text}'";
    }
}
