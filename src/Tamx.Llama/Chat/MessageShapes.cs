using System.Globalization;
using System.Text.Json;
using Tamx.Llama.Media;

namespace Tamx.Llama.Chat;

/// <summary>Reads the shapes in which messages are written: OpenAI's, Qwen's, transformers' and Ollama's.</summary>
/// <remarks>
/// <para>
/// A message has a <c>role</c> (system or developer, user, assistant), a <c>content</c> (a text, or a list of parts) and, as Ollama writes it,
/// <c>images</c>: a list of pictures that stand before the content. A part is a text or <c>{"type": "text", "text": ...}</c>, a picture
/// (<c>image</c>, <c>image_url</c>) or a video (<c>video</c>, <c>video_url</c>). Where it comes from stands under one name: that of either type, or
/// <c>url</c>, <c>path</c>, <c>base64</c>; <c>image_url</c> and <c>video_url</c> may be <c>{"url": ...}</c>.
/// </para>
/// <para>
/// A name that has no meaning is an error, so that nothing of a message is lost without a word; a value of null, or an empty list of something that is
/// not known, says nothing and is passed over. Nothing is opened or fetched here: the same code reads what came over a network.
/// </para>
/// </remarks>
public static class MessageShapes
{
    private const int MaxFrames = 10_000;
    private const string Roles = "system, developer, user or assistant";

    private static readonly string[] MessageNames = ["role", "content", "images"];
    private static readonly string[] SourceNames = ["url", "path", "base64"];
    private static readonly string[] PictureSources = ["image", "image_url", .. SourceNames];
    private static readonly string[] VideoSources = ["video", "video_url", .. SourceNames];
    private static readonly string[] BoundNames = ["min_pixels", "max_pixels", "resized_height", "resized_width"];
    private static readonly string[] PictureNames = ["type", .. PictureSources, .. BoundNames];

    private static readonly string[] VideoNames =
        ["type", .. VideoSources, .. BoundNames, "total_pixels", "fps", "sample_fps", "nframes", "min_frames", "max_frames", "video_start", "video_end"];

    /// <summary>Reads a message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="where">Its place, for messages: <c>message 0</c>.</param>
    /// <param name="sampling">Which frames of its videos to show where their parts do not say.</param>
    /// <param name="maxParts">Most parts, pictures before the content among them.</param>
    /// <exception cref="InvalidInputException">It is no message, or has a name that has no meaning; the text begins with the place.</exception>
    public static MessageShape Read(JsonElement message, string where, VideoSampling sampling, int maxParts)
    {
        ArgumentException.ThrowIfNullOrEmpty(where);
        ArgumentNullException.ThrowIfNull(sampling);
        if (message.ValueKind != JsonValueKind.Object)
        {
            throw Fault(where, "is no object");
        }

        var role = ReadRole(message, where);
        RequireNames(message, MessageNames, where);
        var parts = ReadImages(message, where);
        switch (Find(message, "content"))
        {
            case { ValueKind: JsonValueKind.String } text:
                parts.Add(new TextShape(where, TextOf(text, where)));
                break;
            case { ValueKind: JsonValueKind.Array } list when list.GetArrayLength() + parts.Count is var count && count <= maxParts:
                parts.AddRange(list.EnumerateArray().Select((part, index) => ReadPart(part, $"{where}, part {index}", sampling)));
                break;
            case { ValueKind: JsonValueKind.Array } list:
                throw Fault(where, $"has {list.GetArrayLength() + parts.Count} parts; at most {maxParts} are accepted");
            case null when parts.Count > 0:
                break;
            default:
                throw Fault(where, "has no content; it must be a text or a list of parts");
        }

        return parts.Count <= maxParts ? new MessageShape(role, parts) : throw Fault(where, $"has {parts.Count} parts; at most {maxParts} are accepted");
    }

    private static ChatRole ReadRole(JsonElement message, string where) => Find(message, "role") switch
    {
        { ValueKind: JsonValueKind.String } role => role.GetString() switch
        {
            "system" or "developer" => ChatRole.System,
            "user" => ChatRole.User,
            "assistant" => ChatRole.Assistant,
            var other => throw Fault(where, $"has role {Shown(other!)}; it must be {Roles}"),
        },
        _ => throw Fault(where, $"has no role; it must be {Roles}"),
    };

