namespace Tamx;

/// <summary>The picture behind one temporal patch of a vision block, for display.</summary>
/// <param name="BlockIndex">Index of the vision block.</param>
/// <param name="FrameIndex">Temporal patch within the block; 0 for an image.</param>
/// <param name="MediaType">
/// <c>image/jpeg</c>, <c>image/png</c>, <c>image/webp</c>, <c>image/gif</c> or <c>image/bmp</c>.
/// </param>
/// <param name="Bytes">The encoded picture as it came.</param>
/// <param name="Width">Width in pixels as displayed (EXIF orientation applied).</param>
/// <param name="Height">Height in pixels as displayed.</param>
/// <param name="Seconds">Time in the video, or null for an image.</param>
/// <param name="Name">File name without folder, or null.</param>
public sealed record TracePicture(
    int BlockIndex,
    int FrameIndex,
    string MediaType,
    ReadOnlyMemory<byte> Bytes,
    int Width,
    int Height,
    double? Seconds = null,
    string? Name = null
);
