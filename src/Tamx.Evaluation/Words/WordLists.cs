using System.Collections.Frozen;

namespace Tamx.Evaluation;

/// <summary>The frozen lists that say what a word is where nothing else does.</summary>
/// <remarks>
/// The paper's code asks NLTK's part-of-speech tagger about each word by itself. Its function words are those with the
/// tags CC, DT, EX, MD, POS, PRP, PRP$, UH, WDT, WP, WP$ and WRB. A list gives the same figures on every machine and in
/// every year.
/// </remarks>
internal static class WordLists
{
    /// <summary>Function words, lower case.</summary>
    public static FrozenSet<string> Function { get; } = Read("function-words.txt");

    /// <summary>Nouns of picture descriptions, lower case, singular.</summary>
    public static FrozenSet<string> Nouns { get; } = Read("nouns.txt");

    /// <summary>Whether a word is a function word, whatever its case.</summary>
    /// <param name="word">The word.</param>
    public static bool IsFunctionWord(string word) => Function.Contains(word.ToLowerInvariant());

    /// <summary>Whether a word is a noun of the list, whatever its case and number.</summary>
    /// <param name="word">The word.</param>
    public static bool IsNoun(string word) => Nouns.Contains(NounForms.Singular(word));

    private static FrozenSet<string> Read(string name)
    {
        using var reader = new StreamReader(typeof(WordLists).Assembly.GetManifestResourceStream(name)!);
        return reader
            .ReadToEnd()
            .Split('\n')
            .Where(line => !line.StartsWith('#'))
            .SelectMany(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            .ToFrozenSet(StringComparer.Ordinal);
    }
}
