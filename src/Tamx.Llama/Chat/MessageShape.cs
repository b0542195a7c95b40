using Tamx.Llama.Media;

namespace Tamx.Llama.Chat;

/// <summary>A message as its JSON says it: nothing is opened, fetched or decoded yet.</summary>
/// <param name="Role">Who speaks.</param>
/// <param name="Parts">Its parts in the order the model reads them.</param>
public sealed record MessageShape(ChatRole Role, IReadOnlyList<PartShape> Parts);

/// <summary>A part of a message: <see cref="TextShape"/>, <see cref="PictureShape"/> or <see cref="VideoShape"/>.</summary>
/// <param name="Where">What messages call its place: <c>message 0, part 1</c>.</param>
public abstract record PartShape(string Where);

/// <summary>Text.</summary>
/// <param name="Where">Its place.</param>
/// <param name="Text">The text.</param>
public sealed record TextShape(string Where, string Text) : PartShape(Where);

/// <summary>A picture.</summary>
/// <param name="Where">Its place.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="Bounds">How large the model is to look at it; null where nothing is said.</param>
public sealed record PictureShape(string Where, MediaSource Source, PixelBounds? Bounds) : PartShape(Where);

/// <summary>A video.</summary>
/// <param name="Where">Its place.</param>
/// <param name="Sources">Where it comes from: one source, or one for each frame.</param>
/// <param name="IsFrameList">Whether each source is a frame.</param>
/// <param name="Sampling">Which frames to show.</param>
/// <param name="Bounds">How large the model is to look at it; null where nothing is said.</param>
public sealed record VideoShape(string Where, IReadOnlyList<MediaSource> Sources, bool IsFrameList, VideoSampling Sampling, PixelBounds? Bounds)
    : PartShape(Where);
