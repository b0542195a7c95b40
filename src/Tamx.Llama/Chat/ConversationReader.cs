using System.Text;
using System.Text.Json;
using Tamx.Llama.Media;

namespace Tamx.Llama.Chat;

/// <summary>Reads conversations from JSON: the shapes of OpenAI, Qwen, transformers and Ollama.</summary>
/// <remarks>
/// <para>
/// A message has a <c>role</c> (system or developer, user, assistant), a <c>content</c> (a text, or a list of parts)
/// and, as Ollama writes it, <c>images</c>: a list of pictures that stand before the content. An assistant's message
/// may have its thought as <c>reasoning_content</c> (DeepSeek, llama.cpp), <c>reasoning</c> (vLLM) or <c>thinking</c>
/// (Ollama), and then needs no content. A part is a text or
/// <c>{"type": "text", "text": ...}</c>, a picture (<c>image</c>, <c>image_url</c>) or a video (<c>video</c>,
/// <c>video_url</c>). Its source stands under one name: that of either type, or <c>url</c>, <c>path</c>, <c>base64</c>.
/// <c>image_url</c> and <c>video_url</c> may be <c>{"url": ...}</c>.
/// </para>
/// <para>
/// A name that has no meaning is an error, so that no part of a message is lost unnoticed. A value of null, or an empty
/// list under an unknown name, says nothing and is passed over. Nothing is opened or fetched here: the command line and
/// the server read by the same code, and each decides what a source may name.
/// </para>
/// </remarks>
public sealed class ConversationReader
{
    internal const int MaxListedFrames = 10_000;
    private const string Roles = "system, developer, user or assistant";

    private static readonly string[] ThoughtNames = ["reasoning_content", "reasoning", "thinking"];
    private static readonly string[] MessageNames = ["role", "content", "images", .. ThoughtNames];
    private static readonly string[] SourceNames = ["url", "path", "base64"];
    private static readonly string[] PictureSources = ["image", "image_url", .. SourceNames];
    private static readonly string[] VideoSources = ["video", "video_url", .. SourceNames];
    private static readonly string[] BoundNames = ["min_pixels", "max_pixels", "resized_height", "resized_width"];
    private static readonly string[] PictureNames = ["type", .. PictureSources, .. BoundNames];

    private static readonly string[] VideoNames =
    [
        "type",
        .. VideoSources,
        .. BoundNames,
        "total_pixels",
        "fps",
        "sample_fps",
        "nframes",
        "min_frames",
        "max_frames",
        "video_start",
        "video_end",
    ];

    /// <summary>Names that choose among frames, for which a list of frames has no place.</summary>
    private static readonly string[] ChoiceNames = ["nframes", "min_frames", "video_start", "video_end"];

    private readonly string? _name;

    /// <summary>Creates a reader.</summary>
    /// <param name="name">
    /// What error messages call the source, before the place in it; null for the place alone.
    /// </param>
    public ConversationReader(string? name = null) => _name = name;

    /// <summary>Most messages. 1000 by default.</summary>
    public int MaxMessages { get; init; } = 1000;

    /// <summary>Most parts of a message, pictures before its content included. 1000 by default.</summary>
    public int MaxParts { get; init; } = 1000;

    /// <summary>Which frames of videos to show where their parts do not say.</summary>
    public VideoSampling Sampling { get; init; } = new();

    /// <summary>The names under which pictures and videos may stand, or lists of them.</summary>
    public static IReadOnlyList<string> AllSources { get; } =
    ["images", .. PictureSources.Union(VideoSources, StringComparer.Ordinal)];

    /// <summary>
    /// Sources that were taken out of the JSON, since a document takes several times their bytes: what stood between
    /// the quotes, with JSON's escapes. <see cref="PlaceOf"/> says what stands in their place. They are decoded when
    /// they are read.
    /// </summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Media { get; init; } = [];

    /// <summary>What stands in the JSON in place of a source: the inside of a string, which no source is.</summary>
    /// <param name="index">Which of <see cref="Media"/> it is.</param>
    public static byte[] PlaceOf(int index) => Encoding.ASCII.GetBytes($"\\u0000{index}");

