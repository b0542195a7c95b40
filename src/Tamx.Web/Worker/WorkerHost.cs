using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Tamx.Kernels;
using Tamx.Llama;

namespace Tamx.Web.Worker;

/// <summary>The process that runs the model, and the engine, for a server: whatever ends it, the server lives.</summary>
/// <remarks>It reads commands from its standard input and answers on its standard output, frame by frame. The end of its input is the end of it.</remarks>
public static partial class WorkerHost
{
    /// <summary>How long work in progress may take to notice that it is over.</summary>
    private static readonly TimeSpan EndGrace = TimeSpan.FromSeconds(2);

    /// <summary>Serves one server until it closes the input.</summary>
    /// <param name="input">Commands.</param>
    /// <param name="output">Events.</param>
    /// <returns>0, or 1 if the model could not be loaded or the input made no sense.</returns>
    public static async Task<int> RunAsync(Stream input, Stream output)
    {
        using var frames = new FrameStream(input, output);
        VisionLanguageModel? model = null;
        ITamEngine? engine = null;
        using var ending = new CancellationTokenSource();
        CancellationTokenSource? stop = null;
        CancellationTokenSource? cancel = null;
        var work = Task.FromResult(true);
        try
        {
            while (frames.Read() is { } frame)
            {
                switch (frame.Kind)
                {
                    // Loading goes on beside the reading, so that a server's end is noticed during it.
                    case FrameKind.Load:
                        work = Task.Run(async () =>
                        {
                            (model, engine) = await LoadAsync(frames, WireJson.Read<LoadCommand>(frame.Content), ending.Token);
                            return model is not null;
                        });
                        break;
                    case FrameKind.Explain:
                        var command = WireJson.Read<ExplainCommand>(frame.Content);
                        var files = new byte[command.FileCount][];
                        for (var i = 0; i < files.Length; i++)
                        {
                            files[i] = frames.Read() is { Kind: FrameKind.File } file ? file.Content : throw new InvalidDataException("a file is missing");
                        }

                        // Not awaited: this thread reads, and it must not become one of the pool's.
                        if (!work.GetAwaiter().GetResult())
                        {
                            return 1;
                        }

                        var stopToken = (stop = new CancellationTokenSource()).Token;
                        var cancelToken = (cancel = CancellationTokenSource.CreateLinkedTokenSource(ending.Token)).Token;
                        work = Task.Run(async () =>
                        {
                            await new ExplainJob(model!, engine!, frames).RunAsync(command, files, stopToken, cancelToken);
                            (command, files) = (null!, null!);
                            ReturnMemory();
                            return true;
                        });
                        break;
                    case FrameKind.Stop:
                        stop?.Cancel();
                        break;
                    case FrameKind.Cancel:
                        cancel?.Cancel();
                        break;
                    default:
                        throw new InvalidDataException($"{frame.Kind} is no command");
                }
            }

            return 0;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or System.Text.Json.JsonException)
        {
            return 1;
        }
        finally
        {
            await ending.CancelAsync();
            if (await Task.WhenAny(work, Task.Delay(EndGrace)) != work)
            {
                // A native call that cannot be ended holds the process. Nobody waits for its result.
                using var self = Process.GetCurrentProcess();
                self.Kill();
            }

            model?.Dispose();
            engine?.Dispose();
            stop?.Dispose();
            cancel?.Dispose();
        }
    }

    /// <summary>
    /// A request leaves arrays of many megabytes, the next comes whenever it comes. Left alone, the collector would keep them until then and grow by the largest of them.
    /// </summary>
    private static void ReturnMemory() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    private static async Task<(VisionLanguageModel? Model, ITamEngine? Engine)> LoadAsync(
        FrameStream frames, LoadCommand command, CancellationToken cancellationToken)
    {
        ITamEngine? engine = null;
        try
        {
            engine = TamEngine.Create(command.Engine, line => LogEngine(LlamaRuntime.Logger, line));
            var progress = new LoadProgress(frames);
            var model = await VisionLanguageModel.LoadAsync(command.Model, progress, cancellationToken);
            frames.Write(FrameKind.Loaded, WireJson.Bytes(new ModelDescription(
                model.Facts.Name ?? Path.GetFileNameWithoutExtension(model.Facts.Path),
                model.Facts.Architecture,
                model.Facts.Quantization,
                model.Facts.ContextLength,
                model.Projector is not null,
                Llama.Media.Video.FfmpegPath is not null)));
            return (model, engine);
        }
        catch (Exception e)
        {
            engine?.Dispose();
            frames.Write(FrameKind.Failed, WireJson.Bytes(Faults.Describe(e)));
            return (null, null);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "maps: {Line}")]
    private static partial void LogEngine(ILogger logger, string line);

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
