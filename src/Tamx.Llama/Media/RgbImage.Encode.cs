using ImageMagick;

namespace Tamx.Llama.Media;

public sealed partial class RgbImage
{
    /// <summary>A picture of given pixels.</summary>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="pixels">Red, green, blue bytes from the top left: [height, width, 3]. Not copied.</param>
    /// <param name="name">What the picture is called.</param>
    /// <exception cref="ArgumentException">The number of bytes does not fit the size.</exception>
    public static RgbImage FromPixels(int width, int height, byte[] pixels, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return pixels.Length == (long)width * height * 3
            ? new RgbImage(width, height, pixels, "image/png", name)
            : throw new ArgumentException(
                $"{width} x {height} pixels need {(long)width * height * 3} bytes, not {pixels.Length}.",
                nameof(pixels)
            );
    }

    /// <summary>The picture as a JPEG of quality 90.</summary>
    public byte[] EncodeJpeg()
    {
        using var image = ToMagick();
        image.Quality = 90;
        return image.ToByteArray(MagickFormat.Jpeg);
    }

    /// <summary>The picture as a PNG.</summary>
    public byte[] EncodePng()
    {
        using var image = ToMagick();
        return EncodePng(image);
    }

    /// <summary>A picture as a PNG of its pixels alone: the time, which ImageMagick adds, makes files differ.</summary>
    internal static byte[] EncodePng(IMagickImage<byte> image)
    {
        image.Settings.SetDefine(MagickFormat.Png, "exclude-chunks", "all,tIME");
        return image.ToByteArray(MagickFormat.Png24);
    }
}
