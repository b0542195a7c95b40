using System.Text;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Llama.Tests;

public sealed class StopTextTests
{
    private static readonly ChatTurn[] Question = [new(TurnRole.User, "Describe this image.")];

    private static VisionLanguageModel Model => LoadedModels.Get(TestModels.Qwen3Vl);

    /// <summary>Tokens with these texts; what is expected of them is their texts up to the stop text.</summary>
    [Theory]
    [InlineData("a|b|c", "b", "a")]
    [InlineData("a|b|c", "bc", "a")]
    [InlineData("a|b|c", "abc", "")]
    [InlineData("a|b|c", "a", "")]
    [InlineData("a|b|c", "x", "a|b|c")]
    [InlineData("a|b|c", "cd", "a|b|c")]
    [InlineData("one two|three", "wot", "one t")]
    [InlineData("one two|three", "two", "one ")]
    [InlineData("one two|three", "twothree", "one ")]
    [InlineData("one two|three", "hr", "one two|t")]
    [InlineData("aaa|aab", "aab", "aaa")]
    [InlineData("a|a|a|b|a", "aab", "a")]
    [InlineData("ab|ab|ac|x", "abac", "ab")]
    [InlineData("ab|||c", "bc", "a")]
    [InlineData("x|END OF|STORY", "END|OF", "x")]
    public void Add_Tokens_EndBeforeTheStopText(string tokens, string stops, string expected)
    {
        var texts = Run(new StopTextFilter(stops.Split('|')), tokens.Split('|').Select(Encoding.UTF8.GetBytes));

        Assert.Equal(expected.Split('|').Where(text => text != ""), texts.Where(text => text != ""));
    }

    /// <summary>Each token is one byte, so that every character of more has borders of tokens in it.</summary>
    [Theory]
    [InlineData("5 € or 6 £", "€", "5 ")]
    [InlineData("5 € or 6 £", "£", "5 € or 6 ")]
    [InlineData("¢£€", "€", "¢£")]
    [InlineData("漢字と字", "字と", "漢")]
    [InlineData("a🦊b👩‍🚀c", "👩‍🚀", "a🦊b")]
    [InlineData("a🦊b", "🦝", "a🦊b")]
    [InlineData("\u00e9", "e\u0301", "\u00e9")]
    [InlineData("e\u0301", "\u0301", "e")]
    public void Add_ByteByByte_EndsAtACharacter(string text, string stop, string expected)
    {
        var texts = Run(new StopTextFilter([stop]), Encoding.UTF8.GetBytes(text).Select(one => new[] { one }));

        Assert.Equal(expected, string.Concat(texts));
    }

    [Fact]
    public void Add_TextThatMayBecomeAStopText_IsHeldBackUntilItCannot()
    {
        var filter = new StopTextFilter(["\nUser:", "###"]);

        Assert.Equal(["Hi"], Add("Hi"));
        Assert.Equal([], Add("\n"));
        Assert.Equal([], Add("Use"));
        Assert.Equal(["\n", "Use", "ful"], Add("ful"));
        Assert.Equal([], Add("#"));
        Assert.Equal([], Add("#"));
        Assert.Equal(["#", "#", " x"], Add(" x"));
        Assert.Equal([], Add("y#"));
        Assert.Equal(["y"], Add("##z"));
        Assert.True(filter.IsMet);

        IEnumerable<string> Add(string text) =>
            filter.Add(Token(), Encoding.UTF8.GetBytes(text)).Select(token => token.Text);
    }

    [Fact]
    public void AddEnd_TokensHeld_ComeBeforeTheEnd()
    {
        var filter = new StopTextFilter(["xyz"]);
        Assert.Empty(filter.Add(Token(), "xy"u8));

        Assert.Equal(["xy", ""], filter.AddEnd(Token()).Select(token => token.Text));
        Assert.Empty(filter.ReleaseAll());
    }

    /// <summary>Each place of the answer as a stop text, whatever tokens it falls into.</summary>
    [Fact]
    public async Task GenerateAsync_AnyPieceOfTheAnswer_EndsItThere()
    {
        var options = new CompletionOptions { MaxNewTokens = 10 };
        using var whole = Model.CreateCompletion(Question, options);
        var tokens = await CaptureTests.Collect(whole);
        var answer = string.Concat(tokens.Select(token => token.Text));
        Assert.DoesNotContain('\uFFFD', answer);
        for (var start = 0; start < answer.Length - 2; start += 3)
        {
            // Wherever a text comes first is where it stops.
            var stop = answer.Substring(start, Math.Min(7, answer.Length - start));
            var expected = answer[..answer.IndexOf(stop, StringComparison.Ordinal)];
            using var completion = Model.CreateCompletion(
                Question,
                options with
                {
                    StopTexts = ["no such text", stop],
                }
            );

            var written = await CaptureTests.Collect(completion);

            Assert.Equal(expected, string.Concat(written.Select(token => token.Text)));
            Assert.Equal(StopReason.StopText, completion.StopReason);
            Assert.Equal(tokens.Take(written.Count).Select(token => token.Id), written.Select(token => token.Id));
            Assert.Equal(completion.PromptTokenCount + written.Count, completion.TokenCount);
            Assert.All(written, token => Assert.NotEqual("", token.Text));
        }
    }

    [Fact]
    public async Task GenerateAsync_StopTextThatNeverComes_ChangesNothing()
    {
        var options = new CompletionOptions { MaxNewTokens = 10 };
        using var plain = Model.CreateCompletion(Question, options);
        var expected = await CaptureTests.Collect(plain);
        var last = expected[^1].Text;

        // The answer ends within what might have become a stop text.
        using var completion = Model.CreateCompletion(Question, options with { StopTexts = [last + "\u0001"] });

        var actual = await CaptureTests.Collect(completion);
        Assert.Equal(expected.Select(token => (token.Id, token.Text)), actual.Select(token => (token.Id, token.Text)));
        Assert.Equal(StopReason.MaxNewTokens, completion.StopReason);
        Assert.Equal(plain.TokenIds, completion.TokenIds);
    }

    [Fact]
    public async Task GenerateAsync_GivenAnswer_IsReadToItsEnd()
    {
        using var given = Model.CreateCompletion(
            [.. Question, new(TurnRole.Assistant, " red cup")],
            new CompletionOptions { StopTexts = ["cup", "red"] }
        );

        var tokens = await CaptureTests.Collect(given);

        Assert.Equal(" red cup", string.Concat(tokens.Select(token => token.Text)));
        Assert.Equal(StopReason.AnswerGiven, given.StopReason);
    }

    [Fact]
    public void CreateCompletion_EmptyStopText_IsRefused()
    {
        var exception = Assert.Throws<InvalidInputException>(() =>
            Model.CreateCompletion(Question, new CompletionOptions { StopTexts = ["a", ""] })
        );
        Assert.Contains("StopTexts", exception.Message, StringComparison.Ordinal);
    }

    private static List<string> Run(StopTextFilter filter, IEnumerable<byte[]> tokens)
    {
        var texts = new List<string>();
        foreach (var token in tokens)
        {
            texts.AddRange(filter.Add(Token(), token).Select(ready => ready.Text));
            if (filter.IsMet)
            {
                return texts;
            }
        }

        texts.AddRange(filter.AddEnd(Token()).Select(ready => ready.Text));
        return texts;
    }

    private static GeneratedToken Token() =>
        new()
        {
            Index = 0,
            Position = 0,
            Id = 0,
            Text = "",
            Logit = 0,
            LogProbability = 0,
            Candidates = [],
            EndsAnswer = false,
        };
}
