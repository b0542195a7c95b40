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
            using var stream = File.OpenRead(path);
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
        if (stream.CanSeek)
        {
            CheckFileBytes(stream.Length, name, limits);
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
        Span<byte> start = stackalloc byte[16];
        try
        {
            using var stream = File.OpenRead(path);
            return FindFormat(start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)]) is not null;
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return false;
        }
    }

    /// <summary>Whether bytes begin as a picture does.</summary>
    /// <param name="encoded">The bytes of a file.</param>
    public static bool IsPicture(ReadOnlySpan<byte> encoded) => FindFormat(encoded) is not null;

    /// <summary>Checks a picture against limits by its head; no pixel is decoded.</summary>
    /// <param name="encoded">The file's bytes.</param>
    /// <param name="name">The picture's name for messages.</param>
    /// <param name="limits">The limits.</param>
    /// <exception cref="ImageFormatException">Another format, a damaged head, or beyond the limits.</exception>
    public static void CheckLimits(ReadOnlyMemory<byte> encoded, string name, ImageLimits limits)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(limits);
        CheckFileBytes(encoded.Length, name, limits);
        var (format, mediaType) = FormatOf(encoded.Span, name);
        EnsureDecoderIsLimited();
        try
        {
            using var image = new MagickImage();
            image.Ping(
                encoded.Span,
                new MagickReadSettings
                {
                    Format = format,
                    FrameIndex = 0,
                    FrameCount = 1,
                }
            );
            CheckSize(image.Width, image.Height, name, limits);
        }
        catch (MagickException exception)
        {
            throw new ImageFormatException(
                name,
                $"is no readable {mediaType} file: {OneLine(exception.Message)}",
                exception
            );
        }
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
        CheckFileBytes(encoded.Length, name, limits);
        var (format, mediaType) = FormatOf(encoded.Span, name);
        EnsureDecoderIsLimited();

        // Only the first frame is read, even of a file with thousands.
        var settings = new MagickReadSettings()
        {
            Format = format,
            FrameIndex = 0,
            FrameCount = 1,
        };
        try
        {
            using var image = new MagickImage();
            image.Ping(encoded.Span, settings);
            CheckSize(image.Width, image.Height, name, limits);
            var elapsed = Stopwatch.StartNew();

            // The decoder's own time limit counts from the start of the process, so it cannot be used.
            image.Progress += (_, progress) => progress.Cancel = elapsed.Elapsed > MaxDecoderTime;
            image.Warning += (_, warning) => ThrowIfTruncated(warning.Message, mediaType, name);
            image.Read(encoded.Span, settings);
            if (elapsed.Elapsed > MaxDecoderTime)
            {
                throw new ImageFormatException(
                    name,
                    $"takes longer than {MaxDecoderTime.TotalSeconds} seconds to decode"
                );
            }

            image.AutoOrient();
            image.ResetPage();
            image.ColorSpace = ColorSpace.sRGB;
            image.BackgroundColor = MagickColors.White;
            image.Alpha(AlphaAction.Remove);
            CheckSize(image.Width, image.Height, name, limits);
            using var pixels = image.GetPixels();
            var rgb = pixels.ToByteArray(PixelMapping.RGB) ?? throw new ImageFormatException(name, "holds no pixels");
            return new RgbImage((int)image.Width, (int)image.Height, rgb, mediaType, name);
        }
        catch (MagickException exception)
        {
            throw new ImageFormatException(
                name,
                $"is no readable {mediaType} file: {OneLine(exception.Message)}",
                exception
            );
        }
    }

    /// <summary>A frame of a video: red, green, blue bytes [height, width, 3]. If encoded, it is a JPEG.</summary>
    internal static RgbImage OfFrame(int width, int height, byte[] pixels, string name) =>
        new(width, height, pixels, "image/jpeg", name);

    internal static void EnsureDecoderIsLimited() => _ = DecoderIsLimited.Value;

    internal static (MagickFormat Format, string MediaType) FormatOf(ReadOnlySpan<byte> encoded, string name) =>
        FindFormat(encoded)
        ?? throw new ImageFormatException(
            name,
            encoded.IsEmpty ? "is empty; a JPEG, PNG, WebP, GIF or BMP is needed" : "is no JPEG, PNG, WebP, GIF or BMP"
        );

    internal static void CheckFileBytes(long byteCount, string name, ImageLimits limits)
    {
        if (byteCount > limits.MaxFileBytes)
        {
            throw new ImageFormatException(
                name,
                Invariant($"is {byteCount:N0} bytes long; at most {limits.MaxFileBytes:N0} are accepted")
            );
        }
    }

    private static (MagickFormat Format, string MediaType)? FindFormat(ReadOnlySpan<byte> encoded)
    {
        if (encoded.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]))
        {
            return (MagickFormat.Jpeg, "image/jpeg");
        }

        if (encoded.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]))
        {
            return (MagickFormat.Png, "image/png");
        }

        if (encoded.Length >= 12 && encoded.StartsWith("RIFF"u8) && encoded[8..].StartsWith("WEBP"u8))
        {
            return (MagickFormat.WebP, "image/webp");
        }

        if (encoded.StartsWith("GIF87a"u8) || encoded.StartsWith("GIF89a"u8))
        {
            return (MagickFormat.Gif, "image/gif");
        }

        return encoded.StartsWith("BM"u8) ? (MagickFormat.Bmp, "image/bmp") : null;
    }

    internal static void CheckSize(uint width, uint height, string name, ImageLimits limits)
    {
        var (shorter, longer) = width < height ? (width, height) : (height, width);
        var fault =
            shorter < limits.MinSide ? $"at least {limits.MinSide} on each side are needed"
            : longer > limits.MaxSide ? $"at most {limits.MaxSide:N0} on a side are accepted (scale it down)"
            : (long)width * height > limits.MaxPixels
                ? $"at most {limits.MaxPixels:N0} in all are accepted (scale it down)"
            : longer > shorter * limits.MaxAspectRatio
                ? $"the longer side may be at most {limits.MaxAspectRatio} times the shorter (crop it)"
            : (FormattableString?)null;
        if (fault is not null)
        {
            throw new ImageFormatException(name, Invariant($"is {width:N0} x {height:N0} pixels; {fault}"));
        }
    }

    /// <summary>To its decoder, a JPEG that ends early is but a warning. Here it is an error.</summary>
    private static void ThrowIfTruncated(string warning, string mediaType, string name)
    {
        if (warning.Contains("premature end", StringComparison.OrdinalIgnoreCase))
        {
            throw new ImageFormatException(name, $"is a truncated {mediaType} file (download or copy it again)");
        }
    }

    /// <summary>Sets the process's limits: pixels stay in memory, and within this much of it.</summary>
    private static bool LimitDecoder()
    {
        ResourceLimits.Memory = MaxDecoderBytes;
        ResourceLimits.Disk = 0;
        return true;
    }

    internal static string OneLine(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
