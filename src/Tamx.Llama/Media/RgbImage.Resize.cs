using ImageMagick;

namespace Tamx.Llama.Media;

public sealed partial class RgbImage
{
    /// <summary>The picture stretched to a size by the cubic filter of Qwen's image processor (Catmull-Rom).</summary>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <returns>The resized picture, or this one if it has the size.</returns>
    public RgbImage Resize(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (width == Width && height == Height)
        {
            return this;
        }

        using var image = ToMagick();
        image.FilterType = FilterType.Catrom;
        image.Resize(new MagickGeometry((uint)width, (uint)height) { IgnoreAspectRatio = true });
        using var pixels = image.GetPixels();
        return new RgbImage(width, height, pixels.ToByteArray(PixelMapping.RGB)!, MediaType, Name);
    }

    /// <summary>A part of the picture.</summary>
    internal RgbImage Crop(int left, int top, int width, int height)
    {
        var part = new byte[width * height * 3];
        for (var y = 0; y < height; y++)
        {
            _pixels.AsSpan((((top + y) * Width) + left) * 3, width * 3).CopyTo(part.AsSpan(y * width * 3));
        }

        return new RgbImage(width, height, part, MediaType, Name);
    }

    private MagickImage ToMagick()
    {
        var image = new MagickImage();
        image.ReadPixels(_pixels, new PixelReadSettings((uint)Width, (uint)Height, StorageType.Char, PixelMapping.RGB));
        return image;
    }
}
