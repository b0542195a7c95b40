namespace Tamx.Evaluation;

/// <summary>Words that stand for something: all but function words, punctuation and markers.</summary>
public static class ContentWords
{
    /// <summary>Whether a word of an answer is one.</summary>
    /// <param name="word">The word, without the blanks around it.</param>
    public static bool Contains(string word)
    {
        ArgumentNullException.ThrowIfNull(word);
        var isMarker = word.StartsWith('<') && word.EndsWith('>');
        return !isMarker && word.Any(char.IsLetterOrDigit) && !WordLists.IsFunctionWord(word);
    }
}
