using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Tamx.Llama;

/// <summary>Checks a JSON file before it is parsed: whether it is UTF-8, and every text in it Unicode.</summary>
/// <remarks>
/// A JSON reader accepts half a surrogate pair and bad bytes in a text. It fails later, when the text is asked for, and
/// cannot say where.
/// </remarks>
public static class JsonText
{
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>The JSON without byte order mark, if it is UTF-8 and its texts Unicode without zeros.</summary>
    /// <param name="json">The bytes of the file.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="InvalidInputException">
    /// It has another encoding, or a text in it is not Unicode; the message says at which line and byte.
    /// </exception>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static ReadOnlyMemory<byte> Check(ReadOnlyMemory<byte> json, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (WideEncodingOf(json.Span) is { } encoding)
        {
            throw new InvalidInputException($"{name}: is {encoding} (line 1, byte 1); save it as UTF-8");
        }

        json = WithoutMark(json);
        var text = json.Span;
        if (IndexOfBadUtf8(text) is { } bad)
        {
            throw Fault(name, text, bad, $"is no UTF-8: byte 0x{text[bad]:X2}", "; save it as UTF-8");
        }

        CheckTexts(text, name);
        return json;
    }

    /// <summary>JSON without the mark that some editors put before UTF-8.</summary>
    /// <param name="json">The bytes of the file.</param>
    public static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> json) =>
        json.Span.StartsWith(ByteOrderMark) ? json[ByteOrderMark.Length..] : json;

    /// <summary>UTF-16 or UTF-32, told by a mark or by zero bytes in the first characters, which are ASCII.</summary>
    private static string? WideEncodingOf(ReadOnlySpan<byte> json) =>
        json switch
        {
            [0xFF, 0xFE, 0, 0, ..] or [0, 0, 0xFE, 0xFF, ..] or [0, 0, 0, not 0, ..] or [not 0, 0, 0, 0, ..] =>
                "UTF-32",
            [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [0, not 0, 0, not 0, ..] or [not 0, 0, not 0, 0, ..] => "UTF-16",
            _ => null,
        };

    private static int? IndexOfBadUtf8(ReadOnlySpan<byte> text)
    {
        if (Utf8.IsValid(text))
        {
            return null;
        }

        var index = 0;
        while (Rune.DecodeFromUtf8(text[index..], out _, out var length) == OperationStatus.Done)
        {
            index += length;
        }

        return index;
    }

    private static void CheckTexts(ReadOnlySpan<byte> text, string name)
    {
        var reader = new Utf8JsonReader(text);
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
            {
                CheckEscapes(reader.ValueSpan, (int)reader.TokenStartIndex + 1, text, name);
            }
        }
    }

    /// <summary>Finds <c>\u</c> escapes (of four digits, by now) that are zero or half a surrogate pair.</summary>
    private static void CheckEscapes(ReadOnlySpan<byte> escaped, int start, ReadOnlySpan<byte> text, string name)
    {
        const int Length = 6;
        for (var i = 0; i < escaped.Length; i++)
        {
            if (escaped[i] != '\\')
            {
                continue;
            }

            if (escaped[i + 1] != 'u')
            {
                i++;
                continue;
            }

            var unit = UnitAt(escaped, i);
            if (unit == 0)
            {
                throw Fault(name, text, start + i, "has a zero character (\\u0000)", "");
            }

            if (
                char.IsHighSurrogate(unit)
                && i + (2 * Length) <= escaped.Length
                && escaped[i + Length] == '\\'
                && escaped[i + Length + 1] == 'u'
                && char.IsLowSurrogate(UnitAt(escaped, i + Length))
            )
            {
                i += Length;
            }
            else if (char.IsSurrogate(unit))
            {
                throw Fault(name, text, start + i, $"is no Unicode: half a surrogate pair (\\u{(int)unit:x4})", "");
            }

            i += Length - 1;
        }
    }

    private static char UnitAt(ReadOnlySpan<byte> escaped, int index) =>
        (char)ushort.Parse(escaped.Slice(index + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private static InvalidInputException Fault(
        string name,
        ReadOnlySpan<byte> text,
        int index,
        string what,
        string wayOut
    )
    {
        var before = text[..index];
        var line = before.Count((byte)'\n') + 1;
        return new InvalidInputException(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: {what} (line {line}, byte {index - before.LastIndexOf((byte)'\n')}){wayOut}"
            )
        );
    }
}
