using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;
using Tamx.Report;

namespace Tamx.Web.Worker;

/// <summary>One request in the worker: pictures to messages, messages to tokens and maps, and these to the run's files.</summary>
internal sealed class ExplainJob(VisionLanguageModel model, ITamEngine engine, FrameStream frames) : IProgress<ExplainProgress>
{
    public async Task RunAsync(ExplainCommand command, byte[][] files, CancellationToken stop, CancellationToken cancel)
    {
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, cancel);
            var messages = ReadMessages(command, files, either.Token);
            using var live = await Explainer.StartAsync(model, messages, command.Options, engine, this, either.Token);
            var wasStopped = false;
            GrowingReport? report = null;
            try
            {
                await foreach (var token in live.ReadAsync(either.Token))
                {
                    if (report is null)
                    {
                        report = GrowingReport.Of(live);
                        frames.Write(FrameKind.Head, await report.HeadAsync(cancel));
                    }

                    frames.Write(FrameKind.Token, report.Next(token));
                }
            }
            catch (OperationCanceledException) when (report is not null && !cancel.IsCancellationRequested)
            {
                wasStopped = true;
                Send(FrameKind.Stopped, true);
            }

            await FinishAsync(live, command.Folder, wasStopped, cancel);
        }
        catch (Exception e)
        {
            // Where files lie on this machine is no affair of a client's.
            var fault = Faults.Describe(e);
            string?[] folders = [command.Folder, Path.GetDirectoryName(model.Facts.Path), Path.GetDirectoryName(model.Projector?.Path)];
            var message = folders.Where(folder => !string.IsNullOrEmpty(folder))
                .Aggregate(fault.Message, (text, folder) => text.Replace(folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal));
            Send(FrameKind.Failed, fault with { Message = message });
        }
    }

    void IProgress<ExplainProgress>.Report(ExplainProgress value) =>
        Send(FrameKind.Progress, new ProgressEvent(value.Stage == "encode" ? "image" : value.Stage, value.Done, value.Total));

    private async Task FinishAsync(LiveExplanation live, string folder, bool wasStopped, CancellationToken cancel)
    {
        Send(FrameKind.Progress, new ProgressEvent("report", 0, 1));
        var explanation = live.Finish();
        explanation.Trace.Save(Path.Combine(folder, RunFiles.Trace));
        WholeFile.Write(Path.Combine(folder, RunFiles.Maps), stream => MapsJson.Write(explanation.Trace, explanation.Maps, stream));
        await HtmlReport.WriteAsync(explanation.Trace, explanation.Maps, Path.Combine(folder, RunFiles.Report), cancellationToken: cancel);
        Send(FrameKind.Progress, new ProgressEvent("report", 1, 1));
        Send(FrameKind.Done, new DoneEvent(
            explanation.Answer, explanation.StopReason, wasStopped, live.PromptTokenCount, explanation.Maps.Answer.Count, explanation.Trace.Run.Seconds));
    }

    private static List<ChatMessage> ReadMessages(ExplainCommand command, byte[][] files, CancellationToken cancellationToken)
    {
        var messages = new List<ChatMessage>();
        var framesLeft = command.MaxFrames;
        foreach (var message in command.Messages)
        {
            var parts = new List<ChatPart>();
            foreach (var part in message.Parts)
            {
                cancellationToken.ThrowIfCancellationRequested();
                ChatPart read = part switch
                {
                    { Text: { } text } => new TextPart(text),
                    { IsVideo: false } => ReadPicture(files[part.Files![0]], part.Name!, command.Pictures) with { Bounds = part.Bounds },
                    _ => ReadVideo(part, files, command, framesLeft, cancellationToken) with { Bounds = part.Bounds },
                };
                framesLeft -= read is VideoPart video ? video.Seconds.Count : 0;
                parts.Add(read);
            }

            messages.Add(new ChatMessage(message.Role, parts));
        }

        return messages;
    }

    private static ImagePart ReadPicture(byte[] encoded, string name, ImageLimits limits)
    {
        RgbImage.CheckLimits(encoded, name, limits);
        return new ImagePart(encoded, name);
    }

    private static VideoPart ReadVideo(PartContent part, byte[][] files, ExplainCommand command, int framesLeft, CancellationToken cancellationToken)
    {
        if (framesLeft < 1)
        {
            throw new InvalidInputException($"{part.Name}: the videos before it have all the frames that are allowed; ask for fewer with maxFrames");
        }

        var sampling = part.Sampling! with { MaxFrames = Math.Min(part.Sampling!.MaxFrames, framesLeft) };
        if (part.IsFrameList)
        {
            return VideoPart.FromFrames(
                [.. part.Files!.Select((file, index) => ReadPicture(files[file], $"{part.Name}, frame {index}", command.Pictures))], sampling, part.Name);
        }

        var encoded = files[part.Files![0]];
        if (RgbImage.IsPicture(encoded))
        {
            RgbImage.CheckLimits(encoded, part.Name!, command.Pictures);
            return VideoPart.FromAnimation(encoded, part.Name!, sampling, cancellationToken);
        }

        // ffmpeg reads files only. Its name is made here; it goes with the run's uploads when the run is over.
        var path = Path.Combine(command.Folder, $"{RunFiles.VideoPrefix}{part.Files[0]}");
        File.WriteAllBytes(path, encoded);
        return VideoPart.FromFile(path, sampling, cancellationToken);
    }

    private void Send<T>(FrameKind kind, T content) => frames.Write(kind, WireJson.Bytes(content));
}
