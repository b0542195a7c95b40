using System.Text.RegularExpressions;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Generator;

public class WordVocabularyTests
{
    private static readonly WordVocabulary Vocabulary = new();

    [Fact]
    public void Merges_EveryWordInASentence_BecomesOneToken()
    {
        var ranks = Vocabulary
            .Merges.Select((merge, rank) => (merge, rank))
            .ToDictionary(pair => pair.merge, pair => pair.rank);
        string[] words = [.. Vocabulary.Tokens.Where((_, id) => Vocabulary.IsWord(id))];

        Assert.InRange(words.Length, 300, 1500);
        foreach (var word in words)
        {
            Assert.Equal([word], Encode(word, ranks));
            var capitalised = char.ToUpperInvariant(word[1]) + word[2..];
            Assert.Equal([capitalised], Encode(capitalised, ranks));
        }

        foreach (var role in (string[])["system", "user", "assistant"])
        {
            Assert.Equal([role], Encode(role, ranks));
        }
    }

    [Fact]
    public void Tokens_BytesAndMarkers_AreAllThere()
    {
        Assert.Equal(256, Vocabulary.Tokens.Count(token => token.Length == 1));
        Assert.Equal(Vocabulary.Tokens.Count, Vocabulary.Tokens.Distinct().Count());
        Assert.Equal(Vocabulary.Tokens.Count, Vocabulary.Types.Count);
        Assert.Equal(3, Vocabulary.Types[Vocabulary.IdOf("<|image_pad|>")]);
        Assert.Equal(4, Vocabulary.Types[Vocabulary.IdOf("<think>")]);
        Assert.Equal(1, Vocabulary.Types[Vocabulary.IdOf("Ċ")]);
    }

    [Fact]
    public void Tokens_FilledUp_HaveTheSizeAsked()
    {
        var large = new WordVocabulary(151936);

        Assert.Equal(151936, large.Tokens.Count);
        Assert.Equal(151936, large.Tokens.Distinct().Count());
        Assert.DoesNotContain(large.Tokens, token => Regex.IsMatch(token, @"\s"));
    }

    /// <summary>Byte-pair encoding as the tokenizer does it: again and again the pair of lowest rank.</summary>
    private static List<string> Encode(string word, Dictionary<string, int> ranks)
    {
        List<string> parts = [.. word.Select(c => c.ToString())];
        while (true)
        {
            var best = -1;
            var bestRank = int.MaxValue;
            for (var i = 0; i + 1 < parts.Count; i++)
            {
                if (ranks.TryGetValue($"{parts[i]} {parts[i + 1]}", out var rank) && rank < bestRank)
                {
                    (best, bestRank) = (i, rank);
                }
            }

            if (best < 0)
            {
                return parts;
            }

            parts[best] += parts[best + 1];
            parts.RemoveAt(best + 1);
        }
    }
}
