using System.Globalization;
using System.Text;

namespace Tamx;

/// <summary>A word of an answer: one token or several in a row.</summary>
/// <param name="Text">The word without the blanks around it; empty if it is all blanks.</param>
/// <param name="TokenIndices">Its tokens, counted from the answer's first; ascending, without gaps.</param>
public sealed record AnswerWord(string Text, IReadOnlyList<int> TokenIndices)
{
    /// <summary>Groups an answer's tokens into words.</summary>
    /// <param name="tokens">The tokens' bytes, as <see cref="Trace.FindBytes"/> gives them.</param>
    /// <returns>The words in order; each token belongs to one.</returns>
    /// <remarks>
    /// A word starts at the first token. It starts at a token that begins with a blank, punctuation, another symbol or
    /// a CJK character. A special token (<c>&lt;|im_end|&gt;</c>, <c>&lt;/think&gt;</c>) is a word of its own. Any
    /// other token continues the word. A word never starts inside a character as a reader sees it (a grapheme cluster).
    /// So a character whose bytes are spread over tokens lies in one word, and so does an emoji of several code points.
    /// Source: the paper's <c>ids_to_word_groups</c>. It knows neither such characters nor special tokens, and sees
    /// punctuation only if it is a whole token.
    /// </remarks>
    public static IReadOnlyList<AnswerWord> Group(IReadOnlyList<ReadOnlyMemory<byte>> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        byte[] bytes = [.. tokens.SelectMany(token => token.ToArray())];
        var characters = CharactersByStart(bytes);
        var words = new List<AnswerWord>();
        var wordStart = 0;
        var wordByte = 0;
        var position = 0;
        for (var i = 0; i < tokens.Count; i++)
        {
            var starts =
                IsSpecial(tokens[i].Span)
                || (i > 0 && IsSpecial(tokens[i - 1].Span))
                || (tokens[i].Length > 0 && characters.TryGetValue(position, out var first) && StartsWord(first));
            if (i > 0 && starts)
            {
                Add(i, position);
            }

            position += tokens[i].Length;
        }

        if (tokens.Count > 0)
        {
            Add(tokens.Count, position);
        }

        return words;

        void Add(int end, int endByte)
        {
            words.Add(
                new AnswerWord(
                    Encoding.UTF8.GetString(bytes, wordByte, endByte - wordByte).Trim(),
                    [.. Enumerable.Range(wordStart, end - wordStart)]
                )
            );
            (wordStart, wordByte) = (end, endByte);
        }
    }

    /// <summary>Groups an answer's tokens into words.</summary>
    /// <param name="tokens">The tokens' texts, with no character spread over several tokens.</param>
    /// <returns>The words in order; each token belongs to one.</returns>
    public static IReadOnlyList<AnswerWord> Group(IReadOnlyList<string> tokens) =>
        Group([.. tokens.Select(token => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(token))]);

    /// <summary>The first code point of each character (grapheme cluster), by the index of its first byte.</summary>
    private static Dictionary<int, Rune> CharactersByStart(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        var starts = new Dictionary<int, (int Byte, Rune Rune)>();
        for (var offset = 0; offset < bytes.Length; )
        {
            Rune.DecodeFromUtf8(bytes[offset..], out var rune, out var consumed);
            starts.Add(text.Length, (offset, rune));
            text.Append(rune.ToString());
            offset += consumed;
        }

        return StringInfo
            .ParseCombiningCharacters(text.ToString())
            .Select(start => starts[start])
            .ToDictionary(start => start.Byte, start => start.Rune);
    }

    // A token of text never has letters before a bracket: Qwen's pre-tokenizer parts them.
    private static bool IsSpecial(ReadOnlySpan<byte> token) =>
        token.StartsWith("<"u8) && token.EndsWith(">"u8) && token.ContainsAnyInRange((byte)'a', (byte)'z');

    private static bool StartsWord(Rune rune) =>
        Rune.IsWhiteSpace(rune) || Rune.IsPunctuation(rune) || Rune.IsSymbol(rune) || IsCjk(rune.Value);

    // Ideographs, their radicals and strokes, and kana have no blanks between words. Korean has them.
    private static bool IsCjk(int rune) =>
        rune
            is (>= 0x2E80 and <= 0x2FDF)
                or (>= 0x3005 and <= 0x3007)
                or (>= 0x3040 and <= 0x30FF)
                or (>= 0x31C0 and <= 0x31FF)
                or (>= 0x3400 and <= 0x4DBF)
                or (>= 0x4E00 and <= 0x9FFF)
                or (>= 0xF900 and <= 0xFAFF)
                or (>= 0xFF66 and <= 0xFF9F)
                or (>= 0x20000 and <= 0x323AF);
}
