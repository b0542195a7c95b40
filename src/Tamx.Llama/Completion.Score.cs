using Tamx.Llama.Interop;

namespace Tamx.Llama;

/// <content>How likely a given answer is.</content>
public sealed partial class Completion
{
    /// <summary>
    /// Takes a given answer instead of generating one, and says how likely the model finds each of its tokens after the prompt and the tokens
    /// before it.
    /// Computes the prompt if <see cref="PrefillAsync"/> has not.
    /// </summary>
    /// <param name="answer">Token ids; at most <see cref="CompletionOptions.MaxNewTokens"/>.</param>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    /// <returns>Per token ln p under the model's softmax over the whole vocabulary, at temperature 1: log-sum-exp in float64.</returns>
    /// <exception cref="ArgumentException">The answer is empty, longer than the options or the context allow, or holds an id that is no
    /// token.</exception>
    /// <exception cref="InvalidOperationException">An answer was generated or given before.</exception>
    /// <exception cref="LlamaException">llama.cpp failed.</exception>
    /// <exception cref="ObjectDisposedException">The completion was disposed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task<double[]> ScoreAsync(IReadOnlyList<int> answer, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(answer);
        if (answer.Count == 0 || answer.Count > Capacity - PromptTokenCount)
        {
            throw new ArgumentException($"an answer of {answer.Count} tokens; there is room for 1 to {Capacity - PromptTokenCount}", nameof(answer));
        }

        if (answer.FirstOrDefault(id => id < 0 || id >= _model.Vocabulary.Count, 0) is var unknown and not 0)
        {
            throw new ArgumentException($"{unknown} is no token; there are {_model.Vocabulary.Count}", nameof(answer));
        }

        if (TokenCount > PromptTokenCount || StopReason != StopReason.None)
        {
            throw new InvalidOperationException("the completion has an answer already; make a new one for another");
        }

        if (_context is null)
        {
            await PrefillAsync(null, cancellationToken).ConfigureAwait(false);
        }

        return await Task.Run(() => Score(answer, cancellationToken), CancellationToken.None).ConfigureAwait(false);
    }

    private double[] Score(IReadOnlyList<int> answer, CancellationToken cancellationToken) => Exclusively(() =>
    {
        var context = _context!;
        using var cancellation = cancellationToken.Register(() => NativeMethods.CancelContext(context));
        var logits = new float[_model.Facts.VocabularySize];
        var scores = new double[answer.Count];
        for (var i = 0; i < scores.Length; i++)
        {
            if (i > 0)
            {
                NativeMethods.DecodeTokens(context, _tokenIds.AsSpan(TokenCount - 1, 1), 1, 1, NextRows(1)).ThrowIfFailed(cancellationToken);
                HiddenRowCount++;
            }

            NativeMethods.GetLogits(context, logits).ThrowIfFailed(cancellationToken);
            scores[i] = LogProbability(logits, answer[i]);
            _tokenIds[TokenCount++] = answer[i];
        }

        return scores;
    }, cancellationToken);

    private static double LogProbability(ReadOnlySpan<float> logits, int id)
    {
        var largest = float.NegativeInfinity;
        foreach (var logit in logits)
        {
            largest = Math.Max(largest, logit);
        }

        var sum = 0.0;
        foreach (var logit in logits)
        {
            sum += Math.Exp(logit - largest);
        }

        return logits[id] - largest - Math.Log(sum);
    }
}
