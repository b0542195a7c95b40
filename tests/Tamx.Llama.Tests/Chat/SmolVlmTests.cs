using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Chat;

/// <summary>What SmolVLM has of its own: turns without a marker each, and pictures between markers of several.</summary>
public sealed class SmolVlmTests
{
    private static readonly ImagePart Image = TestPictures.Gradient(64, 40);

    private static VisionLanguageModel Model => LoadedModels.Get(TestModels.Get("smolvlm"));

    /// <summary>The published template's.</summary>
    public static TheoryData<string, string> Published =>
        new()
        {
            { "user", "<|im_start|>User: Hi<end_of_utterance>\n" },
            { "system", "<|im_start|>System: Be brief.<end_of_utterance>\nUser: Hi<end_of_utterance>\n" },
            {
                "several",
                "<|im_start|>User: Hi<end_of_utterance>\nAssistant: Well?<end_of_utterance>\n"
                    + "User: What?<end_of_utterance>\n"
            },
            { "picture", "<|im_start|>User:[]What is it?<end_of_utterance>\n" },
            { "pictures", "<|im_start|>User: One:[] two:[]<end_of_utterance>\n" },
        };

    [Theory]
    [MemberData(nameof(Published))]
    public void Format_Conversation_IsThePublishedTemplates(string name, string expected)
    {
        ChatTurn[] messages = name switch
        {
            "user" => [new(TurnRole.User, "Hi")],
            "system" => [new(TurnRole.System, "Be brief."), new(TurnRole.User, "Hi")],
            "several" => [new(TurnRole.User, "Hi"), new(TurnRole.Assistant, " Well?"), new(TurnRole.User, "What?")],
            "picture" => [new(TurnRole.User, [Image, new TextPart("What is it?")])],
            "pictures" => [new(TurnRole.User, [new TextPart("One:"), Image, new TextPart(" two:"), Image])],
            _ => throw new ArgumentOutOfRangeException(nameof(name)),
        };
        Assert.Equal(
            expected.Replace("[]", "<fake_token_around_image><global-img><image><fake_token_around_image>")
                + "Assistant:",
            Model.Template.Format(messages)
        );
    }

    [Fact]
    public void CreateCompletion_Picture_StandsBetweenItsMarkers()
    {
        var vocabulary = Model.Vocabulary;
        using var completion = Model.CreateCompletion([new(TurnRole.User, [Image, new TextPart("What is it?")])]);
        int[] Ids(string text) => vocabulary.Tokenize(text, parseMarkers: true);

        Assert.Equal(
            [
                .. Ids("<|im_start|>User:<fake_token_around_image><global-img>"),
                .. Enumerable.Repeat(vocabulary.FindId("<image>"), 25),
                .. Ids("<fake_token_around_image>What is it?<end_of_utterance>\nAssistant:"),
            ],
            completion.TokenIds.ToArray()
        );
        var picture = Assert.Single(completion.Pictures);
        Assert.Equal((5, 5), (picture.Columns, picture.Rows));
    }

    /// <summary>The model writes the space behind its name, so a given answer begins with it, once.</summary>
    [Theory]
    [InlineData("A cup.")]
    [InlineData(" A cup.")]
    public async Task CreateCompletion_AnswerGiven_BeginsWithOneSpace(string answer)
    {
        using var completion = Model.CreateCompletion([
            new(TurnRole.User, "What is it?"),
            new(TurnRole.Assistant, answer),
        ]);
        var tokens = await CaptureTests.Collect(completion);

        Assert.Equal(" A cup.", string.Concat(tokens.Select(token => token.Text)));
    }

    /// <summary>
    /// Its way to cut text is a regular expression for digits, one at a time, and code of llama.cpp for the rest: no
    /// run of signs is too long.
    /// </summary>
    [Theory]
    [InlineData("7")]
    [InlineData("a")]
    [InlineData(" ")]
    [InlineData("\n")]
    [InlineData("!")]
    [InlineData("\u00e9")]
    public void Tokenize_LongRunOfOneSign_IsCut(string sign)
    {
        var text = string.Concat(Enumerable.Repeat(sign, 200_000));
        var bytes = Model.Vocabulary.Tokenize(text).SelectMany(Model.Vocabulary.GetBytes).ToArray();

        Assert.Equal(text, System.Text.Encoding.UTF8.GetString(bytes));
    }

    [Fact]
    public void Vocabulary_EndOfUtterance_EndsAnAnswer() =>
        Assert.True(Model.Vocabulary.EndsAnswer(Model.Vocabulary.FindId("<end_of_utterance>")));
}
