using Tamx.Llama.Media;

namespace Tamx.Llama.Chat;

/// <summary>
/// Opens the pictures and videos of a conversation: from data URLs, and from local files where these are allowed.
/// </summary>
/// <param name="folder">The folder that relative paths are relative to; null to refuse local files.</param>
/// <param name="cancellationToken">Ends the reading of videos.</param>
internal sealed class MediaOpener(string? folder, CancellationToken cancellationToken)
{
    public ChatTurn Open(ParsedMessage message) => message.Open(OpenPicture, OpenVideo);

    private ImagePart OpenPicture(MediaSource source)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (source.Text.Length == 0)
        {
            throw source.Fault("has an image without data; give a data URL or a local path");
        }

        if (source.Decode() is not { } encoded)
        {
            return ImagePart.FromFile(LocalPath(source));
        }

        RgbImage.CheckLimits(encoded, source.Place, ImageLimits.Default);
        return new ImagePart(encoded, source.Place);
    }

    private VideoPart OpenVideo(ParsedVideo video)
    {
        if (video.IsFrameList)
        {
            return VideoPart.FromFrames([.. video.Sources.Select(OpenPicture)], video.Sampling, video.Place);
        }

        var source = video.Sources[0];
        if (source.Text.Length == 0)
        {
            throw source.Fault(
                "has no video; it must be a data URL of a video or an animated GIF or WebP, "
                    + "a list of pictures, or a local file or folder"
            );
        }

        return source.Decode() switch
        {
            null => VideoPart.FromFile(LocalPath(source), video.Sampling, cancellationToken),
            var encoded when source.IsPictureUrl => VideoPart.FromAnimation(
                encoded,
                video.Place,
                video.Sampling,
                cancellationToken
            ),
            var encoded => VideoPart.FromBytes(encoded, video.Place, video.Sampling, cancellationToken),
        };
    }

    private string LocalPath(MediaSource source) =>
        folder is null
            ? throw source.Fault(
                "names a file or address; only data URLs (data:image/png;base64,...) are accepted here"
            )
            : source.PathIn(folder);
}
