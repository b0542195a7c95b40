using Tamx.Llama.Chat;
using Tamx.Llama.Imaging;

namespace Tamx.Llama.Video;

/// <summary>Where the frames of a video come from. They are read when the model looks at them, one after another, so that a long video needs no more memory than a short one.</summary>
internal interface IFrameSource
{
    /// <summary>Reads the frames from the first to the last.</summary>
    /// <exception cref="InvalidInputException">A frame can no longer be read.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    IEnumerable<VideoFrame> Read(CancellationToken cancellationToken);
}

/// <summary>One frame.</summary>
/// <param name="Image">Its pixels.</param>
/// <param name="Picture">The picture that it is, where it came as one.</param>
internal readonly record struct VideoFrame(RgbImage Image, ImagePart? Picture);
