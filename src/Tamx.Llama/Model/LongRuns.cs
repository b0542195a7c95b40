using System.Globalization;

namespace Tamx.Llama;

/// <summary>Parts text within runs of more than 1,000 signs of a kind.</summary>
/// <remarks>
/// llama.cpp matches regular expressions with the C++ library's engine, which recurses once per sign of a match and
/// would overflow the stack. No word is so long; in what is, a token ends at each cut.
/// </remarks>
internal static class LongRuns
{
    private const int Longest = 1000;

    private const int Space = 0;
    private const int Number = 1;
    private const int Letter = 2;
    private const int Other = 3;

    /// <summary>The parts, which together are the text.</summary>
    public static IEnumerable<string> Part(string text)
    {
        var (from, run, kind) = (0, 0, -1);
        for (var i = 0; i < text.Length; i++)
        {
            // What a pair of surrogates stands for may be of either kind, so it ends no run.
            var next = char.IsSurrogate(text[i]) && kind is (Letter or Other) ? kind : KindOf(text[i]);
            run = next == kind ? run + 1 : 1;
            kind = next;
            if (run > Longest && !char.IsLowSurrogate(text[i]))
            {
                yield return text[from..i];
                (from, run) = (i, 1);
            }
        }

        yield return text[from..];
    }

    /// <summary>Signs that an expression may match in one.</summary>
    private static int KindOf(char sign) =>
        char.IsWhiteSpace(sign) ? Space
        : char.IsNumber(sign) ? Number
        : char.IsLetter(sign) || IsMark(sign) ? Letter
        : Other;

    private static bool IsMark(char sign) =>
        CharUnicodeInfo.GetUnicodeCategory(sign)
            is UnicodeCategory.NonSpacingMark
                or UnicodeCategory.SpacingCombiningMark
                or UnicodeCategory.EnclosingMark;
}
