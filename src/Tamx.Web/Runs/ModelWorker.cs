using Microsoft.Extensions.Logging;
using Tamx.Web.Wire;

namespace Tamx.Web.Runs;

/// <summary>Keeps a worker running: starts it, loads the model, and starts another when it ends.</summary>
internal sealed partial class ModelWorker : IAsyncDisposable
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly ServerOptions _options;
    private readonly string _temporaryFolder;
    private readonly ILogger _logger;
    private readonly ILogger _workerLogger;
    private readonly CancellationTokenSource _ending = new();
    private readonly Lock _gate = new();
    private readonly Task _supervision;
    private TaskCompletionSource<WorkerProcess> _ready = NewReady();
    private WorkerProcess? _process;
    private int _failures;

    public ModelWorker(ServerOptions options, string temporaryFolder, ILoggerFactory loggers)
    {
        _logger = loggers.CreateLogger(LogCategories.Server);
        _workerLogger = loggers.CreateLogger(LogCategories.Worker);
        _options = options;
        _temporaryFolder = temporaryFolder;
        _supervision = Task.Run(SuperviseAsync);
    }

    /// <summary>How often a worker has ended, or failed to load, while it was wanted.</summary>
    public int RestartCount { get; private set; }

    /// <summary>Id of the worker's process; null while there is none.</summary>
    public int? ProcessId => _process?.Id;

    /// <summary>What is loaded; as it was last while a new worker loads it again.</summary>
    public ModelDescription? Model { get; private set; }

    /// <summary>Whether a request would be worked on at once.</summary>
    public bool IsReady
    {
        get
        {
            lock (_gate)
            {
                return _ready.Task.IsCompletedSuccessfully && !_ready.Task.Result.IsGone;
            }
        }
    }

    /// <summary>The worker with its model loaded.</summary>
    /// <param name="onLoading">
    /// Told now and then how much of the model is loaded, in [0, 1], while that must be waited for.
    /// </param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="WorkerDiedException">The worker ended while it loaded.</exception>
    /// <exception cref="InvalidInputException">The model cannot be loaded.</exception>
    public async Task<WorkerProcess> GetAsync(Func<double, Task>? onLoading, CancellationToken cancellationToken)
    {
        Task<WorkerProcess> ready;
        lock (_gate)
        {
            if (_ready.Task.IsCompletedSuccessfully && _ready.Task.Result.IsGone)
            {
                // It ended while nothing was wanted of it; the supervision is about to see that, too.
                _ready = NewReady();
            }

            ready = _ready.Task;
        }

        while (!ready.IsCompleted && onLoading is not null)
        {
            await onLoading(_process?.LoadedShare ?? 0);
            await Task.WhenAny(ready, Task.Delay(100, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }

        return await ready.WaitAsync(cancellationToken);
    }

    /// <summary>Notes that a request was served: what went wrong before counts no more.</summary>
    public void NoteSuccess() => _failures = 0;

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _supervision;
        _ending.Dispose();
    }

    private static TaskCompletionSource<WorkerProcess> NewReady() =>
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>No pause after a first failure, then a quarter of a second, doubled each time.</summary>
    private TimeSpan Pause() =>
        _failures < 2
            ? TimeSpan.Zero
            : TimeSpan.FromSeconds(
                Math.Min(LongestPause.TotalSeconds, 0.25 * Math.Pow(2, Math.Min(_failures, 20) - 2))
            );

    private async Task SuperviseAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            Exception? fault = null;
            try
            {
                await Task.Delay(Pause(), _ending.Token);
                await using var process = WorkerProcess.Start(_options.WorkerCommand, _temporaryFolder, _workerLogger);
                _process = process;
                using var ending = _ending.Token.Register(process.Kill);
                await process.LoadAsync(_options.Model, _options.Engine, _options.Times.Loading);
                Model = process.Model;
                Ready(process);
                await process.Exited.WaitAsync(_ending.Token);
            }
            catch (OperationCanceledException)
            {
                fault = new WorkerDiedException("the server is closing down");
            }
            catch (Exception e)
            {
                fault = e;
            }

            _process = null;
            if (Model is null)
            {
                // What never loaded is a mistake of whoever starts the server, who is told.
                Fail(fault);
                return;
            }

            if (!_ending.IsCancellationRequested)
            {
                _failures++;
                RestartCount++;
                LogRestart(_logger, fault?.Message ?? "the model's process ended", Pause().TotalSeconds);
            }

            Fail(fault);
        }
    }

    private void Ready(WorkerProcess process)
    {
        lock (_gate)
        {
            _ready.SetResult(process);
        }
    }

    /// <summary>Tells those that wait of a fault in loading; whoever comes next waits for the next worker.</summary>
    private void Fail(Exception? fault)
    {
        lock (_gate)
        {
            if (_ready.Task.IsCompleted)
            {
                _ready = NewReady();
            }
            else if (fault is not null)
            {
                _ready.SetException(fault);
                _ = _ready.Task.Exception;
                _ready = _ending.IsCancellationRequested ? _ready : NewReady();
            }
        }
    }

    [LoggerMessage(
        EventId = 3,
        EventName = "WorkerRestarting",
        Level = LogLevel.Error,
        Message = "{Fault}; the next worker is started in {Seconds} seconds"
    )]
    private static partial void LogRestart(ILogger logger, string fault, double seconds);
}
