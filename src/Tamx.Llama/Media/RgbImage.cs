using System.Diagnostics;
using System.Globalization;
using ImageMagick;

namespace Tamx.Llama.Media;

/// <summary>A picture as it is displayed: upright, opaque, 8-bit sRGB.</summary>
/// <remarks>
/// Encoded pictures are untrusted. The first bytes tell the format, and the decoder is held to it: whatever the file's
/// name or content, no other coder, delegate or address can be reached. Sizes are checked before pixels are decoded.
/// Immutable and safe to share between threads.
/// </remarks>
public sealed partial class RgbImage
{
    private const ulong MaxDecoderBytes = 1_000_000_000;

    /// <summary>Beyond any limit that somebody sets: JPEG and GIF end here.</summary>
    private const ulong MaxDecoderSide = 65_536;

    private static readonly TimeSpan MaxDecoderTime = TimeSpan.FromSeconds(30);
    private static readonly Lazy<bool> DecoderIsLimited = new(LimitDecoder);

    private readonly byte[] _pixels;

    private RgbImage(int width, int height, byte[] pixels, string mediaType, string name)
    {
        Width = width;
        Height = height;
        _pixels = pixels;
        MediaType = mediaType;
        Name = name;
    }

    /// <summary>Width in pixels as displayed (EXIF orientation applied).</summary>
    public int Width { get; }

    /// <summary>Height in pixels as displayed.</summary>
    public int Height { get; }

    /// <summary>Red, green, blue bytes, row by row from the top left: [Height, Width, 3].</summary>
    public ReadOnlySpan<byte> Pixels => _pixels;

    /// <summary>Media type of the encoded picture: image/jpeg, image/png, image/webp, image/gif or image/bmp.</summary>
    public string MediaType { get; }

    /// <summary>The picture's path, or what else the caller knows it by.</summary>
    public string Name { get; }

    /// <summary>Reads and decodes a picture file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">Limits, or null for <see cref="ImageLimits.Default"/>.</param>
    /// <exception cref="ImageFormatException">Missing, of another format, damaged, or beyond the limits.</exception>
    public static RgbImage Open(string path, ImageLimits? limits = null) =>
        Decode(ReadFile(path, limits), path, limits);

    /// <summary>Reads a picture file without decoding it, within the limit on its size.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">Limits, or null for <see cref="ImageLimits.Default"/>.</param>
    /// <exception cref="ImageFormatException">The file is missing, unreadable or too long.</exception>
    public static byte[] ReadFile(string path, ImageLimits? limits = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
        {
            throw new ImageFormatException(path, "is a folder; name a picture file");
        }

        try
        {
            using var stream = InputFile.Open(path);
            return ReadStream(stream, path, limits);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ImageFormatException(path, "no such file", exception);
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ImageFormatException(path, $"cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Reads a picture from a stream without decoding it, within the limit on its size.</summary>
    internal static byte[] ReadStream(Stream stream, string name, ImageLimits? limits = null)
    {
        limits ??= ImageLimits.Default;
        if (stream.CanSeek && stream.Length > limits.MaxFileBytes)
        {
            throw TooLong(stream.Length, name, limits);
        }

        return stream.ReadAtMost(limits.MaxFileBytes)
            ?? throw new ImageFormatException(
                name,
                Invariant($"is more than {limits.MaxFileBytes:N0} bytes long, the most that are accepted")
            );
    }

    /// <summary>Whether a file begins as a picture does. False if it cannot be read.</summary>
    /// <param name="path">The file.</param>
    public static bool IsPictureFile(string path)
    {
        Span<byte> start = stackalloc byte[PictureHead.FormatBytes];
        try
        {
            using var stream = InputFile.Open(path);
            return IsPicture(start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)]);
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return false;
        }
    }

    /// <summary>Whether bytes begin as a picture does.</summary>
    /// <param name="encoded">The bytes of a file.</param>
    public static bool IsPicture(ReadOnlySpan<byte> encoded) => PictureHead.FormatOf(encoded) is not null;

    /// <summary>Checks a picture against limits by its head; no pixel is decoded.</summary>
    /// <param name="encoded">The file's bytes.</param>
    /// <param name="name">The picture's name for messages.</param>
    /// <param name="limits">The limits.</param>
    /// <exception cref="ImageFormatException">Another format, a damaged head, or beyond the limits.</exception>
    public static void CheckLimits(ReadOnlyMemory<byte> encoded, string name, ImageLimits limits)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(limits);
        PictureHead.Read(encoded.Span, name, limits);
    }

