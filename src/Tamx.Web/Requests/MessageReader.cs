using System.Text.Json;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;
using Tamx.Web.Worker;

namespace Tamx.Web.Requests;

/// <summary>Reads messages that came over a network.</summary>
/// <remarks>
/// Pictures and videos are data URLs or uploads of the same request. There is no code here that opens a file or an address, so that no spelling of one needs
/// to be told from a harmless one; <c>ChatJson</c>, which reads conversations from the user's own files, is not used, but both read the same shapes
/// (<see cref="MessageShapes"/>). No picture is decoded either: that is for the worker.
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
        MessageShape shape;
        try
        {
            shape = MessageShapes.Read(message, where, Sampling, MaxParts);
        }
        catch (InvalidInputException e)
        {
            throw ApiException.BadRequest("invalid_messages", e.Message);
        }

        return shape.Parts.Count > 0
            ? new MessageContent(shape.Role, [.. shape.Parts.Select(ReadPart)])
            : throw Fault(where, $"needs a content: a text, or a list of 1 to {MaxParts} parts");
    }

    private PartContent ReadPart(PartShape part) => part switch
    {
        TextShape text => new PartContent(CountText(text.Text)),
        PictureShape picture => ReadPicture(picture),
        VideoShape video => ReadVideo(video),
        _ => throw new ArgumentOutOfRangeException(nameof(part)),
    };

    private PartContent ReadPicture(PictureShape picture)
    {
        if (++_pictures > limits.MaxPictures)
        {
            throw ApiException.BadRequest("too_many_pictures", $"there are more than {limits.MaxPictures} pictures");
        }

        var (file, name) = ReadFile(picture.Source, limits.MaxPictureBytes);
        return new PartContent(null, [file], name ?? $"picture {_pictures}", Bounds: picture.Bounds);
    }

    private PartContent ReadVideo(VideoShape video)
    {
        var number = ++_videos;
        if (video.Sampling.MaxFrames > limits.MaxFrames)
        {
            throw Json.Fault($"{video.Where}: {(video.Sampling.FrameCount is null ? "max_frames" : "nframes")}", $"must be a whole number from 1 to {limits.MaxFrames}");
        }

        if (video.IsFrameList)
        {
            _frames += video.Sources.Count;
            if (_frames > limits.MaxFrames)
            {
                throw ApiException.BadRequest("too_many_frames", $"{video.Where}: all videos together may have {limits.MaxFrames} frames");
            }

            int[] files = [.. video.Sources.Select(frame => ReadFile(frame, limits.MaxPictureBytes).File)];
            return new PartContent(null, files, $"video {number}", IsVideo: true, IsFrameList: true, video.Sampling, video.Bounds);
        }

        var (file, name) = ReadFile(video.Sources[0], limits.MaxBodyBytes);
        return new PartContent(null, [file], name ?? $"video {number}", IsVideo: true, Sampling: video.Sampling, Bounds: video.Bounds);
    }

    private (int File, string? Name) ReadFile(MediaSource source, long maxBytes)
    {
        var where = source.Where;
        string? name = null;
        byte[]? content;
        if (source.Text.StartsWith(UploadScheme, StringComparison.Ordinal))
        {
            var key = source.Text[UploadScheme.Length..];
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
            content = Decode(source) ?? throw ApiException.BadRequest(
                "source_refused", $"{where} names a file or an address; only data URLs (data:image/png;base64,...), base64 of a picture and uploads (upload:NAME) are read");
        }

        if (content.Length > maxBytes)
        {
            throw new ApiException(413, "picture_too_large", FormattableString.Invariant($"{where} has {content.Length:N0} bytes; at most {maxBytes:N0} are accepted"));
        }

        _files.Add(content);
        return (_files.Count - 1, name);
    }

    private static byte[]? Decode(MediaSource source)
    {
        try
        {
            return source.Decode();
        }
        catch (InvalidInputException e)
        {
            throw ApiException.BadRequest("invalid_messages", e.Message);
        }
    }

    private static ApiException Fault(string where, string what) => ApiException.BadRequest("invalid_messages", $"{where} {what}");
}
