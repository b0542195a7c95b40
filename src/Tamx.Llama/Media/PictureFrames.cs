namespace Tamx.Llama.Media;

/// <summary>Frames that are pictures, kept as they came and decoded one at a time.</summary>
internal sealed class PictureFrames(IReadOnlyList<EncodedImage> pictures) : IFrameSource
{
    public IEnumerable<VideoFrame> Read(CancellationToken cancellationToken)
    {
        foreach (var picture in pictures)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return new VideoFrame(RgbImage.Decode(picture.Encoded, picture.Name), picture);
        }
    }
}
