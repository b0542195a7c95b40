using System.Diagnostics;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Web.Wire;

namespace Tamx.Web.Worker;

/// <summary>Answers without maps: nothing is captured for them, and no files are written.</summary>
internal sealed class AnswerJob(VisionLanguageModel model, FrameStream frames) : IProgress<CompletionProgress>
{
    /// <param name="request">The request.</param>
    /// <param name="messages">Its conversation.</param>
    /// <param name="either">Cancelled when no more tokens are wanted, or nothing at all.</param>
    /// <param name="cancel">Cancelled when nothing at all is wanted.</param>
    public async Task<DoneEvent> RunAsync(
        WorkerRequest request,
        IReadOnlyList<ChatTurn> messages,
        CancellationToken either,
        CancellationToken cancel
    )
    {
        var clock = Stopwatch.StartNew();
        using var completion = model.CreateCompletion(
            messages,
            request.Options.Completion with
            {
                CaptureHiddenStates = false,
            }
        );
        await completion.PrefillAsync(this, either);
        var prefillSeconds = clock.Elapsed.TotalSeconds;
        var count = 0;
        var answer = new AnswerText(
            MarkerIds.Find(model.Vocabulary),
            completion.TokenIds[..completion.PromptTokenCount]
        );
        var wasStopped = await frames.FollowAsync(
            completion.GenerateAsync(either),
            token =>
            {
                Send(FrameKind.Progress, new ProgressEvent("generate", ++count, completion.MaxAnswerTokens));
                Send(FrameKind.Written, WrittenToken.Of(token, answer.Add(token), model.Vocabulary.GetBytes));
            },
            cancel
        );
        return new DoneEvent(
            answer.Answer,
            answer.Thought,
            completion.StopReason,
            wasStopped,
            completion.PromptTokenCount,
            count,
            new Dictionary<string, double>
            {
                ["prefill"] = prefillSeconds,
                ["generate"] = clock.Elapsed.TotalSeconds - prefillSeconds,
            }
        );
    }

    void IProgress<CompletionProgress>.Report(CompletionProgress value) =>
        Send(FrameKind.Progress, ProgressEvent.Of(value.Stage, value.Done, value.Total));

    private void Send<T>(FrameKind kind, T content) => frames.Write(kind, WireJson.Bytes(content));
}
