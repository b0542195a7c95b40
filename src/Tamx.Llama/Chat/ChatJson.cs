using System.Text.Json;
using Tamx.Llama.Media;

namespace Tamx.Llama.Chat;

/// <summary>Reads conversations from JSON.</summary>
/// <remarks>
/// A list of messages, or an object whose <c>messages</c> is one; <see cref="MessageShapes"/> says how they may be written. A picture or video is a data URL
/// (<c>data:image/png;base64,...</c>), base64 or, where the caller allows it, a local path or <c>file://</c> URL. Nothing is ever fetched from a network.
/// </remarks>
public static class ChatJson
{
    private const int MaxMessages = 1000;
    private const int MaxParts = 1000;
    private const int MaxShownPath = 200;

    /// <summary>Reads a conversation from a file. Relative paths in it are relative to the file's folder.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Ends the reading of videos.</param>
    /// <exception cref="InvalidInputException">The file cannot be read or is no conversation; the message says where.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static IReadOnlyList<ChatMessage> Open(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        byte[] json;
        try
        {
            json = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"{path}: {(e is FileNotFoundException or DirectoryNotFoundException ? "no such file" : e.Message)}", e);
        }

        return Parse(json, path, Path.GetDirectoryName(Path.GetFullPath(path)), cancellationToken);
    }

    /// <summary>Reads a conversation.</summary>
    /// <param name="json">UTF-8 JSON.</param>
    /// <param name="name">What messages call the source.</param>
    /// <param name="localFolder">
    /// The folder that relative paths of pictures and videos are relative to; null to refuse local files, as for anything that came over a network.
    /// </param>
    /// <param name="cancellationToken">Ends the reading of videos.</param>
    /// <exception cref="InvalidInputException">It is no conversation; the message says where.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static IReadOnlyList<ChatMessage> Parse(
        ReadOnlyMemory<byte> json, string name, string? localFolder, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        try
        {
            using var document = JsonDocument.Parse(JsonText.Check(json, name), new JsonDocumentOptions { MaxDepth = 16 });
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("messages", out var inner))
            {
                root = inner;
            }

            if (root.ValueKind != JsonValueKind.Array || root.GetArrayLength() == 0)
            {
                throw Fault(name, "", "is no list of messages; it must be [{\"role\": \"user\", \"content\": ...}, ...]");
            }

            if (root.GetArrayLength() > MaxMessages)
            {
                throw Fault(name, "", $"has {root.GetArrayLength()} messages; at most {MaxMessages} are accepted");
            }

            return [.. root.EnumerateArray().Select((message, index) => ReadMessage(message, name, $"message {index}", localFolder, cancellationToken))];
        }
        catch (JsonException e)
        {
            throw new InvalidInputException($"{name}: is no JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})", e);
        }
    }

    private static ChatMessage ReadMessage(JsonElement message, string name, string where, string? localFolder, CancellationToken cancellationToken)
    {
        try
        {
            var shape = MessageShapes.Read(message, where, new VideoSampling(), MaxParts);
            return new ChatMessage(shape.Role, [.. shape.Parts.Select(part => ReadPart(part, name, localFolder, cancellationToken))]);
        }
        catch (InvalidInputException e) when (e.Message.StartsWith(where, StringComparison.Ordinal))
        {
            throw new InvalidInputException($"{name}: {e.Message}", e);
        }
    }

    private static ChatPart ReadPart(PartShape part, string name, string? localFolder, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return part switch
        {
            TextShape text => new TextPart(text.Text),
            PictureShape picture => ReadImage(picture.Source, name, localFolder) with { Bounds = picture.Bounds },
            VideoShape video => ReadVideo(video, name, localFolder, cancellationToken) with { Bounds = video.Bounds },
            _ => throw new ArgumentOutOfRangeException(nameof(part)),
        };
    }

    private static ImagePart ReadImage(MediaSource source, string name, string? localFolder)
    {
        if (source.Text.Length == 0)
        {
            throw Fault(name, source.Where, "has an image without data; give a data URL or a local path");
        }

        return source.Decode() is { } encoded
            ? new ImagePart(encoded, $"{name}: {source.Where}")
            : ImagePart.FromFile(LocalPath(source, name, localFolder));
    }

    private static VideoPart ReadVideo(VideoShape video, string name, string? localFolder, CancellationToken cancellationToken)
    {
        var title = $"{name}: {video.Where}";
        if (video.IsFrameList)
        {
            var frames = new List<ImagePart>(video.Sources.Count);
            foreach (var frame in video.Sources)
            {
                cancellationToken.ThrowIfCancellationRequested();
                frames.Add(ReadImage(frame, name, localFolder));
            }

            return VideoPart.FromFrames(frames, video.Sampling, title);
        }

        var source = video.Sources[0];
        if (source.Text.Length == 0)
        {
            throw Fault(name, video.Where, "has no video; it must be a data URL of a video or an animated GIF or WebP, a list of pictures, or a local file or folder");
        }

        return source.Decode() is { } encoded
            ? source.IsPictureUrl ? VideoPart.FromAnimation(encoded, title, video.Sampling, cancellationToken)
                : VideoPart.FromBytes(encoded, title, video.Sampling, cancellationToken)
            : VideoPart.FromFile(LocalPath(source, name, localFolder), video.Sampling, cancellationToken);
    }

    private static string LocalPath(MediaSource source, string name, string? localFolder)
    {
        if (localFolder is null)
        {
            throw Fault(name, source.Where, "names a file or address; only data URLs (data:image/png;base64,...) are accepted here");
        }

        string path;
        try
        {
            path = LocalFile.Resolve(source.Text, localFolder);
        }
        catch (InvalidInputException e)
        {
            throw Fault(name, source.Where, e.Message);
        }

        // What is no path and too long for one, is data that lost its head on the way; nobody wants to read it.
        return source.Text.Length <= MaxShownPath || Path.Exists(path) ? path : throw Fault(
            name, source.Where, $"has {source.Text.Length} characters that are no file here, no data URL and no base64 of a picture");
    }

    private static InvalidInputException Fault(string name, string where, string what) => new(where.Length == 0 ? $"{name}: {what}" : $"{name}: {where} {what}");
}
