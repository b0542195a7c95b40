using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace Tamx.Cli;

internal static class OptionRanges
{
    /// <summary>Makes a smaller value an error of the command line.</summary>
    public static void RequireAtLeast<T>(this Option<T> option, T least)
        where T : INumber<T> =>
        option.Validators.Add(result =>
        {
            // A value that is no number gets the parser's own error.
            if (
                result.Tokens is [var token, ..]
                && T.TryParse(token.Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var value)
                && value < least
            )
            {
                result.AddError($"{option.Name} is {value}; it must be at least {least}.");
            }
        });

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

    /// <summary>Makes a value outside [least, most] (or NaN) an error of the command line.</summary>
    public static void RequireWithin(this Option<float> option, float least, float most) =>
        option.Validators.Add(result =>
        {
            if (
                result.Tokens is [var token, ..]
                && float.TryParse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                && !(value >= least && value <= most)
            )
            {
                result.AddError($"{option.Name} is {value}; it must be from {least} to {most}.");
            }
        });
}
