using System.Globalization;
using ImageMagick;

namespace Tamx.Llama.Media;

/// <summary>Frames of an animated GIF or WebP, each as a whole picture.</summary>
/// <param name="Frames">The chosen frames as PNG. A picture that is not animated stays as it came.</param>
/// <param name="Seconds">When each begins to be shown [frames].</param>
/// <param name="FramesPerSecond">Rate of the chosen frames.</param>
internal sealed record AnimatedImage(
    IReadOnlyList<EncodedImage> Frames,
    IReadOnlyList<double> Seconds,
    double FramesPerSecond
)
{
    /// <summary>Most frames of an animation.</summary>
    public const int MaxFrames = 5000;

    /// <summary>Most pixels of all frames together, which are in memory at once, at 4 bytes each.</summary>
    public const long MaxTotalPixels = 100_000_000;

    /// <summary>Decodes an animation.</summary>
    /// <param name="encoded">The bytes of a GIF or WebP, or of another picture; untrusted.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="sampling">Which frames to keep.</param>
    /// <param name="limits">Limits on the file and on each frame; null for <see cref="ImageLimits.Default"/>.</param>
    /// <param name="cancellationToken">Ends the decoding.</param>
    /// <exception cref="ImageFormatException">Another format, damaged, or beyond the limits.</exception>
    public static AnimatedImage Decode(
        ReadOnlyMemory<byte> encoded,
        string name,
        VideoSampling sampling,
        ImageLimits? limits = null,
        CancellationToken cancellationToken = default
    )
    {
        limits ??= ImageLimits.Default;
        var head = PictureHead.Read(encoded.Span, name, limits);
        if (head.FrameCount <= 1)
        {
            return new AnimatedImage([new EncodedImage(encoded, name)], [0], sampling.FramesPerSecond);
        }

        if (head.FrameCount > MaxFrames || head.Width * head.Height * head.FrameCount > MaxTotalPixels)
        {
            throw new ImageFormatException(
                name,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"has {head.FrameCount} frames of {head.Width} x {head.Height} pixels; at most {MaxFrames:N0} and "
                        + $"{MaxTotalPixels:N0} pixels in all are accepted (shorten it or scale it down)"
                )
            );
        }

        RgbImage.EnsureDecoderIsLimited();
        try
        {
            using var images = new MagickImageCollection();

            // Nothing may be thrown through the decoder: it would never free what it holds.
            string? warned = null;
            images.Warning += (_, warning) => warned ??= warning.Message;
            images.Read(encoded.Span, new MagickReadSettings { Format = head.Format });
            if (warned is not null)
            {
                throw new ImageFormatException(name, $"is a damaged {head.MediaType} file: {OutsideText.Part(warned)}");
            }

            cancellationToken.ThrowIfCancellationRequested();
            var starts = new double[images.Count + 1];
            for (var i = 0; i < images.Count; i++)
            {
                starts[i + 1] = starts[i] + DelayOf(images[i]);
            }

            // What no frame covers is transparent, as in browsers. Without this it would be the file's ground.
            images[0].Alpha(AlphaAction.Set);
            images.Coalesce();
            var rate = images.Count / starts[^1];
            var (first, inRange) = sampling.Range(images.Count, rate, name);
            int[] chosen = [.. sampling.Choose(inRange, rate).Select(index => first + index)];
            return new AnimatedImage(
                [.. chosen.Select(index => Flatten(images[index], name, cancellationToken))],
                [.. chosen.Select(index => starts[index])],
                rate * chosen.Length / inRange
            );
        }
        catch (MagickException exception)
        {
            throw RgbImage.Unreadable(exception, head, name);
        }
    }

    /// <summary>Seconds that a frame is shown. As in browsers, 10 ms or less count as 100.</summary>
    private static double DelayOf(IMagickImage<byte> image)
    {
        var seconds = image.AnimationDelay / (double)Math.Max(1, image.AnimationTicksPerSecond);
        return seconds <= 0.01 ? 0.1 : seconds;
    }

    private static EncodedImage Flatten(IMagickImage<byte> image, string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        image.ResetPage();
        image.BackgroundColor = MagickColors.White;
        image.Alpha(AlphaAction.Remove);
        return new EncodedImage(RgbImage.EncodePng(image), name);
    }
}
