using Microsoft.Extensions.AI;
using Tamx.Llama;

namespace Tamx;

/// <summary>What came of a chat request.</summary>
/// <param name="Answer">The answer's text, without its thought.</param>
/// <param name="Thought">What the model thought before it; null where it did not.</param>
/// <param name="StopReason">Why the answer ended.</param>
/// <param name="PromptTokenCount">Tokens of the prompt, cells of pictures included.</param>
/// <param name="TokenCount">Tokens of the answer, its thought included.</param>
/// <param name="ThoughtTokenCount">Tokens of the thought.</param>
/// <param name="Explanation">Trace and maps; null if the answer was not explained.</param>
internal sealed record AnswerOutcome(
    string Answer,
    string? Thought,
    StopReason StopReason,
    int PromptTokenCount,
    int TokenCount,
    int ThoughtTokenCount,
    Explanation? Explanation
);

/// <summary>Puts one answer into the types of Microsoft.Extensions.AI.</summary>
/// <param name="modelId">The model's name.</param>
/// <param name="withoutThought">Whether the caller wants no thoughts.</param>
internal sealed class AnswerFrame(string modelId, bool withoutThought)
{
    private readonly string _id = $"tamx-{Guid.NewGuid():N}";
    private readonly DateTimeOffset _createdAt = DateTimeOffset.UtcNow;

    /// <summary>The whole answer.</summary>
    public ChatResponse Whole(AnswerOutcome outcome) =>
        new(
            new ChatMessage(ChatRole.Assistant, [.. ContentsOf(outcome.Thought, outcome.Answer)])
            {
                MessageId = _id,
                CreatedAt = _createdAt,
            }
        )
        {
            ResponseId = _id,
            ModelId = modelId,
            CreatedAt = _createdAt,
            FinishReason = FinishReasonOf(outcome.StopReason),
            Usage = UsageOf(outcome),
            AdditionalProperties = PropertiesOf(outcome),
        };

    /// <summary>What a token adds to the answer.</summary>
    /// <param name="token">The token.</param>
    /// <param name="piece">Its text.</param>
    public ChatResponseUpdate Update(object token, AnswerPiece piece)
    {
        var update = Empty([.. ContentsOf(piece.Thought, piece.Answer)]);
        update.RawRepresentation = token;
        return update;
    }

    /// <summary>The last update.</summary>
    public ChatResponseUpdate Last(AnswerOutcome outcome)
    {
        var update = Empty([new UsageContent(UsageOf(outcome))]);
        update.FinishReason = FinishReasonOf(outcome.StopReason);
        update.AdditionalProperties = PropertiesOf(outcome);
        return update;
    }

    private ChatResponseUpdate Empty(IList<AIContent> contents) =>
        new(ChatRole.Assistant, contents)
        {
            ResponseId = _id,
            MessageId = _id,
            ModelId = modelId,
            CreatedAt = _createdAt,
        };

    private IEnumerable<AIContent> ContentsOf(string? thought, string answer)
    {
        if (!string.IsNullOrEmpty(thought) && !withoutThought)
        {
            yield return new TextReasoningContent(thought);
        }

        if (answer.Length > 0)
        {
            yield return new TextContent(answer);
        }
    }

    private static ChatFinishReason FinishReasonOf(StopReason reason) =>
        reason is StopReason.MaxNewTokens or StopReason.ContextFull ? ChatFinishReason.Length : ChatFinishReason.Stop;

    private static UsageDetails UsageOf(AnswerOutcome outcome) =>
        new()
        {
            InputTokenCount = outcome.PromptTokenCount,
            OutputTokenCount = outcome.TokenCount,
            TotalTokenCount = outcome.PromptTokenCount + outcome.TokenCount,
            ReasoningTokenCount = outcome.ThoughtTokenCount,
        };

    private static AdditionalPropertiesDictionary? PropertiesOf(AnswerOutcome outcome) =>
        outcome.Explanation is { } explanation
            ? new AdditionalPropertiesDictionary { [TamxChatClientExtensions.ExplanationKey] = explanation }
            : null;
}
