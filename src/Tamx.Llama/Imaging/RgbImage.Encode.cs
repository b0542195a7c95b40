using ImageMagick;

namespace Tamx.Llama.Imaging;

public sealed partial class RgbImage
{
    /// <summary>The picture as a JPEG of quality 90.</summary>
    public byte[] EncodeJpeg()
    {
        using MagickImage image = ToMagick();
        image.Quality = 90;
        return image.ToByteArray(MagickFormat.Jpeg);
    }
}
