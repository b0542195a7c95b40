using System.ComponentModel;

namespace Tamx.Cli;

/// <summary>An answer with the sources of its words, for programs.</summary>
internal sealed record AnswerSources(
    [property: Description("The model's name.")] string? Model,
    [property: Description("The answer.")] string Answer,
    [property: Description("What the model thought before it.")] string? Thought,
    [property: Description("endToken if the model ended it; maxNewTokens or contextFull if it was cut off.")]
        string StopReason,
    int PromptTokens,
    int AnswerTokens,
    [property: Description("Width of the picture in pixels.")] int PictureWidth,
    [property: Description("Height of the picture in pixels.")] int PictureHeight,
    [property: Description("The answer's words in order, without its thought.")] IReadOnlyList<WordSources> Words
)
{
    public static AnswerSources Of(Explanation explanation)
    {
        var (trace, maps) = (explanation.Trace, explanation.Maps);
        return new AnswerSources(
            trace.Run.Model,
            explanation.Answer,
            explanation.Thought,
            ExplainSummary.NameOf(explanation.StopReason),
            maps.Answer[0].Position,
            maps.Answer.Count,
            trace.Pictures[0].Width,
            trace.Pictures[0].Height,
            [.. WordSources.WordsOf(explanation).Select(word => WordSources.Of(explanation, word))]
        );
    }
}

/// <summary>A place in the picture.</summary>
internal sealed record PictureSource(
    [property: Description("Left edge in pixels.")] int X,
    [property: Description("Top edge in pixels.")] int Y,
    int Width,
    int Height,
    [property: Description("From 0 to 1: how much of the word came from there.")] double Value
);

/// <summary>A word of the conversation before the word in question.</summary>
internal sealed record TextSource(
    string Text,
    [property: Description("system, user, or answer for the answer itself.")] string From,
    [property: Description("From 0 to 1: how much of the word came from there.")] double Value
);
