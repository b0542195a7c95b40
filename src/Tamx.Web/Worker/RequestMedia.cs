using System.Globalization;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;
using Tamx.Web.Runs;
using Tamx.Web.Wire;

namespace Tamx.Web.Worker;

#pragma warning disable RS0030 // It runs in the worker, which opens pictures and videos.

/// <summary>Opens the pictures and videos of a request, within its limits.</summary>
/// <param name="request">The request.</param>
/// <param name="files">The files that came with it.</param>
/// <param name="cancellationToken">Ends the reading.</param>
internal sealed class RequestMedia(WorkerRequest request, byte[][] files, CancellationToken cancellationToken)
{
    private int _framesLeft = request.MaxFrames;

    /// <summary>The conversation of the request.</summary>
    /// <exception cref="InvalidInputException">A picture or video cannot be used, or is beyond the limits.</exception>
    public IReadOnlyList<ChatTurn> Open() =>
        [.. request.Messages.Select(message => message.Open(OpenPicture, OpenVideo))];

    private static int IndexOf(MediaSource source) => int.Parse(source.Text, CultureInfo.InvariantCulture);

    private ImagePart OpenPicture(MediaSource source)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var encoded = files[IndexOf(source)];
        RgbImage.CheckLimits(encoded, source.Place, request.Pictures);
        return new ImagePart(encoded, source.Place);
    }

    private VideoPart OpenVideo(ParsedVideo video)
    {
        if (_framesLeft < 1)
        {
            var setting = new Setting(nameof(VideoSampling.MaxFrames));
            throw InvalidInputException.Naming(
                $"{video.Place}: the videos before it have all frames that are allowed; ask for fewer with {setting}"
            );
        }

        var sampling = video.Sampling with { MaxFrames = Math.Min(video.Sampling.MaxFrames, _framesLeft) };
        var opened = video.IsFrameList
            ? VideoPart.FromFrames([.. video.Sources.Select(OpenPicture)], sampling, video.Place)
            : OpenVideo(video.Sources[0], sampling);
        _framesLeft -= opened.Seconds.Count;
        return opened;
    }

    private VideoPart OpenVideo(MediaSource source, VideoSampling sampling)
    {
        var index = IndexOf(source);
        var encoded = files[index];
        if (RgbImage.IsPicture(encoded))
        {
            RgbImage.CheckLimits(encoded, source.Place, request.Pictures);
            return VideoPart.FromAnimation(encoded, source.Place, sampling, cancellationToken);
        }

        // ffmpeg reads files only. The server removes this one when the run is over.
        var path = StorageException.Guard(() => new RunFiles(request.Folder).SaveVideo(index, encoded));
        return VideoPart.FromFile(path, sampling, cancellationToken);
    }
}
