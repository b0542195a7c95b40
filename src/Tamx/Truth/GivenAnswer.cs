using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx;

/// <summary>An answer's tokens read by the model as if it had written them, without any capture.</summary>
internal static class GivenAnswer
{
    /// <summary>ln p of each token of an answer.</summary>
    public static async Task<double[]> ReadAsync(
        VisionLanguageModel model,
        IReadOnlyList<ChatTurn> messages,
        IReadOnlyList<int> answer,
        CancellationToken cancellationToken
    )
    {
        var tokens = await ReadTokensAsync(model, messages, answer, 0, cancellationToken).ConfigureAwait(false);
        return [.. tokens.Select(token => (double)token.LogProbability)];
    }

    /// <summary>The tokens of an answer with their probabilities and candidates.</summary>
    /// <param name="model">The model.</param>
    /// <param name="messages">The conversation before the answer.</param>
    /// <param name="answer">The answer's token ids.</param>
    /// <param name="candidateCount">Best tokens to record per step.</param>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    public static async Task<List<GeneratedToken>> ReadTokensAsync(
        VisionLanguageModel model,
        IReadOnlyList<ChatTurn> messages,
        IReadOnlyList<int> answer,
        int candidateCount,
        CancellationToken cancellationToken
    )
    {
        var options = new CompletionOptions { CaptureHiddenStates = false, CandidateCount = candidateCount };
        using var completion = model.CreateCompletion(messages, answer, options);
        var tokens = new List<GeneratedToken>();
        await foreach (var token in completion.GenerateAsync(cancellationToken).ConfigureAwait(false))
        {
            tokens.Add(token);
        }

        return tokens;
    }

    /// <summary>A conversation without the answer at its end.</summary>
    public static IReadOnlyList<ChatTurn> Before(IReadOnlyList<ChatTurn> messages) =>
        messages is [.., { Role: TurnRole.Assistant }] ? [.. messages.SkipLast(1)] : messages;
}
