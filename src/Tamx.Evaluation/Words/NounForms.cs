namespace Tamx.Evaluation;

/// <summary>Brings English nouns to one form, so that "buses" matches the category "bus".</summary>
internal static class NounForms
{
    private static readonly Dictionary<string, string> Irregular = new()
    {
        ["men"] = "man",
        ["women"] = "woman",
        ["children"] = "child",
        ["feet"] = "foot",
        ["teeth"] = "tooth",
        ["geese"] = "goose",
        ["mice"] = "mouse",
        ["oxen"] = "ox",
        ["knives"] = "knife",
        ["wives"] = "wife",
        ["lives"] = "life",
    };

    // Endings of plurals, each with what the singular has in its place.
    private static readonly (string Plural, string Singular)[] Endings =
    [
        ("shes", "sh"),
        ("ches", "ch"),
        ("sses", "ss"),
        ("xes", "x"),
        ("zes", "z"),
        ("ies", "y"),
        ("s", ""),
    ];

    // The last four end other words as well. The list of nouns tells which word is which.
    private static readonly (string Plural, string Singular)[] ListedEndings =
    [
        .. Endings,
        ("oes", "o"),
        ("ses", "s"),
        ("ves", "f"),
        ("men", "man"),
    ];

    private static readonly string[] KeptEndings = ["ss", "us", "is"];

    /// <summary>A noun's singular, in lower case and without hyphens; other words come back as they are.</summary>
    /// <param name="word">The word.</param>
    /// <remarks>
    /// The paper's code asks WordNet. Here the ending that leaves a word of <see cref="WordLists.Nouns"/> is taken off.
    /// Where none does, it is the usual one: <c>-ies</c> to <c>-y</c>, <c>-es</c> after a sibilant, else <c>-s</c>.
    /// <c>-ss</c>, <c>-us</c> and <c>-is</c> stay.
    /// </remarks>
    public static string Singular(string word)
    {
        var lower = word.ToLowerInvariant().Replace("-", "", StringComparison.Ordinal);
        if (Irregular.TryGetValue(lower, out var singular))
        {
            return singular;
        }

        if (WordLists.Nouns.Contains(lower))
        {
            return lower;
        }

        return Forms(lower, ListedEndings).FirstOrDefault(WordLists.Nouns.Contains)
            ?? (
                lower.Length > 3 && !KeptEndings.Any(ending => lower.EndsWith(ending, StringComparison.Ordinal))
                    ? Forms(lower, Endings).FirstOrDefault()
                    : null
            )
            ?? lower;
    }

    /// <summary>
    /// Whether one of a category's words is the word, both brought to the singular: "lights" names "traffic light".
    /// </summary>
    /// <param name="category">The category's name: words with blanks between them.</param>
    /// <param name="word">The word.</param>
    public static bool Matches(string category, string word)
    {
        var singular = Singular(word);
        var parts = category.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return parts.Any(part => Singular(part) == singular);
    }

    private static IEnumerable<string> Forms(string word, (string Plural, string Singular)[] endings) =>
        endings
            .Where(ending =>
                word.Length > ending.Plural.Length && word.EndsWith(ending.Plural, StringComparison.Ordinal)
            )
            .Select(ending => word[..^ending.Plural.Length] + ending.Singular);
}
