using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Report;
using Tamx.Web.Runs;
using Tamx.Web.Wire;

namespace Tamx.Web.Worker;

#pragma warning disable RS0030 // It runs in the worker, and writes the run's files.

/// <summary>
/// One request in the worker: makes messages of its files, tokens and maps of the messages, and the run's files of
/// these.
/// </summary>
internal sealed class ExplainJob(VisionLanguageModel model, ITamEngine engine, FrameStream frames)
    : IProgress<ExplainProgress>
{
    public async Task RunAsync(WorkerRequest request, byte[][] files, CancellationToken stop, CancellationToken cancel)
    {
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, cancel);
            var messages = new RequestMedia(request, files, either.Token).Open();
            using var live = await Explainer.StartAsync(model, messages, request.Options, engine, this, either.Token);
            var wasStopped = await WriteTokensAsync(live, either.Token, cancel);
            await FinishAsync(live, new RunFiles(request.Folder), wasStopped, cancel);
        }
        catch (Exception e)
        {
            var fault = Faults.Describe(e);
            string[] pieces = [.. fault.Pieces.Select(text => WithoutFolders(text, request))];
            Send(FrameKind.Failed, fault with { Pieces = pieces });
        }
    }

    void IProgress<ExplainProgress>.Report(ExplainProgress value)
    {
        var phase = value.Stage == "encode" ? "image" : value.Stage;
        Send(FrameKind.Progress, new ProgressEvent(phase, value.Done, value.Total));
    }

    /// <summary>Writes the report's head, then the answer's tokens as they come.</summary>
    /// <returns>Whether it was stopped after its first token.</returns>
    private async Task<bool> WriteTokensAsync(LiveExplanation live, CancellationToken either, CancellationToken cancel)
    {
        var hasTokens = false;
        var report = GrowingReport.Of(live, cancellationToken: either);
        frames.Write(FrameKind.Head, await report.HeadAsync(cancel));
        try
        {
            await foreach (var token in live.ReadAsync(either))
            {
                frames.Write(FrameKind.Token, report.Next(token));
                hasTokens = true;
            }

            return false;
        }
        catch (OperationCanceledException) when (hasTokens && !cancel.IsCancellationRequested)
        {
            Send(FrameKind.Stopped, true);
            return true;
        }
    }

    private async Task FinishAsync(LiveExplanation live, RunFiles files, bool wasStopped, CancellationToken cancel)
    {
        Send(FrameKind.Progress, new ProgressEvent("report", 0, 1));
        var explanation = live.Finish();
        var (trace, maps) = (explanation.Trace, explanation.Maps);
        TraceFile.Save(trace, files.PathOf(RunFiles.Trace));
        WholeFile.Write(files.PathOf(RunFiles.Maps), stream => MapsJson.Write(trace, maps, stream));
        await HtmlReport.WriteAsync(trace, maps, files.PathOf(RunFiles.Report), cancellationToken: cancel);
        Send(FrameKind.Progress, new ProgressEvent("report", 1, 1));
        Send(
            FrameKind.Done,
            new DoneEvent(
                explanation.Answer,
                explanation.Thought,
                explanation.StopReason,
                wasStopped,
                live.PromptTokenCount,
                maps.Answer.Count,
                trace.Run.Seconds
            )
        );
    }

    /// <summary>Takes out the folders: where files lie on this machine is not a client's business.</summary>
    private string WithoutFolders(string text, WorkerRequest request)
    {
        string?[] folders =
        [
            request.Folder,
            Path.GetDirectoryName(model.Facts.Path),
            Path.GetDirectoryName(model.Projector?.Path),
        ];
        return folders
            .Where(folder => !string.IsNullOrEmpty(folder))
            .Aggregate(
                text,
                (rest, folder) => rest.Replace(folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal)
            );
    }

    private void Send<T>(FrameKind kind, T content) => frames.Write(kind, WireJson.Bytes(content));
}
