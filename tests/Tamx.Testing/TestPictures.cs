using ImageMagick;
using Tamx.Llama.Chat;

namespace Tamx.Testing;

/// <summary>Pictures of a given size for prompts, as PNG.</summary>
public static class TestPictures
{
    public static ImagePart Gradient(int width, int height, string name = "gradient.png")
    {
        var pixels = new byte[width * height * 3];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var i = ((y * width) + x) * 3;
                pixels[i] = (byte)(255 * x / width);
                pixels[i + 1] = (byte)(255 * y / height);
                pixels[i + 2] = (byte)((x / 16 * 40) ^ (y / 16 * 24));
            }
        }

        using var image = new MagickImage();
        image.ReadPixels(pixels, new PixelReadSettings((uint)width, (uint)height, StorageType.Char, PixelMapping.RGB));
        return new ImagePart(image.ToByteArray(MagickFormat.Png), name);
    }
}
