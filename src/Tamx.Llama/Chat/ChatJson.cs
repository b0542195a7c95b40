using System.Text.Json;

namespace Tamx.Llama.Chat;

/// <summary>Reads conversations from OpenAI-style JSON.</summary>
/// <remarks>
/// A list of messages, or an object whose <c>messages</c> is one. A message has a <c>role</c> (system, user, assistant) and a
/// <c>content</c>: text, or a list of parts. Parts: <c>{"type":"text","text":...}</c>,
/// <c>{"type":"image_url","image_url":{"url":...}}</c> and, as Qwen's own examples write it, <c>{"type":"image","image":...}</c>. A picture is a
/// data URL (<c>data:image/png;base64,...</c>) or, where the caller allows it, a local path. <c>{"type":"video","video":...}</c> (or <c>video_url</c>) is an animated GIF or
/// WebP as a data URL, a list of pictures, or a local video file or folder; <c>fps</c> (for a list <c>sample_fps</c> too) and <c>max_frames</c> beside it are the
/// <see cref="VideoSampling"/>. Nothing is ever fetched from a network.
/// </remarks>
public static partial class ChatJson
{
    private const int MaxMessages = 1000;
    private const int MaxParts = 1000;

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
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16 });
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
        if (message.ValueKind != JsonValueKind.Object)
        {
            throw Fault(name, where, "is no object");
        }

        var role = Text(message, "role") switch
        {
            "system" => ChatRole.System,
            "user" => ChatRole.User,
            "assistant" => ChatRole.Assistant,
            var other => throw Fault(name, where, $"has {(other is null ? "no role" : $"role \"{other}\"")}; it must be system, user or assistant"),
        };
        if (!message.TryGetProperty("content", out var content) || content.ValueKind is not (JsonValueKind.String or JsonValueKind.Array))
        {
            throw Fault(name, where, "has no content; it must be a text or a list of parts");
        }

        if (content.ValueKind == JsonValueKind.String)
        {
            return new ChatMessage(role, content.GetString()!);
        }

        if (content.GetArrayLength() > MaxParts)
        {
            throw Fault(name, where, $"has {content.GetArrayLength()} parts; at most {MaxParts} are accepted");
        }

        return new ChatMessage(
            role, [.. content.EnumerateArray().Select((part, index) => ReadPart(part, name, $"{where}, part {index}", localFolder, cancellationToken))]);
    }

    private static ChatPart ReadPart(JsonElement part, string name, string where, string? localFolder, CancellationToken cancellationToken)
    {
        if (part.ValueKind == JsonValueKind.String)
        {
            return new TextPart(part.GetString()!);
        }

        switch (part.ValueKind == JsonValueKind.Object ? Text(part, "type") : null)
        {
            case "text":
                return new TextPart(Text(part, "text") ?? throw Fault(name, where, "has no text"));
            case "image_url":
                return ReadImage(Source(part, "image_url", "url") ?? throw Fault(name, where, "has no image_url.url"), name, where, localFolder);
            case "image":
                return ReadImage(Source(part, "image", "url") ?? throw Fault(name, where, "has no image"), name, where, localFolder);
            case "video" or "video_url":
                return ReadVideo(part, name, where, localFolder, cancellationToken);
            case var type:
                throw Fault(name, where, $"has {(type is null ? "no type" : $"type \"{type}\"")}; it must be text, image_url, image or video");
        }
    }

    private static ImagePart ReadImage(string source, string name, string where, string? localFolder)
    {
        if (source.Length == 0)
        {
            throw Fault(name, where, "has an image without data; give a data URL or a local path");
        }

        return ReadDataUrl(source, name, where) is { } encoded
            ? new ImagePart(encoded, $"{name}: {where}")
            : ImagePart.FromFile(LocalPath(source, name, where, localFolder));
    }

    /// <summary>The bytes of a data URL; null if the source is none.</summary>
    private static byte[]? ReadDataUrl(string source, string name, string where)
    {
        if (!source.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        const string Marker = ";base64,";
        var comma = source.IndexOf(Marker, StringComparison.OrdinalIgnoreCase);
        if (comma < 0 || comma > 100)
        {
            throw Fault(name, where, "has a data URL without ;base64,");
        }

        try
        {
            return Convert.FromBase64String(source[(comma + Marker.Length)..]);
        }
        catch (FormatException e)
        {
            throw new InvalidInputException($"{name}: {where} has a data URL that is no base64", e);
        }
    }

    private static string LocalPath(string source, string name, string where, string? localFolder)
    {
        if (localFolder is null)
        {
            throw Fault(name, where, "names a file or address; only data URLs (data:image/png;base64,...) are accepted here");
        }

        if (source.StartsWith("file://", StringComparison.OrdinalIgnoreCase) && Uri.TryCreate(source, UriKind.Absolute, out var uri) && uri.IsLoopback)
        {
            source = uri.LocalPath;
        }
        else if (source.Contains("://", StringComparison.Ordinal))
        {
            throw Fault(name, where, "names an address; nothing is fetched from a network: give a local file or a data URL");
        }

        if (source.Contains('\0', StringComparison.Ordinal))
        {
            throw Fault(name, where, "names a file with a zero byte");
        }

        return Path.Combine(localFolder, source);
    }

    /// <summary>A picture's source: the text itself, or the property of an object.</summary>
    private static string? Source(JsonElement part, string property, string inner) =>
        Text(part, property) ?? (part.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.Object ? Text(value, inner) : null);

    private static string? Text(JsonElement element, string property) =>
        element.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static InvalidInputException Fault(string name, string where, string what) => new(where.Length == 0 ? $"{name}: {what}" : $"{name}: {where} {what}");
}
