using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Report;
using Tamx.Web.Runs;
using Tamx.Web.Wire;

namespace Tamx.Web.Worker;

#pragma warning disable RS0030 // It runs in the worker, and writes the run's files.

/// <summary>
/// Answers and explains: makes tokens and maps of the messages and the run's files of these, or verdicts, or both.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="calibration">Its calibration, or null.</param>
/// <param name="engine">What computes maps.</param>
/// <param name="frames">Where it tells of what comes.</param>
internal sealed class ExplainJob(
    VisionLanguageModel model,
    ModelCalibration? calibration,
    ITamEngine engine,
    FrameStream frames
) : IProgress<ExplainProgress>
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
        using var live = await Explainer.StartAsync(model, messages, OptionsOf(request), engine, this, either);
        var (explanation, wasStopped) = request.WithMaps
            ? await ReadAsync(live, either, cancel)
            : await WriteAsync(live, either, cancel);
        var seen = request.Options.Completion.Region?.Apply(messages) ?? messages;
        var supports = request.WithVerdicts ? await MeasureAsync(seen, explanation, cancel) : [];
        if (request.WithMaps)
        {
            await SaveAsync(explanation, supports, new RunFiles(request.Folder), cancel);
        }

        return new DoneEvent(
            explanation.Answer,
            explanation.Thought,
            explanation.StopReason,
            wasStopped,
            live.PromptTokenCount,
            explanation.Maps.Answer.Count,
            explanation.Trace.Run.Seconds,
            request.WithMaps ? calibration?.Describe() : null,
            request.WithMaps ? explanation.Trace.RegionChanges : null
        );
    }

    void IProgress<ExplainProgress>.Report(ExplainProgress value)
    {
        // Maps of a whole answer are no phase of their own: nobody waits for them.
        if (value.Stage != "maps")
        {
            Send(FrameKind.Progress, ProgressEvent.Of(value.Stage, value.Done, value.Total));
        }
    }

    private ExplainOptions OptionsOf(WorkerRequest request)
    {
        var options = request.Options;
        return calibration is null
            ? options
            : options with
            {
                // Verdicts alone look at the map's concentration, which TAM on the last states has for nothing.
                Tam = request is { UsesCalibration: true, WithMaps: true }
                    ? calibration.Apply(options.Tam)
                    : options.Tam,
                Layers = request.WithVerdicts ? [.. options.Layers, calibration.PresenceLayer] : options.Layers,
            };
    }

    /// <summary>Sends each token with its maps.</summary>
    private async Task<(Explanation Explanation, bool WasStopped)> ReadAsync(
        LiveExplanation live,
        CancellationToken either,
        CancellationToken cancel
    )
    {
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
        return (live.Finish(), wasStopped);
    }

    /// <summary>Sends each token, and explains the whole answer for its verdicts.</summary>
    private async Task<(Explanation Explanation, bool WasStopped)> WriteAsync(
        LiveExplanation live,
        CancellationToken either,
        CancellationToken cancel
    )
    {
        var answer = new AnswerText(MarkerIds.Find(model.Vocabulary), live.TokenIds[..live.PromptTokenCount]);
        var wasStopped = await frames.FollowAsync(
            live.WriteAsync(either),
            token => Send(FrameKind.Written, WrittenToken.Of(token, answer.Add(token), model.Vocabulary.GetBytes)),
            cancel
        );
        return (await live.ExplainWrittenAsync(cancel), wasStopped);
    }

    private async Task<IReadOnlyList<WordSupport>> MeasureAsync(
        IReadOnlyList<ChatTurn> messages,
        Explanation explanation,
        CancellationToken cancel
    )
    {
        Send(FrameKind.Progress, new ProgressEvent("verdict", 0, 1));
        var supports = await WordSupport.MeasureAsync(
            model,
            messages,
            explanation,
            calibration,
            cancellationToken: cancel
        );
        var words = supports.Select(support => WordEvidence.Of(support, explanation.Maps));
        frames.Write(FrameKind.Verdict, WireJson.BytesWithNulls(new VerdictEvent(calibration?.Describe(), [.. words])));
        Send(FrameKind.Progress, new ProgressEvent("verdict", 1, 1));
        return supports;
    }

    private async Task SaveAsync(
        Explanation explanation,
        IReadOnlyList<WordSupport> supports,
        RunFiles files,
        CancellationToken cancel
    )
    {
        Send(FrameKind.Progress, new ProgressEvent("report", 0, 1));
        var (trace, maps) = (explanation.Trace, explanation.Maps);
        await StorageException.GuardAsync(async () =>
        {
            TraceFile.Save(trace, files.PathOf(RunFiles.Trace));
            WholeFile.Write(
                files.PathOf(RunFiles.Maps),
                stream => MapsJson.Write(trace, maps, stream, supports, calibration?.Describe())
            );
            await HtmlReport.WriteAsync(
                trace,
                maps,
                files.PathOf(RunFiles.Report),
                new HtmlReportOptions { Supports = supports, Calibration = calibration?.Describe() },
                cancel
            );
        });
        Send(FrameKind.Progress, new ProgressEvent("report", 1, 1));
    }

    private void Send<T>(FrameKind kind, T content) => frames.Write(kind, WireJson.Bytes(content));
}
