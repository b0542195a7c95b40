using System.Collections.Immutable;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Testing;
using static Tamx.Tests.SyntheticTrace;

namespace Tamx.Tests;

/// <summary>The thought of an answer: which of its tokens it is, and its text.</summary>
public sealed class ThoughtTests
{
    private const int Start = 151667;
    private const int End = 151668;

    private static readonly MarkerIds Markers = MarkerIds.QwenPublished;
    private static readonly ReferenceEngine Engine = new();
    private static readonly ImagePart Picture = TestPictures.Gradient(64, 64);

    /// <summary>What the prompt has of the answer's turn, the answer, and how much of it is thought.</summary>
    public static TheoryData<int[], int[], int> Answers =>
        new()
        {
            { [Start, 198], [1, 2, 198, End, 271, 3], 4 },
            { [Start, 198], [End, 3], 1 },
            { [Start, 198], [1, 2, 3], 3 },
            { [Start, 198], [1, Start, 2, End, 3, End], 4 },
            { [Start, 271, End, 271], [1, 2], 0 },
            { [], [Start, 198, 1, End, 271, 2], 4 },
            { [], [Start, 1, 2], 3 },
            { [], [1, Start, 2, End, 3], 0 },
            { [], [1, 2, End, 3], 0 },
            { [], [End, 1], 0 },
        };

    [Theory]
    [MemberData(nameof(Answers))]
    public void Parse_GeneratedAnswer_CountsTheThought(int[] opening, int[] answer, int expected)
    {
        // The thought of an earlier turn, and tags in the question, say nothing of this answer.
        int[] ids = [.. User(Start, 1), .. Assistant(Start, 2, 3), .. User(4, Start), .. Generated(opening), .. answer];

        var layout = SequenceLayout.Parse(ids, Markers, [], [], answer.Length);

        Assert.Equal(expected, layout.ThoughtCount);
        Assert.Equal(answer.Length, layout.AnswerPositions.Count);
    }

    [Fact]
    public void Parse_AnswerThatIsAWholeTurn_CountsTheThought()
    {
        int[] ids = [.. User(1), .. Assistant(Start, 198, 2, End, 271, 3)];

        Assert.Equal(4, SequenceLayout.Parse(ids, Markers, [], []).ThoughtCount);
        Assert.Equal(0, SequenceLayout.Parse(ids, Markers with { ThinkStart = null }, [], []).ThoughtCount);
        Assert.Equal(0, SequenceLayout.Parse(ids, Markers with { ThinkEnd = null }, [], []).ThoughtCount);
    }

    [Theory]
    [InlineData("<think>\n red cup\n</think>\n\n blue box\n", " red cup", " blue box\n")]
    [InlineData("\n\n red\n\ncup\n\n</think> blue", " red\n\ncup", " blue")]
    [InlineData("<think>\n red cup", " red cup", "")]
    [InlineData("<think>\n red cup</think>", " red cup", "")]
    [InlineData(" blue\n box", null, " blue\n box")]
    public async Task ExplainAsync_GivenAnswer_HasItsThoughtApart(string text, string? thought, string answer)
    {
        var model = LoadedModels.Get("qwen3vl-thinking");
        ChatTurn[] messages = [new(TurnRole.User, [Picture, new TextPart(" this?")]), new(TurnRole.Assistant, text)];

        var explanation = await Explainer.ExplainAsync(model, messages, engine: Engine);

        Assert.Equal(thought, explanation.Thought);
        Assert.Equal(answer, explanation.Answer);
        var (trace, maps) = (explanation.Trace, explanation.Maps);
        var ids = maps.Answer.Select(token => token.Token.TokenId).ToList();
        Assert.Equal(
            thought is null ? 0
                : ids.IndexOf(model.Vocabulary.FindId("</think>")) is >= 0 and var end ? end + 1
                : ids.Count,
            maps.Layout.ThoughtCount
        );

        // Every token of the thought has maps, and those after it have it before them.
        Assert.All(maps.Answer, token => Assert.NotNull(token.Token.VisionMaps[0]));
        Assert.All(
            maps.Answer,
            (token, i) => Assert.Equal(i, token.TextPositions.Count(maps.Layout.AnswerPositions.Contains))
        );

        // The whole text, given back, is the same sequence.
        ChatTurn[] again = [messages[0], new(TurnRole.Assistant, explanation.Text)];
        Assert.Equal(trace.TokenIds, (await Explainer.ExplainAsync(model, again, engine: Engine)).Trace.TokenIds);
    }

