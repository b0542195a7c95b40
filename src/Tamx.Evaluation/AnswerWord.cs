using System.Text;

namespace Tamx.Evaluation;

/// <summary>A word of a generated answer.</summary>
/// <param name="Text">The word without blanks.</param>
/// <param name="TokenIndices">Its tokens, counted from the answer's first.</param>
public sealed record AnswerWord(string Text, IReadOnlyList<int> TokenIndices)
{
    private const string Punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

    /// <summary>Puts an answer's tokens together to words.</summary>
    /// <param name="tokens">The tokens' texts.</param>
    /// <returns>The words in order; each token belongs to one.</returns>
    /// <remarks>
    /// As the paper's <c>ids_to_word_groups</c>: a word starts at the first token, at a token that starts with a blank, at punctuation and at
    /// Chinese characters; any
    /// other token continues the word before it. Unlike there, a marker such as the one that ends an answer is a word of its own.
    /// </remarks>
    public static IReadOnlyList<AnswerWord> Group(IReadOnlyList<string> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        var words = new List<(StringBuilder Text, List<int> Tokens)>();
        for (var i = 0; i < tokens.Count; i++)
        {
            if (i == 0 || tokens[i].StartsWith(' ') || tokens[i].StartsWith("<|", StringComparison.Ordinal)
                || Punctuation.Contains(tokens[i], StringComparison.Ordinal) || tokens[i].EnumerateRunes().Any(IsChinese))
            {
                words.Add((new StringBuilder(), []));
            }

            words[^1].Text.Append(tokens[i]).Replace(" ", "");
            words[^1].Tokens.Add(i);
        }

        return [.. words.Select(word => new AnswerWord(word.Text.ToString(), word.Tokens))];
    }

    // The blocks whose characters have CJK in their Unicode names.
    private static bool IsChinese(Rune rune) =>
        rune.Value is (>= 0x2E80 and <= 0x2EFF) or (>= 0x31C0 and <= 0x31EF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF)
            or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x323AF);
}
