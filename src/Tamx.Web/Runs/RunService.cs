using System.Globalization;
using Microsoft.Extensions.Logging;
using Tamx.Llama;
using Tamx.Web.Requests;
using Tamx.Web.Wire;

namespace Tamx.Web.Runs;

/// <summary>Takes requests through the queue to the worker, and their runs to the store.</summary>
internal sealed partial class RunService(
    ServerOptions options,
    ModelWorker worker,
    RunStore runs,
    ServerMetrics metrics,
    ILoggerFactory loggers
)
{
    /// <summary>How many of the largest bodies may be in memory together.</summary>
    private const int BodiesAtOnce = 3;

    private readonly ILogger _logger = loggers.CreateLogger(LogCategories.Server);
    private readonly ModelQueue _queue = NewQueue(options, worker, metrics);

    /// <summary>Who may use the model when.</summary>
    public ModelQueue Queue => _queue;

    /// <summary>Has a request worked on.</summary>
    /// <param name="request">The request.</param>
    /// <param name="place">Its place in the queue, which it gives back.</param>
    /// <param name="onEvent">Told of every event by name, with its JSON; if it throws, the run is cancelled.</param>
    /// <param name="clientGone">Cancelled when nobody waits for the answer any more.</param>
    /// <returns>The run, its files written if it was to be explained; else it is over and forgotten.</returns>
    /// <exception cref="ApiException">
    /// The request was refused, failed, took too long, or was stopped before there was a token.
    /// </exception>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    public async Task<(Run Run, DoneEvent Done)> RunAsync(
        ParsedRequest request,
        ModelQueue.Place place,
        Func<string, byte[], Task> onEvent,
        CancellationToken clientGone
    )
    {
        using var operation = metrics.Begin(worker.Model?.Name ?? "tamx", request.Options.Completion);
        try
        {
            return await RunAsync(request, place, onEvent, operation, clientGone);
        }
        catch (ApiException e)
        {
            operation.Fail(e.Code);
            throw;
        }
        catch (OperationCanceledException)
        {
            operation.Fail("cancelled");
            throw;
        }
    }

    private async Task<(Run Run, DoneEvent Done)> RunAsync(
        ParsedRequest request,
        ModelQueue.Place place,
        Func<string, byte[], Task> onEvent,
        GenAiOperation operation,
        CancellationToken clientGone
    )
    {
        using var held = place;
        var run = Begin(request.Prompt);
        var state = RunState.Failed;
        try
        {
            await onEvent("run", WireJson.Bytes(new { run = run.Id }));
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(clientGone, run.Stopping);
            await place.WaitAsync(position => onEvent("queued", WireJson.Bytes(new { position })), waiting.Token);
            var done = await WorkAsync(request, run, onEvent, operation, waiting.Token, clientGone);
            worker.NoteSuccess();
            metrics.AddAnswer(done);
            operation.End(done.PromptTokens, done.AnswerTokens, done.StopReason);
            run.Answer = done.Answer;
            state = done.WasStopped ? RunState.Stopped : RunState.Done;
            return (run, done);
        }
        catch (OperationCanceledException)
        {
            state = RunState.Cancelled;
            clientGone.ThrowIfCancellationRequested();
            var seconds = options.Limits.MaxSeconds.ToString(CultureInfo.InvariantCulture);
            throw run.Stopping.IsCancellationRequested
                ? new ApiException(409, "stopped", "the run was stopped before there was a token to explain")
                : new ApiException(
                    504,
                    "time_limit",
                    $"the model worked on this for {seconds} seconds, which is the limit; ask for less"
                );
        }
        catch (WorkerRefusedException e)
        {
            throw new ApiException(e.Fault.Status, e.Fault.Code, e.Fault.ToException().Describe(request.Fields.NameOf));
        }
        catch (WorkerDiedException)
        {
            throw new ApiException(
                503,
                "model_died",
                "the model's process ended while it worked on this; it is being restarted, try again",
                retryAfterSeconds: 1
            );
        }
        catch (InvalidInputException)
        {
            // Why, the server's log says; the message names files of this machine.
            throw new ApiException(
                503,
                "model_unavailable",
                "the model cannot be loaded; the server's log says why",
                retryAfterSeconds: 30
            );
        }
        finally
        {
            runs.Finish(run, state, request.WithMaps);
        }
    }

    private static ModelQueue NewQueue(ServerOptions options, ModelWorker worker, ServerMetrics metrics)
    {
        var queue = new ModelQueue(options.QueueLength, BodiesAtOnce * options.Limits.MaxBodyBytes);
        metrics.Observe(queue, worker);
        return queue;
    }

    private Run Begin(string prompt)
    {
        try
        {
            return runs.Add(prompt);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogStorage(_logger, e.Message);
            throw new ApiException(
                503,
                FailedEvent.CannotWrite,
                "the server cannot write a run's files; its log says why",
                retryAfterSeconds: 30
            );
        }
    }

    private async Task<WorkerProcess> GetWorkerAsync(
        Run run,
        Func<string, byte[], Task> onEvent,
        CancellationToken waiting
    )
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(waiting);
        limit.CancelAfter(options.Times.Worker);
        try
        {
            return await worker.GetAsync(
                share =>
                {
                    var progress = new ProgressEvent("load", Math.Round(share * 100), 100);
                    return TellAsync(run, onEvent, progress, WireJson.Bytes(progress));
                },
                limit.Token
            );
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !waiting.IsCancellationRequested)
        {
            throw new ApiException(
                503,
                "model_unavailable",
                FormattableString.Invariant(
                    $"the model was not loaded within {options.Times.Worker.TotalSeconds} seconds; try again later"
                ),
                retryAfterSeconds: 30
            );
        }
    }

    private static Task TellAsync(Run run, Func<string, byte[], Task> onEvent, ProgressEvent progress, byte[] json)
    {
        run.Phase = progress.Phase;
        return onEvent("progress", json);
    }

    /// <summary>Has the request worked on. One that a worker never began goes to the next, once.</summary>
    private async Task<DoneEvent> WorkAsync(
        ParsedRequest request,
        Run run,
        Func<string, byte[], Task> onEvent,
        GenAiOperation operation,
        CancellationToken waiting,
        CancellationToken clientGone
    )
    {
        for (var isSecond = false; ; isSecond = true)
        {
            var hasBegun = false;
            try
            {
                var process = await GetWorkerAsync(run, onEvent, waiting);
                run.State = RunState.Running;
                using var cancel = CancellationTokenSource.CreateLinkedTokenSource(clientGone);
                cancel.CancelAfter(TimeSpan.FromSeconds(options.Limits.MaxSeconds));
                return await process.ExplainAsync(
                    request.ForWorker(options.Limits, run.Files.Folder),
                    request.Files,
                    OnFrameAsync,
                    run.Stopping,
                    cancel.Token
                );
            }
            catch (WorkerDiedException) when (!hasBegun && !isSecond)
            {
                run.State = RunState.Queued;
            }

            Task OnFrameAsync(Frame frame)
            {
                hasBegun = true;
                if (frame.Kind == FrameKind.Written)
                {
                    operation.NoteToken();
                }

                return frame.Kind == FrameKind.Progress
                    ? TellAsync(run, onEvent, WireJson.Read<ProgressEvent>(frame.Content), frame.Content)
                    : onEvent(frame.Kind.ToString().ToLowerInvariant(), frame.Content);
            }
        }
    }

    [LoggerMessage(
        EventId = 2,
        EventName = "StorageFailed",
        Level = LogLevel.Error,
        Message = "a run's files cannot be written: {Why}"
    )]
    private static partial void LogStorage(ILogger logger, string why);
}
