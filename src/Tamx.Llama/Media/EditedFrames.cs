namespace Tamx.Llama.Media;

/// <summary>The frames of a video, each changed when it is read.</summary>
/// <param name="frames">The frames.</param>
/// <param name="edit">Gives a frame's new pixels [height, width, 3].</param>
internal sealed class EditedFrames(IFrameSource frames, Func<RgbImage, byte[]> edit) : IFrameSource
{
    public IEnumerable<VideoFrame> Read(CancellationToken cancellationToken) =>
        frames
            .Read(cancellationToken)
            .Select(frame => new VideoFrame(
                RgbImage.OfFrame(frame.Image.Width, frame.Image.Height, edit(frame.Image), frame.Image.Name),
                null
            ));
}
