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
        RgbImage.CheckFileBytes(encoded.Length, name, limits);
        var (format, mediaType) = RgbImage.FormatOf(encoded.Span, name);
        RgbImage.EnsureDecoderIsLimited();
        var settings = new MagickReadSettings
        {
            Format = format,
            FrameIndex = 0,
            FrameCount = MaxFrames + 1,
        };
        try
        {
            using var images = new MagickImageCollection();
            images.Ping(encoded.Span, settings);
            if (images.Count <= 1)
            {
                return new AnimatedImage([new EncodedImage(encoded, name)], [0], sampling.FramesPerSecond);
            }

            var (width, height) = (
                images.Max(image => Math.Max(image.Page.Width, image.Width)),
                images.Max(image => Math.Max(image.Page.Height, image.Height))
            );
            RgbImage.CheckSize(width, height, name, limits);
            if (images.Count > MaxFrames || (long)width * height * images.Count > MaxTotalPixels)
            {
                var count = images.Count > MaxFrames ? $"more than {MaxFrames}" : $"{images.Count}";
                throw new ImageFormatException(
                    name,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"has {count} frames of {width} x {height} pixels; at most {MaxFrames:N0} and "
                            + $"{MaxTotalPixels:N0} pixels in all are accepted (shorten it or scale it down)"
                    )
                );
            }

            images.Warning += (_, warning) =>
                throw new ImageFormatException(
                    name,
                    $"is a damaged {mediaType} file: {RgbImage.OneLine(warning.Message)}"
                );
            images.Read(encoded.Span, settings);
            cancellationToken.ThrowIfCancellationRequested();
            var starts = new double[images.Count + 1];
            for (var i = 0; i < images.Count; i++)
            {
                starts[i + 1] = starts[i] + DelayOf(images[i]);
            }

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
            throw new ImageFormatException(
                name,
                $"is no readable {mediaType} file: {RgbImage.OneLine(exception.Message)}",
                exception
            );
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