    /// <summary>Reads a list of messages.</summary>
    /// <param name="messages">The list.</param>
    /// <exception cref="InvalidInputException">It is no conversation; the error says where.</exception>
    public IReadOnlyList<ParsedMessage> Read(JsonElement messages)
    {
        if (messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() == 0)
        {
            throw Fault("is no list of messages; it must be [{\"role\": \"user\", \"content\": ...}, ...]");
        }

        if (messages.GetArrayLength() > MaxMessages)
        {
            throw Fault($"has {messages.GetArrayLength()} messages; at most {MaxMessages} are accepted");
        }

        var head = _name is null ? "" : $"{_name}: ";
        return
        [
            .. messages
                .EnumerateArray()
                .Select((message, index) => ReadMessage(new(message, $"{head}message {index}"))),
        ];
    }

    private InvalidInputException Fault(string what) => new($"{_name ?? "messages"}: {what}");

    private ParsedMessage ReadMessage(PlacedJson message)
    {
        if (!message.IsObject)
        {
            throw message.Fault("is no object");
        }

        var role = ReadRole(message);
        message.RequireNames(MessageNames);
        var thought = ReadThought(message, role);
        var parts = ReadImages(message);
        switch (message.Find("content"))
        {
            case { ValueKind: JsonValueKind.String } text:
                parts.Add(new ParsedText(message.Spoken(text)));
                break;
            case { ValueKind: JsonValueKind.Array } list:
                CheckPartCount(parts.Count + list.GetArrayLength());
                parts.AddRange(
                    list.EnumerateArray().Select((part, index) => ReadPart(new(part, $"{message.Place}, part {index}")))
                );
                break;
            case null when parts.Count > 0 || thought is not null:
                break;
            case null when role == TurnRole.Assistant && message.Element.TryGetProperty("content", out _):
                // Clients write null for a turn in which the model said nothing.
                parts.Add(new ParsedText(""));
                break;
            default:
                throw message.Fault("has no content; it must be a text or a list of parts");
        }

        CheckPartCount(parts.Count);
        return new ParsedMessage(role, parts) { Thought = thought };

        void CheckPartCount(int count)
        {
            if (count > MaxParts)
            {
                throw message.Fault($"has {count} parts; at most {MaxParts} are accepted");
            }
        }
    }

    private static TurnRole ReadRole(PlacedJson message) =>
        message.Text("role") switch
        {
            "system" or "developer" => TurnRole.System,
            "user" => TurnRole.User,
            "assistant" => TurnRole.Assistant,
            null => throw message.Fault($"has no role; it must be {Roles}"),
            var other => throw message.Fault($"has role {PlacedJson.Shown(other)}; it must be {Roles}"),
        };

    private static string? ReadThought(PlacedJson message, TurnRole role)
    {
        string[] given = [.. ThoughtNames.Where(name => message.Find(name) is not null)];
        if (given.Length == 0)
        {
            return null;
        }

        if (role != TurnRole.Assistant)
        {
            throw message.Fault($"has {given[0]}, which only an assistant's message may have");
        }

        CheckOneSource(message, ThoughtNames);
        return message.Find(given[0]) is { ValueKind: JsonValueKind.String } text
            ? message.Spoken(text)
            : throw message.Fault($"has a {given[0]} that is no text");
    }

    private List<ParsedPart> ReadImages(PlacedJson message)
    {
        return message.Find("images") switch
        {
            null => [],
            { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Select(ReadImage)],
            _ => throw message.Fault("has images that are no list; it must be a list of pictures as base64"),
        };

        ParsedPicture ReadImage(JsonElement element, int index)
        {
            var image = new PlacedJson(element, $"{message.Place}, image {index}");
            return element.ValueKind == JsonValueKind.String
                ? new ParsedPicture(SourceOf(image.Place, element), null)
                : throw image.Fault("of images is no text; it must be base64 or a data URL");
        }
    }

