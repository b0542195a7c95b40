using System.Text.Json.Serialization;
using Tamx.Llama.Media;

namespace Tamx.Llama.Chat;

/// <summary>A message as its JSON says it: nothing is opened, fetched or decoded yet.</summary>
/// <param name="Role">Who speaks.</param>
/// <param name="Parts">Its parts in the order the model reads them.</param>
public sealed record ParsedMessage(TurnRole Role, IReadOnlyList<ParsedPart> Parts)
{
    /// <inheritdoc cref="ChatTurn.Thought"/>
    public string? Thought { get; init; }

    /// <summary>The message with its pictures and videos.</summary>
    /// <param name="openPicture">Opens a picture.</param>
    /// <param name="openVideo">Opens a video.</param>
    public ChatTurn Open(Func<MediaSource, ImagePart> openPicture, Func<ParsedVideo, VideoPart> openVideo)
    {
        ArgumentNullException.ThrowIfNull(openPicture);
        ArgumentNullException.ThrowIfNull(openVideo);
        return new ChatTurn(Role, [.. Parts.Select(OpenPart)]) { Thought = Thought };

        ChatPart OpenPart(ParsedPart part) =>
            part switch
            {
                ParsedText text => new TextPart(text.Text),
                ParsedPicture picture => openPicture(picture.Source) with { Bounds = picture.Bounds },
                ParsedVideo video => openVideo(video) with { Bounds = video.Bounds },
                _ => throw new ArgumentOutOfRangeException(nameof(part)),
            };
    }
}

/// <summary>
/// A part of a message: <see cref="ParsedText"/>, <see cref="ParsedPicture"/> or <see cref="ParsedVideo"/>.
/// </summary>
[JsonDerivedType(typeof(ParsedText), "text")]
[JsonDerivedType(typeof(ParsedPicture), "picture")]
[JsonDerivedType(typeof(ParsedVideo), "video")]
public abstract record ParsedPart
{
    private protected ParsedPart() { }
}

/// <summary>Text.</summary>
/// <param name="Text">The text.</param>
public sealed record ParsedText(string Text) : ParsedPart;

/// <summary>A picture.</summary>
/// <param name="Source">Where it comes from.</param>
/// <param name="Bounds">How large the model is to look at it; null where nothing is said.</param>
public sealed record ParsedPicture(MediaSource Source, PixelBounds? Bounds) : ParsedPart;

/// <summary>A video.</summary>
/// <param name="Place">Where in the conversation it stands, for error messages.</param>
/// <param name="Sources">Where it comes from: one source, or one for each frame.</param>
/// <param name="IsFrameList">Whether each source is a frame.</param>
/// <param name="Sampling">Which frames to show.</param>
/// <param name="Bounds">How large the model is to look at it; null where nothing is said.</param>
public sealed record ParsedVideo(
    string Place,
    IReadOnlyList<MediaSource> Sources,
    bool IsFrameList,
    VideoSampling Sampling,
    PixelBounds? Bounds
) : ParsedPart;
