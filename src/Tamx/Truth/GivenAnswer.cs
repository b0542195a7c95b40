using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx;

/// <summary>An answer's tokens read by the model as if it had written them, without any capture.</summary>
internal static class GivenAnswer
{
    /// <summary>ln p of each token of an answer.</summary>
    /// <param name="model">The model.</param>
    /// <param name="messages">The conversation before the answer.</param>
    /// <param name="answer">The answer's token ids.</param>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    public static async Task<double[]> ReadAsync(
        VisionLanguageModel model,
        IReadOnlyList<ChatMessage> messages,
        IReadOnlyList<int> answer,
        CancellationToken cancellationToken
    )
    {
        var options = new CompletionOptions { CaptureHiddenStates = false };
        using var completion = model.CreateCompletion(Before(messages), answer, options);
        var values = new List<double>();
        await foreach (var token in completion.GenerateAsync(cancellationToken).ConfigureAwait(false))
        {
            values.Add(token.LogProbability);
        }

        return [.. values];
    }

    /// <summary>A conversation without the answer at its end.</summary>
    public static IReadOnlyList<ChatMessage> Before(IReadOnlyList<ChatMessage> messages) =>
        messages is [.., { Role: ChatRole.Assistant }] ? [.. messages.SkipLast(1)] : messages;
}
