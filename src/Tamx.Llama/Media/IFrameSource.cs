namespace Tamx.Llama.Media;

/// <summary>Where the frames of a video come from.</summary>
/// <remarks>They are read one by one as the model sees them: a long video needs no more memory.</remarks>
internal interface IFrameSource
{
    /// <summary>Reads the frames from the first to the last.</summary>
    /// <exception cref="InvalidInputException">A frame can no longer be read.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    IEnumerable<VideoFrame> Read(CancellationToken cancellationToken);
}

/// <summary>One frame.</summary>
/// <param name="Image">Its pixels.</param>
/// <param name="Encoded">The file that it came as; null for a frame of a video file.</param>
internal readonly record struct VideoFrame(RgbImage Image, EncodedImage? Encoded);
