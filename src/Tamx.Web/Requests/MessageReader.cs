using System.Text.Json;
using Tamx.Llama.Chat;
using Tamx.Web.Worker;

namespace Tamx.Web.Requests;

/// <summary>Reads OpenAI-style messages that came over a network.</summary>
/// <remarks>
/// Pictures and videos are data URLs or uploads of the same request. There is no code here that opens a file or an address, so that no spelling of one needs
/// to be told from a harmless one; <c>ChatJson</c>, which reads conversations from the user's own files, is not used. Nothing is decoded either: that is for the worker.
/// </remarks>
internal sealed class MessageReader(RequestLimits limits, IReadOnlyDictionary<string, Upload> uploads)
{
    private const int MaxMessages = 100;
    private const int MaxParts = 200;
    private const string UploadScheme = "upload:";

    private readonly List<byte[]> _files = [];
    private readonly Dictionary<string, int> _uploaded = new(StringComparer.Ordinal);
    private int _characters;
    private int _pictures;
    private int _videos;
    private int _frames;

    /// <summary>The files that the messages read so far name.</summary>
    public IReadOnlyList<byte[]> Files => _files;

    /// <summary>Rate and number of a video's frames where its part says nothing.</summary>
    public VideoSampling Sampling { get; init; } = new();

    /// <summary>Reads a conversation.</summary>
    /// <exception cref="ApiException">It is no conversation, or beyond the limits; the message says where.</exception>
    public List<MessageContent> Read(JsonElement messages)
    {
        if (messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() is 0 or > MaxMessages)
        {
            throw Fault("messages", $"must be a list of 1 to {MaxMessages} messages");
        }

        return [.. messages.EnumerateArray().Select((message, index) => ReadMessage(message, $"message {index}"))];
    }

    /// <summary>A text, counted towards the limit.</summary>
    public string CountText(string text)
    {
        _characters += text.Length;
        return _characters <= limits.MaxTextCharacters
            ? text
            : throw ApiException.BadRequest("text_too_long", FormattableString.Invariant($"the text has more than {limits.MaxTextCharacters:N0} characters in all"));
    }

    private MessageContent ReadMessage(JsonElement message, string where)
    {
        var role = Json.Text(message, "role") switch
        {
            "system" or "developer" => ChatRole.System,
            "user" => ChatRole.User,
            "assistant" => ChatRole.Assistant,
            _ => throw Fault(where, "needs a role: system, user or assistant"),
        };
        var content = Json.Find(message, "content");
        if (content?.ValueKind == JsonValueKind.String)
        {
            return new MessageContent(role, [new PartContent(CountText(content.Value.GetString()!))]);
        }

        if (content?.ValueKind != JsonValueKind.Array || content.Value.GetArrayLength() is 0 or > MaxParts)
        {
            throw Fault(where, $"needs a content: a text, or a list of 1 to {MaxParts} parts");
        }

        return new MessageContent(role, [.. content.Value.EnumerateArray().Select((part, index) => ReadPart(part, $"{where}, part {index}"))]);
    }

    private PartContent ReadPart(JsonElement part, string where) => Json.Text(part, "type") switch
    {
        "text" => new PartContent(CountText(Json.Text(part, "text") ?? throw Fault(where, "has no text"))),
        "image_url" => ReadPicture(Source(part, "image_url"), where),
        "image" => ReadPicture(Source(part, "image"), where),
        "video" => ReadVideo(part, Json.Find(part, "video") is null ? "video_url" : "video", where),
        "video_url" => ReadVideo(part, "video_url", where),
        _ => throw Fault(where, "needs a type: text, image_url, image or video"),
    };

    private PartContent ReadPicture(string? source, string where)
    {
        if (++_pictures > limits.MaxPictures)
        {
            throw ApiException.BadRequest("too_many_pictures", $"there are more than {limits.MaxPictures} pictures");
        }

        var (file, name) = ReadFile(source, where, limits.MaxPictureBytes);
        return new PartContent(null, [file], name ?? $"picture {_pictures}");
    }