    /// <summary>Decodes a JPEG, PNG, WebP, GIF (its first frame) or BMP.</summary>
    /// <param name="encoded">The file's bytes.</param>
    /// <param name="name">The picture's name for messages.</param>
    /// <param name="limits">Limits, or null for <see cref="ImageLimits.Default"/>.</param>
    /// <exception cref="ImageFormatException">Another format, damaged, or beyond the limits.</exception>
    public static RgbImage Decode(ReadOnlyMemory<byte> encoded, string name, ImageLimits? limits = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        limits ??= ImageLimits.Default;
        var head = PictureHead.Read(encoded.Span, name, limits);
        EnsureDecoderIsLimited();
        try
        {
            using var image = new MagickImage();
            var elapsed = Stopwatch.StartNew();

            // The decoder's own time limit counts from the start of the process, so it cannot be used. Nothing may be
            // thrown through the decoder: it would never free what it holds.
            var isTruncated = false;
            image.Progress += (_, progress) => progress.Cancel = elapsed.Elapsed > MaxDecoderTime;
            image.Warning += (_, warning) => isTruncated |= IsTruncation(warning.Message);

            // Only the first frame is read, even of a file with thousands.
            image.Read(
                Decodable(encoded, head).Span,
                new MagickReadSettings
                {
                    Format = head.Format,
                    FrameIndex = 0,
                    FrameCount = 1,
                }
            );
            if (elapsed.Elapsed > MaxDecoderTime)
            {
                throw new ImageFormatException(
                    name,
                    $"takes longer than {MaxDecoderTime.TotalSeconds} seconds to decode"
                );
            }

            if (isTruncated)
            {
                throw new ImageFormatException(
                    name,
                    $"is a truncated {head.MediaType} file (download or copy it again)"
                );
            }

            if (!head.HasAlpha)
            {
                image.Alpha(AlphaAction.Off);
            }

            image.AutoOrient();
            using var composed = Compose(image, head);
            var whole = composed ?? image;
            whole.ResetPage();
            whole.ColorSpace = ColorSpace.sRGB;
            whole.BackgroundColor = MagickColors.White;
            whole.Alpha(AlphaAction.Remove);
            CheckSize(whole.Width, whole.Height, name, limits);
            using var pixels = whole.GetPixels();
            var rgb = pixels.ToByteArray(PixelMapping.RGB) ?? throw new ImageFormatException(name, "holds no pixels");
            return new RgbImage((int)whole.Width, (int)whole.Height, rgb, head.MediaType, name);
        }
        catch (MagickException exception)
        {
            throw Unreadable(exception, head, name);
        }
    }

    /// <summary>What the decoder is given of a file.</summary>
    internal static ReadOnlyMemory<byte> Decodable(ReadOnlyMemory<byte> encoded, PictureHead head) =>
        head.Format == MagickFormat.Png ? PngChunks.WithoutColourProfiles(encoded.Span) : encoded;

    /// <summary>The error for what the decoder says. That it lacks memory is not the picture's fault.</summary>
    internal static Exception Unreadable(MagickException exception, PictureHead head, string name) =>
        exception is MagickResourceLimitErrorException && !HasRoom(head)
            ? new InsufficientMemoryException($"{name}: the decoder of pictures has no memory left", exception)
            : new ImageFormatException(
                name,
                $"is no readable {head.MediaType} file: {OutsideText.Part(exception.Message)}",
                exception
            );

    /// <summary>
    /// Whether the decoder can still hold a picture of this size. It says that memory is lacking of damaged WebPs too.
    /// </summary>
    private static bool HasRoom(PictureHead head)
    {
        try
        {
            using var probe = new MagickImage(MagickColors.White, (uint)head.Width, (uint)head.Height);
            return true;
        }
        catch (MagickException)
        {
            return false;
        }
    }

    /// <summary>
    /// The whole of which a GIF's or WebP's first frame is a part, or null. What it does not cover is transparent, as
    /// in browsers.
    /// </summary>
    private static MagickImage? Compose(MagickImage frame, PictureHead head)
    {
        var page = frame.Page;
        var (width, height) = (Math.Max(page.Width, frame.Width), Math.Max(page.Height, frame.Height));
        if (
            head.Format is not (MagickFormat.Gif or MagickFormat.WebP)
            || (frame.Width, frame.Height) == (width, height)
        )
        {
            return null;
        }

        var whole = new MagickImage(MagickColors.White, width, height);
        whole.Composite(frame, page.X, page.Y, CompositeOperator.Over);
        return whole;
    }

    /// <summary>A frame of a video: red, green, blue bytes [height, width, 3]. If encoded, it is a JPEG.</summary>
    internal static RgbImage OfFrame(int width, int height, byte[] pixels, string name) =>
        new(width, height, pixels, "image/jpeg", name);

    internal static void EnsureDecoderIsLimited() => _ = DecoderIsLimited.Value;

    internal static ImageFormatException TooLong(long byteCount, string name, ImageLimits limits) =>
        new(name, Invariant($"is {byteCount:N0} bytes long; at most {limits.MaxFileBytes:N0} are accepted"));

    internal static void CheckSize(long width, long height, string name, ImageLimits limits)
    {
        var (shorter, longer) = width < height ? (width, height) : (height, width);
        var fault =
            shorter < limits.MinSide ? $"at least {limits.MinSide} on each side are needed"
            : longer > limits.MaxSide ? $"at most {limits.MaxSide:N0} on a side are accepted (scale it down)"
            : width * height > limits.MaxPixels ? $"at most {limits.MaxPixels:N0} in all are accepted (scale it down)"
            : longer > shorter * limits.MaxAspectRatio
                ? $"the longer side may be at most {limits.MaxAspectRatio} times the shorter (crop it)"
            : (FormattableString?)null;
        if (fault is not null)
        {
            throw new ImageFormatException(name, Invariant($"is {width:N0} x {height:N0} pixels; {fault}"));
        }
    }

    /// <summary>To its decoder, a JPEG that ends early is but a warning.</summary>
    private static bool IsTruncation(string warning) =>
        warning.Contains("premature end", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Sets the process's limits: pixels stay in memory, and within this much of it. Heads are checked before, so these
    /// are for what a decoder makes of a file beyond its head.
    /// </summary>
    private static bool LimitDecoder()
    {
        ResourceLimits.Memory = MaxDecoderBytes;
        ResourceLimits.MaxMemoryRequest = MaxDecoderBytes;
        ResourceLimits.Disk = 0;
        ResourceLimits.Width = MaxDecoderSide;
        ResourceLimits.Height = MaxDecoderSide;
        ResourceLimits.ListLength = AnimatedImage.MaxFrames + 1;
        return true;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