    [Theory]
    [InlineData("<think>\n red\n\n cup\n</think>\n\n blue box")]
    [InlineData("<think>\n red\n")]
    [InlineData(" blue box")]
    public async Task ReadAsync_Tokens_GrowThoughtAndAnswer(string text)
    {
        var model = LoadedModels.Get("qwen3vl-thinking");
        ChatTurn[] messages = [new(TurnRole.User, " this?"), new(TurnRole.Assistant, text)];
        using var live = await Explainer.StartAsync(model, messages, engine: Engine);
        var tokens = new List<StreamedToken>();
        await foreach (var token in live.ReadAsync())
        {
            tokens.Add(token);
        }

        var explanation = live.Finish();

        Assert.Equal(explanation.Thought ?? "", string.Concat(tokens.Select(token => token.Piece.Thought)));
        Assert.Equal(explanation.Answer, string.Concat(tokens.Select(token => token.Piece.Answer)));
        Assert.Equal(explanation.Maps.Layout.ThoughtCount, tokens.TakeWhile(token => token.Piece.IsThought).Count());
        Assert.Equal(explanation.Maps.Layout.ThoughtCount, tokens.Count(token => token.Piece.IsThought));
    }

    [Fact]
    public async Task ExplainAsync_AnswerCutOffInTheThought_IsAllThought()
    {
        var model = LoadedModels.Get("qwen3vl-thinking");
        var options = new ExplainOptions { Completion = new() { MaxNewTokens = 3 } };

        var explanation = await Explainer.ExplainAsync(model, [new(TurnRole.User, " this?")], options, Engine);

        Assert.Equal(StopReason.MaxNewTokens, explanation.StopReason);
        Assert.Equal(("", 3), (explanation.Answer, explanation.Maps.Layout.ThoughtCount));
        Assert.NotEqual("", explanation.Thought);
        Assert.Equal("<think>\n" + explanation.Thought, explanation.Text);
    }

    [Fact]
    public async Task ExplainAsync_ModelWithoutThoughts_LeavesTagsInAGivenAnswersText()
    {
        // Its vocabulary has the tokens. Its template has no place for them, so the answer is what was given.
        var model = LoadedModels.Get("qwen3vl");
        const string Text = " red</think> cup";

        var explanation = await Explainer.ExplainAsync(
            model,
            [new(TurnRole.User, " this?"), new(TurnRole.Assistant, Text)],
            engine: Engine
        );

        Assert.Equal((null, Text, Text), (explanation.Thought, explanation.Answer, explanation.Text));
        Assert.Equal(0, explanation.Maps.Layout.ThoughtCount);
    }

    [Fact]
    public async Task Save_ThoughtOfATrace_IsFoundAgain()
    {
        var model = LoadedModels.Get("qwen3vl-thinking");
        using var folder = new TemporaryFolder();
        ChatTurn[] messages = [new(TurnRole.User, " this?"), new(TurnRole.Assistant, " red\n</think>\n\n cup")];
        var explanation = await Explainer.ExplainAsync(model, messages, engine: Engine);

        TraceFile.Save(explanation.Trace, folder.File("trace.safetensors"));
        var loaded = TraceFile.Load(folder.File("trace.safetensors"));

        Assert.Equal(3, loaded.ParseLayout().ThoughtCount);
        Assert.Equal(explanation.Trace.Markers, loaded.Markers);
    }
}