    private ParsedPart ReadPart(PlacedJson part)
    {
        if (part.Element.ValueKind == JsonValueKind.String)
        {
            return new ParsedText(part.Spoken(part.Element));
        }

        switch (part.IsObject ? part.Text("type") : null)
        {
            case "text":
                part.RequireNames(["type", "text"]);
                return part.Find("text") is { ValueKind: JsonValueKind.String } text
                    ? new ParsedText(part.Spoken(text))
                    : throw part.Fault("has no text");
            case "image" or "image_url":
                part.RequireNames(PictureNames);
                return ReadPicture(part);
            case "video" or "video_url":
                part.RequireNames(VideoNames);
                return ReadVideo(part);
            case var type:
                var given = type is null ? "no type" : $"type {PlacedJson.Shown(type)}";
                throw part.Fault($"has {given}; it must be text, image_url, image or video");
        }
    }

    private ParsedPicture ReadPicture(PlacedJson part)
    {
        var source =
            ReadSource(part, PictureSources)
            ?? throw part.Fault($"has no image; give it as {PlacedJson.Listed(PictureSources)}");
        var bounds = ReadBounds(part);
        if (
            part.Find("image_url") is { ValueKind: JsonValueKind.Object } address
            && new PlacedJson(address, part.Place).Text("detail") == "low"
        )
        {
            // As OpenAI has it: a model is shown 512 x 512 pixels.
            bounds ??= new PixelBounds { MaxPixels = 512 * 512 };
        }

        return new ParsedPicture(source, bounds);
    }

    private ParsedVideo ReadVideo(PlacedJson part)
    {
        var sampling = ReadSampling(part);
        var bounds = ReadBounds(part);
        if (part.Whole("total_pixels") is { } total)
        {
            bounds = (bounds ?? new PixelBounds()) with { TotalPixels = total };
        }

        var list = VideoSources.Select(part.Find).FirstOrDefault(value => value is { ValueKind: JsonValueKind.Array });
        var source = list is null ? ReadSource(part, VideoSources) : null;
        if ((list?.GetArrayLength() ?? source?.FrameCount) is not { } count)
        {
            return source is not null
                ? new ParsedVideo(part.Place, [source], IsFrameList: false, sampling, bounds)
                : throw part.Fault(
                    "has no video; it must be a data URL of an animated GIF or WebP, a list of pictures, "
                        + "or a local file or folder"
                );
        }

        CheckOneSource(part, VideoSources);
        if (Array.Find(ChoiceNames, name => part.Find(name) is not null) is { } given)
        {
            throw part.Fault(
                $"has {given} beside a list of frames, all of which are shown; "
                    + "leave frames out of the list, or give max_frames"
            );
        }

        if (count is 0 or > MaxListedFrames)
        {
            throw part.Fault($"has a list of {count} frames; it must have 1 to {MaxListedFrames}");
        }

        var frames = list is { } pictures ? ReadFrames(pictures, part) : source!.Frames();
        return new ParsedVideo(part.Place, frames, IsFrameList: true, sampling, bounds);
    }

    private MediaSource[] ReadFrames(JsonElement list, PlacedJson part) =>
        [
            .. list.EnumerateArray()
                .Select(
                    (frame, index) =>
                        frame.ValueKind == JsonValueKind.String
                            ? SourceOf($"{part.Place}, frame {index}", frame)
                            : throw part.Fault($"has a frame {index} that is no text")
                ),
        ];

