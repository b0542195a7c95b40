using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Report;
using Tamx.Web.Runs;
using Tamx.Web.Wire;

namespace Tamx.Web.Worker;

#pragma warning disable RS0030 // It runs in the worker, and writes the run's files.

/// <summary>Answers and explains: makes tokens and maps of the messages, and the run's files of these.</summary>
internal sealed class ExplainJob(VisionLanguageModel model, ITamEngine engine, FrameStream frames)
    : IProgress<ExplainProgress>
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
        using var live = await Explainer.StartAsync(model, messages, request.Options, engine, this, either);
        var report = GrowingReport.Of(live, cancellationToken: either);
        frames.Write(FrameKind.Head, await report.HeadAsync(cancel));
        var wasStopped = await frames.FollowAsync(
            live.ReadAsync(either),
            token =>
            {
                Send(FrameKind.Written, WrittenToken.Of(token.Generated, token.Piece, model.Vocabulary.GetBytes));
                frames.Write(FrameKind.Token, report.Next(token));
            },
            cancel
        );
        return await FinishAsync(live, new RunFiles(request.Folder), wasStopped, cancel);
    }

    void IProgress<ExplainProgress>.Report(ExplainProgress value) =>
        Send(FrameKind.Progress, ProgressEvent.Of(value.Stage, value.Done, value.Total));

    private async Task<DoneEvent> FinishAsync(
        LiveExplanation live,
        RunFiles files,
        bool wasStopped,
        CancellationToken cancel
    )
    {
        Send(FrameKind.Progress, new ProgressEvent("report", 0, 1));
        var explanation = live.Finish();
        var (trace, maps) = (explanation.Trace, explanation.Maps);
        await StorageException.GuardAsync(async () =>
        {
            TraceFile.Save(trace, files.PathOf(RunFiles.Trace));
            WholeFile.Write(files.PathOf(RunFiles.Maps), stream => MapsJson.Write(trace, maps, stream));
            await HtmlReport.WriteAsync(trace, maps, files.PathOf(RunFiles.Report), cancellationToken: cancel);
        });
        Send(FrameKind.Progress, new ProgressEvent("report", 1, 1));
        return new DoneEvent(
            explanation.Answer,
            explanation.Thought,
            explanation.StopReason,
            wasStopped,
            live.PromptTokenCount,
            maps.Answer.Count,
            trace.Run.Seconds
        );
    }

    private void Send<T>(FrameKind kind, T content) => frames.Write(kind, WireJson.Bytes(content));
}
