using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Web.Wire;
using Tamx.Web.Worker;

namespace Tamx.Web.Runs;

#pragma warning disable RS0030 // It starts the one program that the server's owner named.

/// <summary>
/// A worker: the process in which the model runs, as its server sees it. Answers one request at a time.
/// </summary>
internal sealed partial class WorkerProcess : IAsyncDisposable
{
    /// <summary>How long a worker that was asked to stop may go on before it is killed.</summary>
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(1);

    /// <summary>By this variable the runtime is told what to run before a program's own code.</summary>
    private const string StartupHooks = "DOTNET_STARTUP_HOOKS";

    private readonly Process _process;
    private readonly ILogger _logger;
    private readonly FrameStream _frames;
    private readonly Channel<Frame> _received = Channel.CreateBounded<Frame>(
        new BoundedChannelOptions(16) { SingleReader = true, SingleWriter = true }
    );

    private volatile bool _isCutOff;

    private WorkerProcess(Process process, ILogger logger)
    {
        _process = process;
        _logger = logger;
        _frames = new FrameStream(process.StandardOutput.BaseStream, process.StandardInput.BaseStream);
        Id = process.Id;
        var exited = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Exited = exited.Task;
        process.Exited += (_, _) => exited.TrySetResult();
        process.EnableRaisingEvents = true;

        // Reading a pipe holds a thread until something comes. The pool has few, so these are threads of their own.
        StartThread("worker's frames", ReadFrames);
        StartThread("worker's log", () => ReadLog(process.StandardError));
    }

    /// <summary>The process's id.</summary>
    public int Id { get; }

    /// <summary>Completes when the process has ended.</summary>
    public Task Exited { get; }

    /// <summary>Whether it has ended, or its pipes have: the latter is seen a little earlier.</summary>
    public bool IsGone => _isCutOff || Exited.IsCompleted;

    /// <summary>Share of the model that is loaded, in [0, 1].</summary>
    public double LoadedShare { get; private set; }

    /// <summary>What it runs, once it is loaded.</summary>
    public ModelDescription? Model { get; private set; }

    /// <summary>Starts the process.</summary>
    /// <param name="command">Program and arguments; empty for this program, as <see cref="WorkerHook"/> has it.</param>
    /// <param name="temporaryFolder">Where it, and whatever it starts, may leave temporary files.</param>
    /// <param name="logger">Told what it writes to its standard error.</param>
    /// <exception cref="WorkerDiedException">The program cannot be started.</exception>
    public static WorkerProcess Start(IReadOnlyList<string> command, string temporaryFolder, ILogger logger)
    {
        var isThisProgram = command.Count == 0;
        command = isThisProgram ? ThisProgram() : command;
        var start = new ProcessStartInfo(command[0])
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in command.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["TMPDIR"] = temporaryFolder;
        start.Environment["TEMP"] = temporaryFolder;
        start.Environment["TMP"] = temporaryFolder;

        if (isThisProgram)
        {
            start.Environment[StartupHooks] = WorkerHook.Name;
        }

        // The runtime's diagnostic sockets would stay behind in /tmp when the process is killed.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        try
        {
            return new WorkerProcess(Process.Start(start)!, logger);
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            throw new WorkerDiedException($"{command[0]} cannot be started: {e.Message}", e);
        }
    }

