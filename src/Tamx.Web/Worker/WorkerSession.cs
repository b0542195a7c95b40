using System.Diagnostics;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Media;
using Tamx.Web.Wire;

namespace Tamx.Web.Worker;

#pragma warning disable RS0030 // It runs in the worker, and ends its process.

/// <summary>A worker's time with one server: its model, its engine, and what it is working on.</summary>
internal sealed class WorkerSession(FrameStream frames) : IAsyncDisposable
{
    /// <summary>How long work in progress may take to notice that it is over.</summary>
    private static readonly TimeSpan EndGrace = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _ending = new();
    private VisionLanguageModel? _model;
    private ModelCalibration? _calibration;
    private ITamEngine? _engine;
    private CancellationTokenSource? _stop;
    private CancellationTokenSource? _cancel;

    /// <summary>What is being done: loading, or a request. False where the model cannot be loaded.</summary>
    private Task<bool> _work = Task.FromResult(true);

    /// <summary>Follows the server's commands until there are no more.</summary>
    /// <returns>False if the model could not be loaded.</returns>
    /// <exception cref="InvalidDataException">What came is no command.</exception>
    public bool Run()
    {
        while (frames.Read() is { } frame)
        {
            switch (frame.Kind)
            {
                case FrameKind.Load:
                    // Loading goes on beside the reading, so that a server's end is noticed during it.
                    var load = WireJson.Read<LoadCommand>(frame.Content);
                    _work = Task.Run(() => LoadAsync(load));
                    break;
                case FrameKind.Explain:
                    var request = WireJson.Read<WorkerRequest>(frame.Content);
                    var files = ReadFiles(request.FileCount);

                    // Not awaited: this thread reads, and it must not become one of the pool's.
                    if (!_work.GetAwaiter().GetResult())
                    {
                        return false;
                    }

                    Begin(request, files);
                    break;
                case FrameKind.Stop:
                    _stop?.Cancel();
                    break;
                case FrameKind.Cancel:
                    _cancel?.Cancel();
                    break;
                default:
                    throw new InvalidDataException($"{frame.Kind} is no command");
            }
        }

        return true;
    }

    /// <summary>Ends the work in progress, and the process if that does not end.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        if (await Task.WhenAny(_work, Task.Delay(EndGrace)) != _work)
        {
            // A native call that cannot be ended holds the process. Nobody waits for its result.
            EndProcess();
        }

        _model?.Dispose();
        _engine?.Dispose();
        _stop?.Dispose();
        _cancel?.Dispose();
        _ending.Dispose();
    }

    /// <summary>Gives back the many megabytes of a request's arrays.</summary>
    /// <remarks>
    /// The next request comes whenever it comes. Left alone, the collector would keep them until then and grow by the
    /// largest.
    /// </remarks>
    private static void ReturnMemory() =>
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    /// <summary>Ends this process at once; its server starts another.</summary>
    public static void EndProcess()
    {
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }

    private byte[][] ReadFiles(int count)
    {
        var files = new byte[count][];
        for (var i = 0; i < count; i++)
        {
            files[i] = frames.Read() is { Kind: FrameKind.File } file
                ? file.Content
                : throw new InvalidDataException("a file is missing");
        }

        return files;
    }

    private void Begin(WorkerRequest request, byte[][] files)
    {
        var stop = (_stop = new CancellationTokenSource()).Token;
        var cancel = (_cancel = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token)).Token;
        _work = Task.Run(async () =>
        {
            await new RequestJob(_model!, _calibration, _engine!, frames).RunAsync(request, files, stop, cancel);
            (request, files) = (null!, null!);
            ReturnMemory();
            return true;
        });
    }

    private async Task<bool> LoadAsync(LoadCommand command)
    {
        try
        {
            var loggers = new FrameLoggers(frames, command.Log);
            LlamaRuntime.Logger = loggers.CreateLogger(Llama.LogCategories.Native);
            _engine = EngineLog.Create(command.Engine, loggers);
            _model = await VisionLanguageModel.LoadAsync(
                command.Model with
                {
                    LoggerFactory = loggers,
                },
                new LoadProgress(frames),
                _ending.Token
            );
            _calibration = ModelCalibration.Find(_model.Facts);
            frames.Write(
                FrameKind.Loaded,
                WireJson.Bytes(
                    new ModelDescription(
                        _model.Name,
                        _model.Facts.Description,
                        _model.Facts.Architecture,
                        _model.Facts.Quantization,
                        _model.Facts.ContextLength,
                        _model.Projector is not null,
                        Video.FfmpegPath is not null,
                        _calibration?.Describe()
                    )
                )
            );
            return true;
        }
        catch (Exception e)
        {
            frames.Write(FrameKind.Failed, WireJson.Bytes(Faults.Describe(e)));
            return false;
        }
    }

    private sealed class LoadProgress(FrameStream frames) : IProgress<ModelLoadProgress>
    {
        private int _lastPercent = -1;

        public void Report(ModelLoadProgress value)
        {
            // llama.cpp tells of every tensor; a hundred steps are enough for anybody.
            var percent = (int)(value.Share * 100);
            if (percent != _lastPercent)
            {
                _lastPercent = percent;
                frames.Write(FrameKind.Progress, WireJson.Bytes(new ProgressEvent("load", percent, 100)));
            }
        }
    }
}