    private VideoSampling ReadSampling(PlacedJson part)
    {
        var rate = part.Number("fps") ?? part.Number("sample_fps");
        var count = (int?)part.Whole("nframes", MaxListedFrames);
        var most = (int?)part.Whole("max_frames", int.MaxValue);
        var least = (int?)part.Whole("min_frames", int.MaxValue);
        var start = part.Number("video_start");
        var end = part.Number("video_end");
        if (rate is not (null or (>= 0.001 and <= 1000)))
        {
            throw part.Fault("has an fps that is not from 0.001 to 1000");
        }

        if (count is not null && (rate ?? most ?? least) is not null)
        {
            throw part.Fault("has nframes beside fps, min_frames or max_frames; give the number or the rate");
        }

        if (count == 1)
        {
            throw part.Fault("has nframes 1; it must be at least 2, as a model looks at two frames at a time");
        }

        var largest = most ?? Sampling.MaxFrames;
        if (least > largest)
        {
            throw part.Fault($"has min_frames {least} above the most frames, {largest} (max_frames)");
        }

        if (start < 0 || end < 0 || start > end)
        {
            throw part.Fault("has a video_start or video_end that is below 0, or a start after the end");
        }

        return Sampling with
        {
            FramesPerSecond = rate ?? Sampling.FramesPerSecond,
            FrameCount = count,
            MaxFrames = count + (count % 2) ?? largest,
            MinFrames = least ?? Math.Min(Sampling.MinFrames, largest),
            StartSeconds = start,
            EndSeconds = end,
        };
    }

    /// <summary>The source under whichever of the names is there; null if none is.</summary>
    private MediaSource? ReadSource(PlacedJson part, string[] names)
    {
        CheckOneSource(part, names);
        if (Array.Find(names, name => part.Find(name) is not null) is not { } name)
        {
            return null;
        }

        switch (part.Find(name)!.Value)
        {
            case { ValueKind: JsonValueKind.String } text:
                return SourceOf(part.Place, text, isBase64: name == "base64");
            case { ValueKind: JsonValueKind.Object } address when !SourceNames.Contains(name):
                return SourceOf(part.Place, ReadAddress(part, name, new(address, $"{part.Place}, {name}")));
            case var value:
                var kind = name.StartsWith("video", StringComparison.Ordinal) ? "video" : "image";
                throw part.Fault($"has no {kind} in {name}; it must be a text, not {PlacedJson.KindOf(value)}");
        }
    }

    private MediaSource SourceOf(string place, JsonElement element, bool isBase64 = false)
    {
        var text = element.GetString()!;
        return text is ['\0', .. var number] && int.TryParse(number, out var index) && index < Media.Count && index >= 0
            ? MediaSource.Of(place, Media[index].Span, isBase64)
            : MediaSource.Of(place, text, isBase64);
    }

    /// <summary>The text of <c>{"url": ..., "detail": ...}</c>.</summary>
    private static JsonElement ReadAddress(PlacedJson part, string name, PlacedJson address)
    {
        address.RequireNames(name == "image_url" ? ["url", "detail"] : ["url"]);
        if (address.Find("detail") is not null && address.Text("detail") is not ("auto" or "low" or "high"))
        {
            throw part.Fault("has a detail that is not auto, low or high");
        }

        return address.Find("url") is { ValueKind: JsonValueKind.String } text
            ? text
            : throw part.Fault($"has no {name}.url");
    }

    private static void CheckOneSource(PlacedJson part, string[] names)
    {
        string[] given = [.. names.Where(name => part.Find(name) is not null)];
        if (given.Length > 1)
        {
            throw part.Fault($"has both {given[0]} and {given[1]}; leave one of them");
        }
    }

    private static PixelBounds? ReadBounds(PlacedJson part)
    {
        const double MaxSide = 16_384;
        var bounds = new PixelBounds
        {
            MinPixels = part.Whole("min_pixels"),
            MaxPixels = part.Whole("max_pixels"),
            Width = (int?)part.Whole("resized_width", MaxSide),
            Height = (int?)part.Whole("resized_height", MaxSide),
        };
        if (bounds.MinPixels > bounds.MaxPixels)
        {
            throw part.Fault(
                FormattableString.Invariant($"has min_pixels {bounds.MinPixels} above max_pixels {bounds.MaxPixels}")
            );
        }

        if (bounds.Width is null != bounds.Height is null)
        {
            throw part.Fault("has one of resized_width and resized_height; give both, or min_pixels and max_pixels");
        }

        return bounds == new PixelBounds() ? null : bounds;
    }
}