    /// <summary>Makes the engine and loads the model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="engine">The engine.</param>
    /// <param name="patience">How long to wait for a sign of it.</param>
    /// <exception cref="WorkerDiedException">The process ended, or gave no sign and was ended.</exception>
    /// <exception cref="InvalidInputException">
    /// The model cannot be loaded, or the engine does not work here.
    /// </exception>
    public async Task LoadAsync(ModelOptions model, EngineOptions engine, TimeSpan patience)
    {
        await SendAsync(FrameKind.Load, WireJson.Bytes(new LoadCommand(model, engine, LeastLevel())));
        while (true)
        {
            switch (await ReadAsync(patience))
            {
                case { Kind: FrameKind.Progress, Content: var content }:
                    var progress = WireJson.Read<ProgressEvent>(content);
                    LoadedShare = progress.Done / progress.Total;
                    break;
                case { Kind: FrameKind.Loaded, Content: var content }:
                    Model = WireJson.Read<ModelDescription>(content);
                    return;
                case { Kind: FrameKind.Failed, Content: var content }:
                    throw WireJson.Read<FailedEvent>(content).ToException();
                case var frame:
                    throw new WorkerDiedException(
                        $"the model's process spoke out of turn while loading ({frame.Kind})"
                    );
            }
        }
    }

    /// <summary>Has a request worked on.</summary>
    /// <param name="request">The request.</param>
    /// <param name="files">Its files.</param>
    /// <param name="onEvent">Called with every event. If it throws, the request is cancelled.</param>
    /// <param name="stop">Write no more tokens, finish with those there are.</param>
    /// <param name="cancel">Throw the request away.</param>
    /// <exception cref="WorkerRefusedException">The worker refused or failed; it lives.</exception>
    /// <exception cref="WorkerDiedException">The process ended.</exception>
    /// <exception cref="OperationCanceledException">
    /// The request was cancelled, or stopped before there was a token.
    /// </exception>
    public async Task<DoneEvent> ExplainAsync(
        WorkerRequest request,
        IReadOnlyList<ReadOnlyMemory<byte>> files,
        Func<Frame, Task> onEvent,
        CancellationToken stop,
        CancellationToken cancel
    )
    {
        using var kill = new CancellationTokenSource();
        using var killing = kill.Token.Register(Kill);
        try
        {
            // A worker that does not even read is killed too. Stop and cancel frames wait until the files are sent.
            using var hurryStop = stop.Register(() => kill.CancelAfter(StopGrace));
            using var hurryCancel = cancel.Register(() => kill.CancelAfter(StopGrace));
            await SendAsync(FrameKind.Explain, WireJson.Bytes(request));
            foreach (var file in files)
            {
                await SendAsync(FrameKind.File, file);
            }

            using var stopping = stop.Register(() => AskToEnd(FrameKind.Stop));
            using var cancelling = cancel.Register(() => AskToEnd(FrameKind.Cancel));
            return await FollowAsync(onEvent, kill, AskToEnd, cancel);
        }
        catch (WorkerDiedException) when (kill.IsCancellationRequested || cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException("the model did not stop in time; its process was ended");
        }

        void AskToEnd(FrameKind kind)
        {
            kill.CancelAfter(StopGrace);
            _ = SendAsync(kind, default).ContinueWith(task => _ = task.Exception, TaskScheduler.Default);
        }
    }

    /// <summary>Passes a request's events on, up to the last.</summary>
    private async Task<DoneEvent> FollowAsync(
        Func<Frame, Task> onEvent,
        CancellationTokenSource kill,
        Action<FrameKind> askToEnd,
        CancellationToken cancel
    )
    {
        Exception? fault = null;
        while (true)
        {
            var frame = await ReadAsync();
            switch (frame.Kind)
            {
                case FrameKind.Done:
                    return fault is null ? WireJson.Read<DoneEvent>(frame.Content) : throw fault;
                case FrameKind.Failed:
                    var failed = WireJson.Read<FailedEvent>(frame.Content);
                    throw fault
                        ?? (
                            failed.Code == FailedEvent.Cancelled
                                ? new OperationCanceledException()
                                : new WorkerRefusedException(failed)
                        );
                case FrameKind.Stopped:
                    kill.CancelAfter(Timeout.InfiniteTimeSpan);
                    break;
                case FrameKind.Progress
                or FrameKind.Head
                or FrameKind.Written
                or FrameKind.Token
                or FrameKind.Verdict when fault is null && !cancel.IsCancellationRequested:
                    try
                    {
                        await onEvent(frame).WaitAsync(cancel);
                    }
                    catch (Exception e)
                    {
                        fault = e;
                        askToEnd(FrameKind.Cancel);
                    }

                    break;
            }
        }
    }

