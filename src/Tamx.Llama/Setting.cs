using System.Globalization;

namespace Tamx;

/// <summary>A setting that a message names: a property, for which a program may have a flag or a JSON field.</summary>
/// <param name="Property">Name of the property, for example <c>ContextSize</c>.</param>
public readonly record struct Setting(string Property)
{
    /// <inheritdoc/>
    public override string ToString() => Property;

    /// <summary>A text with its settings, and those of texts within it, in the words of whoever called.</summary>
    internal static string Describe(FormattableString text, Func<Setting, string?> nameOf)
    {
        return string.Format(CultureInfo.InvariantCulture, text.Format, [.. text.GetArguments().Select(Named)]);

        object? Named(object? value) =>
            value switch
            {
                Setting setting => nameOf(setting) ?? setting.Property,
                FormattableString inner => Describe(inner, nameOf),
                _ => value,
            };
    }
}
