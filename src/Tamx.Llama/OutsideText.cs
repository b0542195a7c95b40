using System.Globalization;
using System.Text;

namespace Tamx;

/// <summary>Text from outside, made harmless for a terminal, a log or a cell of a table.</summary>
/// <remarks>
/// Names in files, headers, file names and what models write may hold control characters that a terminal obeys, marks
/// that turn the order of letters around, or a formula that a spreadsheet runs. Such characters are written as
/// <c>\u001B</c>.
/// </remarks>
public static class OutsideText
{
    private const int MostOfLine = 2000;
    private const int MostOfPart = 200;
    private const int MostOfName = 80;

    /// <summary>A line of at most 2,000 characters. Blanks and line breaks in a row become one blank.</summary>
    /// <param name="text">The text.</param>
    public static string Line(string text) => Line(text, MostOfLine);

    /// <summary>A part of a line: what a parser says of a file. At most 200 characters.</summary>
    /// <param name="text">The text.</param>
    public static string Part(string text) => Line(text, MostOfPart);

    /// <summary>A name of at most 80 characters.</summary>
    /// <param name="name">The name.</param>
    public static string Name(string name) => Line(name, MostOfName);

    /// <summary>A name in quotes: <c>'name'</c>.</summary>
    /// <param name="name">The name.</param>
    public static string Quoted(string name) => $"'{Name(name)}'";

    /// <summary>A text of any length, whose line breaks and tabs stay.</summary>
    /// <param name="text">The text.</param>
    public static string Lines(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var shown = new StringBuilder(text.Length);
        foreach (var scalar in ScalarsOf(text))
        {
            if (scalar is '\n' or '\r' or '\t')
            {
                shown.Append((char)scalar);
            }
            else
            {
                Append(shown, scalar);
            }
        }

        return shown.ToString();
    }

    /// <summary>A cell of a table. What a spreadsheet would run as a formula gets an apostrophe before it.</summary>
    /// <param name="text">The text.</param>
    /// <remarks>Source of the characters: OWASP, CSV injection.</remarks>
    public static string Cell(string text)
    {
        var shown = Lines(text);
        return
            shown
                is [
                    '='
                    or '+'
                    or '-'
                    or '@'
                    or '\t'
                    or '\r'
                    or '\n'
                    or '\uFF1D'
                    or '\uFF0B'
                    or '\uFF0D'
                    or '\uFF20',
                    ..,
                ]
            ? $"'{shown}"
            : shown;
    }

    private static string Line(string text, int most)
    {
        ArgumentNullException.ThrowIfNull(text);
        var shown = new StringBuilder(Math.Min(text.Length, most));
        foreach (var scalar in ScalarsOf(text))
        {
            if (shown.Length >= most)
            {
                return shown.Append("...").ToString();
            }

            var isBlank = scalar <= char.MaxValue && char.IsWhiteSpace((char)scalar);
            if (!isBlank)
            {
                Append(shown, scalar);
            }
            else if (shown.Length > 0 && shown[^1] != ' ')
            {
                shown.Append(' ');
            }
        }

        return shown.ToString().TrimEnd(' ');
    }

    /// <summary>The code points of a text; half a surrogate pair counts as one.</summary>
    private static IEnumerable<int> ScalarsOf(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                yield return char.ConvertToUtf32(text[i], text[++i]);
            }
            else
            {
                yield return text[i];
            }
        }
    }

    private static void Append(StringBuilder shown, int scalar)
    {
        // Joiners are format characters too. Emoji, Persian and Indic scripts are written with them.
        var isShown =
            scalar is 0x200C or 0x200D
            || CharUnicodeInfo.GetUnicodeCategory(scalar)
                is not (
                    UnicodeCategory.Control
                    or UnicodeCategory.Format
                    or UnicodeCategory.LineSeparator
                    or UnicodeCategory.ParagraphSeparator
                    or UnicodeCategory.Surrogate
                );
        if (!isShown)
        {
            shown.Append(CultureInfo.InvariantCulture, $"\\u{scalar:X4}");
        }
        else if (scalar <= char.MaxValue)
        {
            shown.Append((char)scalar);
        }
        else
        {
            shown.Append(char.ConvertFromUtf32(scalar));
        }
    }
}
