using System.Buffers;
using System.Buffers.Text;

namespace Tamx.Llama.Chat;

/// <summary>
/// Base64 as messages hold it: it may be wrapped, url-safe, percent-encoded and without its padding. Nothing is
/// allocated but the bytes that it stands for.
/// </summary>
internal static class MessageBase64
{
    private const int Invalid = 0x80;

    /// <summary>The bytes; null if it is no base64.</summary>
    /// <param name="text">ASCII; anything else is no base64.</param>
    /// <param name="isEscaped">Whether it is the inside of a JSON string, with that one's escapes.</param>
    public static byte[]? Decode(ReadOnlySpan<byte> text, bool isEscaped)
    {
        // What most programs write: no letter but base64's.
        if (Base64.IsValid(text, out var length))
        {
            var whole = new byte[length];
            return
                Base64.DecodeFromUtf8(text, whole, out _, out var written) == OperationStatus.Done && written == length
                ? whole
                : null;
        }

        if (Count(text, isEscaped) is not { } letters)
        {
            return null;
        }

        var bytes = new byte[(int)(letters * 6L / 8)];
        var (at, bits, held, filled) = (0, 0, 0, 0);
        for (var index = 0; index < letters; )
        {
            var value = ValueOf(Next(text, ref at, isEscaped));
            if (value < 0)
            {
                continue;
            }

            index++;
            bits = (bits << 6) | value;
            held += 6;
            if (held >= 8)
            {
                held -= 8;
                bytes[filled++] = (byte)(bits >> held);
                bits &= (1 << held) - 1;
            }
        }

        return bytes;
    }

    /// <summary>
    /// The first letters of a text, without the white space before them, and where in it they end.
    /// </summary>
    public static (string Letters, int End) Start(ReadOnlySpan<byte> text, int most, bool isEscaped)
    {
        Span<char> letters = stackalloc char[most];
        var (count, at) = (0, 0);
        while (count < most && at < text.Length)
        {
            var letter = (char)(isEscaped ? Unescaped(text, ref at) : text[at++]);
            if (count > 0 || !IsSpace(letter))
            {
                letters[count++] = letter;
            }
        }

        return (letters[..count].ToString(), at);
    }

    /// <summary>How many letters there are before the padding; null if it is no base64.</summary>
    private static int? Count(ReadOnlySpan<byte> text, bool isEscaped)
    {
        var (letters, padding) = (0, 0);
        for (var at = 0; at < text.Length; )
        {
            var letter = Next(text, ref at, isEscaped);
            if (letter == '=')
            {
                padding++;
            }
            else if (!IsSpace(letter))
            {
                if (padding > 0 || ValueOf(letter) < 0)
                {
                    return null;
                }

                letters++;
            }
        }

        return letters % 4 != 1 && padding <= (4 - (letters % 4)) % 4 ? letters : null;
    }

    /// <summary>The next letter, its percent sign resolved (data URLs may have + / = and line ends so).</summary>
    private static int Next(ReadOnlySpan<byte> text, ref int at, bool isEscaped)
    {
        var letter = isEscaped ? Unescaped(text, ref at) : text[at++];
        if (letter != '%')
        {
            return letter;
        }

        var value = 0;
        for (var digit = 0; digit < 2; digit++)
        {
            if (at >= text.Length)
            {
                return Invalid;
            }

            var next = isEscaped ? Unescaped(text, ref at) : text[at++];
            if (!char.IsAsciiHexDigit((char)next))
            {
                return Invalid;
            }

            value = (value << 4) | (next <= '9' ? next - '0' : (next | 0x20) - 'a' + 10);
        }

        return value;
    }

    /// <summary>The next letter of a JSON string, which a reader has found to be whole.</summary>
    private static int Unescaped(ReadOnlySpan<byte> text, ref int at)
    {
        var letter = text[at++];
        if (letter != '\\')
        {
            return letter;
        }

        switch (text[at++])
        {
            case (byte)'/':
                return '/';
            case (byte)'n' or (byte)'r' or (byte)'t':
                return ' ';
            case (byte)'u':
                at += 4;
                return Utf8Parser.TryParse(text.Slice(at - 4, 4), out int unit, out _, 'x') && unit < Invalid
                    ? unit
                    : Invalid;
            default:
                return Invalid;
        }
    }

    private static bool IsSpace(int letter) => letter is ' ' or '\t' or '\r' or '\n';

    private static int ValueOf(int letter) =>
        letter switch
        {
            >= 'A' and <= 'Z' => letter - 'A',
            >= 'a' and <= 'z' => letter - 'a' + 26,
            >= '0' and <= '9' => letter - '0' + 52,
            '+' or '-' => 62,
            '/' or '_' => 63,
            _ => -1,
        };
}
