using System.Globalization;
using System.Text.Json;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;

namespace Tamx.Web.Requests;

/// <summary>Reads messages that came over a network, and gathers the files that their sources name.</summary>
/// <remarks>
/// <see cref="ConversationReader"/> reads them as it reads those of the command line. Pictures and videos are data URLs
/// or uploads of the same request. No code here opens a file or an address, and no picture is decoded: that is for the
/// worker.
/// </remarks>
internal sealed class MessageResolver(RequestLimits limits, IReadOnlyDictionary<string, Upload> uploads)
{
    private const int MaxMessages = 100;
    private const int MaxParts = 200;
    private const string UploadScheme = "upload:";

    private readonly List<ReadOnlyMemory<byte>> _files = [];
    private readonly Dictionary<string, int> _uploaded = new(StringComparer.Ordinal);
    private int _characters;
    private int _pictures;
    private int _videos;
    private int _frames;

    /// <summary>The files that the messages so far name.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Files => _files;

    /// <summary>What was taken out of the messages' JSON.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Media { get; init; } = [];

    /// <summary>Rate and number of a video's frames where its part says nothing.</summary>
    public VideoSampling Sampling { get; init; } = new();

    /// <summary>Reads a conversation.</summary>
    /// <exception cref="ApiException">It is no conversation, or beyond the limits; the message says where.</exception>
    public List<ParsedMessage> Read(JsonElement messages)
    {
        try
        {
            var reader = new ConversationReader
            {
                MaxMessages = MaxMessages,
                MaxParts = MaxParts,
                Sampling = Sampling,
                Media = Media,
            };
            return [.. reader.Read(messages).Select(Resolve)];
        }
        catch (InvalidInputException e)
        {
            throw ApiException.BadRequest("invalid_messages", e.Message);
        }
    }

    /// <summary>A text, counted towards the limit.</summary>
    public string CountText(string text)
    {
        _characters += text.Length;
        return _characters <= limits.MaxTextCharacters
            ? text
            : throw ApiException.BadRequest(
                "text_too_long",
                FormattableString.Invariant($"the text has more than {limits.MaxTextCharacters:N0} characters in all")
            );
    }

    private ParsedMessage Resolve(ParsedMessage message, int index) =>
        message.Parts.Count > 0 || message.Thought is not null
            ? message with
            {
                Parts = [.. message.Parts.Select(Resolve)],
                Thought = message.Thought is null ? null : CountText(message.Thought),
            }
            : throw ApiException.BadRequest(
                "invalid_messages",
                $"message {index} needs a content: a text, or a list of 1 to {MaxParts} parts"
            );

    private ParsedPart Resolve(ParsedPart part) =>
        part switch
        {
            ParsedText text => new ParsedText(CountText(text.Text)),
            ParsedPicture picture => picture with { Source = ResolvePicture(picture.Source) },
            ParsedVideo video => ResolveVideo(video),
            _ => throw new ArgumentOutOfRangeException(nameof(part)),
        };

    private MediaSource ResolvePicture(MediaSource source) =>
        ++_pictures <= limits.MaxPictures
            ? Resolve(source, $"picture {_pictures}", limits.MaxPictureBytes)
            : throw ApiException.BadRequest("too_many_pictures", $"there are more than {limits.MaxPictures} pictures");

    private ParsedVideo ResolveVideo(ParsedVideo video)
    {
        var title = $"video {++_videos}";
        if (video.Sampling.MaxFrames > limits.MaxFrames)
        {
            var field = video.Sampling.FrameCount is null ? "max_frames" : "nframes";
            throw Json.Fault($"{video.Place}: {field}", $"must be a whole number from 1 to {limits.MaxFrames}");
        }

        if (!video.IsFrameList)
        {
            var file = Resolve(video.Sources[0], title, limits.MaxBodyBytes);
            return video with { Place = file.Place, Sources = [file] };
        }

        _frames += video.Sources.Count;
        if (_frames > limits.MaxFrames)
        {
            throw ApiException.BadRequest(
                "too_many_frames",
                $"{video.Place}: all videos together may have {limits.MaxFrames} frames"
            );
        }

        var frames = video.Sources.Select(
            (frame, index) => Resolve(frame, title, limits.MaxPictureBytes) with { Place = $"{title}, frame {index}" }
        );
        return video with { Place = title, Sources = [.. frames] };
    }

    /// <summary>The source as the worker knows it: the index of a file, and what to call it.</summary>
    private MediaSource Resolve(MediaSource source, string title, long maxBytes)
    {
        if (!source.Text.StartsWith(UploadScheme, StringComparison.Ordinal))
        {
            return source.Decode() is { } data ? Named(title, Add(data, source, maxBytes)) : throw Refused(source);
        }

        var key = source.Text[UploadScheme.Length..];
        var upload =
            uploads.GetValueOrDefault(key)
            ?? throw ApiException.BadRequest(
                "upload_missing",
                $"{source.Place} names an upload that is no part of the form"
            );
        if (!_uploaded.TryGetValue(key, out var file))
        {
            file = _uploaded[key] = Add(upload.Content, source, maxBytes);
        }

        return Named(upload.FileName, file);
    }

    private static MediaSource Named(string title, int file) => new(title, file.ToString(CultureInfo.InvariantCulture));

    /// <summary>The error for a name. It is not repeated: it may be anything.</summary>
    private static ApiException Refused(MediaSource source) =>
        ApiException.BadRequest(
            "source_refused",
            $"{source.Place} names a file or an address; only data URLs (data:image/png;base64,...), "
                + "base64 of a picture and uploads (upload:NAME) are read"
        );

    private int Add(ReadOnlyMemory<byte> content, MediaSource source, long maxBytes)
    {
        if (content.Length > maxBytes)
        {
            throw new ApiException(
                413,
                "picture_too_large",
                FormattableString.Invariant(
                    $"{source.Place} has {content.Length:N0} bytes; at most {maxBytes:N0} are accepted"
                )
            );
        }

        _files.Add(content);
        return _files.Count - 1;
    }
}
