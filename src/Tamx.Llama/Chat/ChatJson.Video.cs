using System.Text.Json;

namespace Tamx.Llama.Chat;

/// <content>Reading videos.</content>
public static partial class ChatJson
{
    private const int MaxFrames = 10_000;

    private static VideoPart ReadVideo(JsonElement part, string name, string where, string? localFolder, CancellationToken cancellationToken)
    {
        var property = part.TryGetProperty("video", out var value) ? "video" : "video_url";
        var sampling = new VideoSampling();
        sampling = sampling with
        {
            FramesPerSecond = Number(part, "fps", name, where) ?? Number(part, "sample_fps", name, where) ?? sampling.FramesPerSecond,
            MaxFrames = (int)Math.Clamp(Number(part, "max_frames", name, where) ?? sampling.MaxFrames, 0, int.MaxValue),
        };
        if (value.ValueKind == JsonValueKind.Array)
        {
            return ReadFrames(value, sampling, name, where, localFolder, cancellationToken);
        }

        var source = Source(part, property, "url");
        if (string.IsNullOrEmpty(source))
        {
            throw Fault(name, where, "has no video; it must be a data URL of an animated GIF or WebP, a list of pictures, or a local file or folder");
        }

        return ReadDataUrl(source, name, where) is { } encoded
            ? VideoPart.FromAnimation(encoded, $"{name}: {where}", sampling, cancellationToken)
            : VideoPart.FromFile(LocalPath(source, name, where, localFolder), sampling, cancellationToken);
    }

    private static VideoPart ReadFrames(
        JsonElement list, VideoSampling sampling, string name, string where, string? localFolder, CancellationToken cancellationToken)
    {
        if (list.GetArrayLength() is 0 or > MaxFrames)
        {
            throw Fault(name, where, $"has a list of {list.GetArrayLength()} frames; it must have 1 to {MaxFrames}");
        }

        var frames = new List<ImagePart>(list.GetArrayLength());
        foreach (var frame in list.EnumerateArray())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var source = frame.ValueKind == JsonValueKind.String ? frame.GetString()! : throw Fault(name, where, $"has a frame {frames.Count} that is no text");
            frames.Add(ReadImage(source, name, $"{where}, frame {frames.Count}", localFolder));
        }

        return VideoPart.FromFrames(frames, sampling, $"{name}: {where}");
    }

    private static double? Number(JsonElement part, string property, string name, string where) => !part.TryGetProperty(property, out var value) ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number
        : throw Fault(name, where, $"has a {property} that is no number");
}