    /// <summary>Ends the process at once, with all that it started.</summary>
    public void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It has ended already.
        }
    }

    /// <summary>Asks the process to end, kills it if it does not, and waits until it is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended already.
        }

        if (await Task.WhenAny(Exited, Task.Delay(StopGrace)) != Exited)
        {
            Kill();
            await Exited;
        }

        _process.Dispose();
        _frames.Dispose();
    }

    /// <summary>How to start this program again: itself, or the runtime with its assembly.</summary>
    internal static string[] ThisProgram()
    {
        var program = Environment.ProcessPath ?? "dotnet";
        return Path.GetFileNameWithoutExtension(program).Equals("dotnet", StringComparison.OrdinalIgnoreCase)
            ? [program, Path.Combine(AppContext.BaseDirectory, $"{Assembly.GetEntryAssembly()!.GetName().Name}.dll")]
            : [program];
    }

    private static void StartThread(string name, ThreadStart work) =>
        new Thread(work) { Name = name, IsBackground = true }.Start();

    /// <summary>The least level that anybody listens to.</summary>
    private LogLevel LeastLevel() =>
        Enum.GetValues<LogLevel>().Order().First(level => level == LogLevel.None || _logger.IsEnabled(level));

    /// <summary>The next frame from the worker.</summary>
    private async Task<Frame> ReadAsync()
    {
        try
        {
            return await _received.Reader.ReadAsync();
        }
        catch (ChannelClosedException e)
        {
            var why = e.InnerException is { } fault ? $": {fault.Message}" : "";
            throw new WorkerDiedException($"the model's process ended{why}", e);
        }
    }

    /// <summary>The next frame from the worker, which is ended if it does not come in time.</summary>
    private async Task<Frame> ReadAsync(TimeSpan patience)
    {
        try
        {
            return await ReadAsync().WaitAsync(patience);
        }
        catch (TimeoutException e)
        {
            Kill();
            throw new WorkerDiedException(
                FormattableString.Invariant(
                    $"the model's process gave no sign for {patience.TotalSeconds} seconds while loading, and was ended"
                ),
                e
            );
        }
    }

    private void ReadFrames()
    {
        Exception? fault = null;
        try
        {
            while (_frames.Read() is { } frame)
            {
                if (frame.Kind == FrameKind.Log)
                {
                    var line = WireJson.Read<LogEvent>(frame.Content);
                    LogWorker(_logger, line.Level, Id, line.Text);
                    continue;
                }

                // A client that reads slowly slows the worker down.
                if (!_received.Writer.TryWrite(frame))
                {
                    _received.Writer.WriteAsync(frame).AsTask().Wait();
                }
            }
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or IOException or ObjectDisposedException)
        {
            fault = e;
        }

        // A worker that says nothing more, or makes no sense, is of no use.
        _isCutOff = true;
        Kill();
        _received.Writer.TryComplete(fault);
    }

    private async Task SendAsync(FrameKind kind, ReadOnlyMemory<byte> content)
    {
        try
        {
            await _frames.WriteAsync(kind, content);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            _isCutOff = true;
            Kill();
            throw new WorkerDiedException("the model's process ended", e);
        }
    }

    private void ReadLog(StreamReader lines)
    {
        try
        {
            while (lines.ReadLine() is { } line)
            {
                LogWorker(_logger, LogLevel.Warning, Id, line);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // It has ended.
        }
    }

    [LoggerMessage(EventId = 1, EventName = "WorkerLine", Message = "worker {Id}: {Line}")]
    private static partial void LogWorker(ILogger logger, LogLevel level, int id, string line);
}