    private static List<PartShape> ReadImages(JsonElement message, string where) => Find(message, "images") switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list =>
        [
            .. list.EnumerateArray().Select((image, index) => image.ValueKind == JsonValueKind.String
                ? new PictureShape($"{where}, image {index}", MediaSource.Of($"{where}, image {index}", image.GetString()!), null)
                : throw Fault($"{where}, image {index}", "of images is no text; it must be base64 or a data URL")),
        ],
        _ => throw Fault(where, "has images that are no list; it must be a list of pictures as base64"),
    };

    private static PartShape ReadPart(JsonElement part, string where, VideoSampling sampling)
    {
        if (part.ValueKind == JsonValueKind.String)
        {
            return new TextShape(where, TextOf(part, where));
        }

        switch (part.ValueKind == JsonValueKind.Object ? Text(part, "type") : null)
        {
            case "text":
                RequireNames(part, ["type", "text"], where);
                return new TextShape(where, Find(part, "text") is { ValueKind: JsonValueKind.String } text ? TextOf(text, where) : throw Fault(where, "has no text"));
            case "image" or "image_url":
                RequireNames(part, PictureNames, where);
                return ReadPicture(part, where);
            case "video" or "video_url":
                RequireNames(part, VideoNames, where);
                return ReadVideo(part, where, sampling);
            case var type:
                throw Fault(where, $"has {(type is null ? "no type" : $"type {Shown(type)}")}; it must be text, image_url, image or video");
        }
    }

    private static PictureShape ReadPicture(JsonElement part, string where)
    {
        var source = ReadSource(part, PictureSources, where) ?? throw Fault(where, $"has no image; give it as {Listed(PictureSources)}");
        var bounds = ReadBounds(part, where);
        if (Find(part, "image_url") is { ValueKind: JsonValueKind.Object } address && Text(address, "detail") == "low")
        {
            // As OpenAI has it: a model is shown 512 x 512 pixels.
            bounds ??= new PixelBounds { MaxPixels = 512 * 512 };
        }

        return new PictureShape(where, source, bounds);
    }

    private static VideoShape ReadVideo(JsonElement part, string where, VideoSampling sampling)
    {
        sampling = ReadSampling(part, where, sampling);
        var bounds = ReadBounds(part, where);
        if (Whole(part, "total_pixels", where) is { } total)
        {
            bounds = (bounds ?? new PixelBounds()) with { TotalPixels = total };
        }

        if (VideoSources.Select(name => Find(part, name)).FirstOrDefault(value => value is { ValueKind: JsonValueKind.Array }) is { } list)
        {
            CheckOneSource(part, VideoSources, where);
            RequireNoChoice(part, where);
            CheckFrameCount(list.GetArrayLength(), where);
            return new VideoShape(where, ReadFrames(list, where), IsFrameList: true, sampling, bounds);
        }

        var source = ReadSource(part, VideoSources, where) ?? throw Fault(
            where, "has no video; it must be a data URL of an animated GIF or WebP, a list of pictures, or a local file or folder");
        if (source.FrameCount is not { } count)
        {
            return new VideoShape(where, [source], IsFrameList: false, sampling, bounds);
        }

        RequireNoChoice(part, where);
        CheckFrameCount(count, where);
        return new VideoShape(where, source.Frames(), IsFrameList: true, sampling, bounds);
    }

    private static VideoSampling ReadSampling(JsonElement part, string where, VideoSampling standard)
    {
        var rate = Number(part, "fps", where) ?? Number(part, "sample_fps", where);
        var count = (int?)Whole(part, "nframes", where, MaxFrames);
        var most = (int?)Whole(part, "max_frames", where, int.MaxValue);
        var least = (int?)Whole(part, "min_frames", where, int.MaxValue);
        var start = Number(part, "video_start", where);
        var end = Number(part, "video_end", where);
        if (rate is not (null or (>= 0.001 and <= 1000)))
        {
            throw Fault(where, "has an fps that is not from 0.001 to 1000");
        }

        if (count is not null && (rate ?? most ?? least) is not null)
        {
            throw Fault(where, "has nframes beside fps, min_frames or max_frames; give the number or the rate");
        }

        if (count == 1)
        {
            throw Fault(where, "has nframes 1; it must be at least 2, as a model looks at two frames at a time");
        }

        if (least > (most ?? standard.MaxFrames))
        {
            throw Fault(where, $"has min_frames {least} above the most frames, {most ?? standard.MaxFrames} (max_frames)");
        }

        if (start < 0 || end < 0 || start > end)
        {
            throw Fault(where, "has a video_start or video_end that is below 0, or a start after the end");
        }

        return standard with
        {
            FramesPerSecond = rate ?? standard.FramesPerSecond,
            FrameCount = count,
            MaxFrames = count + (count % 2) ?? most ?? standard.MaxFrames,
            MinFrames = least ?? Math.Min(standard.MinFrames, most ?? standard.MaxFrames),
            StartSeconds = start,
            EndSeconds = end,
        };
    }

    private static MediaSource[] ReadFrames(JsonElement list, string where) =>
    [
        .. list.EnumerateArray().Select((frame, index) => frame.ValueKind == JsonValueKind.String
            ? MediaSource.Of($"{where}, frame {index}", frame.GetString()!)
            : throw Fault(where, $"has a frame {index} that is no text")),
    ];

    private static void RequireNoChoice(JsonElement part, string where)
    {
        if (Array.Find(["nframes", "min_frames", "video_start", "video_end"], name => Find(part, name) is not null) is { } given)
        {
            throw Fault(where, $"has {given} beside a list of frames, all of which are shown; leave frames out of the list, or give max_frames");
        }
    }

    private static void CheckFrameCount(int count, string where)
    {
        if (count is 0 or > MaxFrames)
        {
            throw Fault(where, $"has a list of {count} frames; it must have 1 to {MaxFrames}");
        }
    }

    /// <summary>The source under the one name of those that is there; null if there is none.</summary>
    private static MediaSource? ReadSource(JsonElement part, string[] names, string where)
    {
        CheckOneSource(part, names, where);
        foreach (var name in names)
        {
            switch (Find(part, name))
            {
                case { ValueKind: JsonValueKind.String } text:
                    return MediaSource.Of(where, text.GetString()!, isBase64: name == "base64");
                case { ValueKind: JsonValueKind.Object } address when name is not ("url" or "path" or "base64"):
                    RequireNames(address, name == "image_url" ? ["url", "detail"] : ["url"], $"{where}, {name}");
                    if (Find(address, "detail") is { } detail && (detail.ValueKind != JsonValueKind.String || detail.GetString() is not ("auto" or "low" or "high")))
                    {
                        throw Fault(where, "has a detail that is not auto, low or high");
                    }

                    return Text(address, "url") is { } url ? MediaSource.Of(where, url) : throw Fault(where, $"has no {name}.url");
                case { } value:
                    throw Fault(where, $"has no {(name.StartsWith("video", StringComparison.Ordinal) ? "video" : "image")} in {name}; it must be a text, not {KindOf(value)}");
            }
        }

        return null;
    }

    private static void CheckOneSource(JsonElement part, string[] names, string where)
    {
        string[] given = [.. names.Where(name => Find(part, name) is not null)];
        if (given.Length > 1)
        {
            throw Fault(where, $"has both {given[0]} and {given[1]}; leave one of them");
        }
    }

    private static PixelBounds? ReadBounds(JsonElement part, string where)
    {
        const double MaxSide = 16_384;
        var bounds = new PixelBounds
        {
            MinPixels = Whole(part, "min_pixels", where),
            MaxPixels = Whole(part, "max_pixels", where),
            Width = (int?)Whole(part, "resized_width", where, MaxSide),
            Height = (int?)Whole(part, "resized_height", where, MaxSide),
        };
        if (bounds.MinPixels > bounds.MaxPixels)
        {
            throw Fault(where, string.Create(CultureInfo.InvariantCulture, $"has min_pixels {bounds.MinPixels} above max_pixels {bounds.MaxPixels}"));
        }

        if (bounds.Width is null != bounds.Height is null)
        {
            throw Fault(where, "has one of resized_width and resized_height; give both, or min_pixels and max_pixels");
        }

        return bounds == new PixelBounds() ? null : bounds;
    }

    private static void RequireNames(JsonElement element, string[] names, string where)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in element.EnumerateObject())
        {
            if (!seen.Add(property.Name))
            {
                throw Fault(where, $"has {Shown(property.Name)} twice");
            }

            if (!names.Contains(property.Name, StringComparer.Ordinal) && !SaysNothing(property.Value))
            {
                throw Fault(where, $"has {Shown(property.Name)}, a name that means nothing here; known are {string.Join(", ", names)}");
            }
        }
    }

    /// <summary>Clients send what their libraries know, with null or nothing in it (<c>refusal</c>, <c>annotations</c>, <c>tool_calls</c>).</summary>
    private static bool SaysNothing(JsonElement value) =>
        value.ValueKind == JsonValueKind.Null || (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0);

    private static double? Number(JsonElement part, string name, string where) => Find(part, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetDouble(out var number) && double.IsFinite(number) => number,
        _ => throw Fault(where, $"has a {name} that is no number"),
    };

    private static double? Whole(JsonElement part, string name, string where, double most = 1e12) => Number(part, name, where) switch
    {
        null => null,
        { } number when number >= 1 && number <= most && number == Math.Floor(number) => number,
        _ => throw Fault(where, string.Create(CultureInfo.InvariantCulture, $"has a {name} that is no whole number from 1 to {most}")),
    };

    private static JsonElement? Find(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string? Text(JsonElement element, string name) => Find(element, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static string TextOf(JsonElement value, string where) => value.GetString() is { } text && !text.Contains('\0', StringComparison.Ordinal)
        ? text
        : throw Fault(where, "has a zero character (U+0000) in its text");

    private static string KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        JsonValueKind.Number => "a number",
        _ => "true or false",
    };

    private static string Listed(string[] names) => $"{string.Join(", ", names[..^1])} or {names[^1]}";

    /// <summary>What somebody wrote, short and on one line.</summary>
    private static string Shown(string text)
    {
        const int Most = 60;
        var line = string.Concat(text.Take(Most).Select(letter => char.IsControl(letter) ? ' ' : letter));
        return $"\"{line}{(text.Length > Most ? "…" : "")}\"";
    }

    private static InvalidInputException Fault(string where, string what) => new($"{where} {what}");
}