    private PartContent ReadVideo(JsonElement part, string property, string where)
    {
        var number = ++_videos;
        var sampling = Sampling with
        {
            FramesPerSecond = Json.Number(part, "fps", where) ?? Json.Number(part, "sample_fps", where) ?? Sampling.FramesPerSecond,
            MaxFrames = Json.Whole(part, "max_frames", where, 1, limits.MaxFrames) ?? Math.Min(Sampling.MaxFrames, limits.MaxFrames),
        };
        if (!(sampling.FramesPerSecond is >= 0.001 and <= 1000))
        {
            throw Fault(where, "has an fps that is not from 0.001 to 1000");
        }

        if (Json.Find(part, property) is { ValueKind: JsonValueKind.Array } list)
        {
            _frames += list.GetArrayLength();
            if (list.GetArrayLength() == 0 || _frames > limits.MaxFrames)
            {
                throw ApiException.BadRequest("too_many_frames", $"{where}: a video needs a frame at least, and all videos together may have {limits.MaxFrames}");
            }

            int[] files = [.. list.EnumerateArray().Select((frame, index) =>
                ReadFile(frame.ValueKind == JsonValueKind.String ? frame.GetString() : null, $"{where}, frame {index}", limits.MaxPictureBytes).File)];
            return new PartContent(null, files, $"video {number}", IsVideo: true, IsFrameList: true, sampling);
        }

        var (file, name) = ReadFile(Source(part, property), where, limits.MaxBodyBytes);
        return new PartContent(null, [file], name ?? $"video {number}", IsVideo: true, Sampling: sampling);
    }

    private (int File, string? Name) ReadFile(string? source, string where, long maxBytes)
    {
        if (source is null)
        {
            throw Fault(where, "has no data; give a data URL or upload:NAME");
        }

        string? name = null;
        byte[] content;
        if (source.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
        {
            content = DataUrl(source, where);
        }
        else if (source.StartsWith(UploadScheme, StringComparison.Ordinal))
        {
            var key = source[UploadScheme.Length..];
            var upload = uploads.GetValueOrDefault(key) ?? throw ApiException.BadRequest("upload_missing", $"{where} names an upload that is no part of the form");
            if (_uploaded.TryGetValue(key, out var known))
            {
                return (known, upload.FileName);
            }

            (content, name) = (upload.Content, upload.FileName);
            _uploaded[key] = _files.Count;
        }
        else
        {
            // Not repeated in the message: it may be anything.
            throw ApiException.BadRequest("source_refused", $"{where} names a file or an address; only data URLs (data:image/png;base64,...) and uploads (upload:NAME) are read");
        }

        if (content.Length > maxBytes)
        {
            throw new ApiException(413, "picture_too_large", FormattableString.Invariant($"{where} has {content.Length:N0} bytes; at most {maxBytes:N0} are accepted"));
        }

        _files.Add(content);
        return (_files.Count - 1, name);
    }

    private static byte[] DataUrl(string source, string where)
    {
        const string Marker = ";base64,";
        const int MaxHead = 100;
        var comma = source.AsSpan(0, Math.Min(source.Length, MaxHead)).IndexOf(Marker, StringComparison.OrdinalIgnoreCase);
        try
        {
            return comma < 0 ? throw Fault(where, "has a data URL without ;base64,") : Convert.FromBase64String(source[(comma + Marker.Length)..]);
        }
        catch (FormatException)
        {
            throw Fault(where, "has a data URL that is no base64");
        }
    }

    /// <summary>A picture's source: the property itself, or the <c>url</c> of the object that it is.</summary>
    private static string? Source(JsonElement part, string property) =>
        Json.Text(part, property) ?? (Json.Find(part, property) is { } inner ? Json.Text(inner, "url") : null);

    private static ApiException Fault(string where, string what) => ApiException.BadRequest("invalid_messages", $"{where} {what}");
}
