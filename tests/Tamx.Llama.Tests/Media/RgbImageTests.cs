using ImageMagick;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Media;

public class RgbImageTests
{
    private static readonly byte[] Red = [255, 0, 0];
    private static readonly byte[] Green = [0, 255, 0];
    private static readonly byte[] Blue = [0, 0, 255];
    private static readonly byte[] White = [255, 255, 255];

    [Theory]
    [InlineData(MagickFormat.Jpeg, "image/jpeg", 40)]
    [InlineData(MagickFormat.Png, "image/png", 0)]
    [InlineData(MagickFormat.WebP, "image/webp", 60)]
    [InlineData(MagickFormat.Gif, "image/gif", 0)]
    [InlineData(MagickFormat.Bmp, "image/bmp", 0)]
    public void Decode_EachFormat_GivesItsPixels(MagickFormat format, string mediaType, int tolerance)
    {
        using var quadrants = Quadrants();

        var image = RgbImage.Decode(quadrants.ToByteArray(format), "picture");

        Assert.Equal((32, 16), (image.Width, image.Height));
        Assert.Equal(32 * 16 * 3, image.Pixels.Length);
        Assert.Equal(mediaType, image.MediaType);
        AssertCorners(image, tolerance, Red, Green, Blue, White);
    }

    [Theory]
    [InlineData(1, "RGBW")]
    [InlineData(2, "GRWB")]
    [InlineData(3, "WBGR")]
    [InlineData(4, "BWRG")]
    [InlineData(5, "RBGW")]
    [InlineData(6, "BRWG")]
    [InlineData(7, "WGBR")]
    [InlineData(8, "GWRB")]
    public void Decode_ExifOrientation_IsApplied(int orientation, string corners)
    {
        using var quadrants = Quadrants();
        var exif = new ExifProfile();
        exif.SetValue(ExifTag.Orientation, (ushort)orientation);
        quadrants.SetProfile(exif);
        quadrants.Orientation = (Orientation)orientation;
        quadrants.Quality = 100;

        var image = RgbImage.Decode(quadrants.ToByteArray(MagickFormat.Jpeg), "photo");

        Assert.Equal(orientation >= 5 ? (16, 32) : (32, 16), (image.Width, image.Height));
        byte[][] expected =
        [
            .. corners.Select(c =>
                c switch
                {
                    'R' => Red,
                    'G' => Green,
                    'B' => Blue,
                    _ => White,
                }
            ),
        ];
        AssertCorners(image, 40, expected[0], expected[1], expected[2], expected[3]);
    }

    [Fact]
    public void Decode_Transparency_LiesOnWhite()
    {
        using var picture = new MagickImage(new MagickColor(255, 0, 0, 0), 16, 16);
        using var half = new MagickImage(new MagickColor(0, 0, 0, 128), 8, 16);
        picture.Composite(half, 8, 0, CompositeOperator.Copy);

        var image = RgbImage.Decode(picture.ToByteArray(MagickFormat.Png32), "picture");

        AssertColour(image, 2, 8, 0, White);
        AssertColour(image, 12, 8, 1, [127, 127, 127]);
    }

    [Fact]
    public void Decode_GreySixteenBit_BecomesRgbEightBit()
    {
        var scanlines = new byte[16 * (1 + (16 * 2))];
        for (var y = 0; y < 16; y++)
        {
            for (var x = 0; x < 16; x++)
            {
                scanlines[(y * 33) + 1 + (x * 2)] = 0x80;
            }
        }

        var image = RgbImage.Decode(PngBytes.Make(16, 16, 16, PngBytes.Grey, scanlines), "grey");

        AssertColour(image, 5, 5, 1, [128, 128, 128]);
    }

    [Fact]
    public void Decode_Palette_BecomesRgb()
    {
        using var quadrants = Quadrants();

        var image = RgbImage.Decode(quadrants.ToByteArray(MagickFormat.Png8), "palette");

        AssertCorners(image, 0, Red, Green, Blue, White);
    }

    [Fact]
    public void Decode_CmykJpeg_BecomesRgb()
    {
        using var quadrants = Quadrants();
        quadrants.ColorSpace = ColorSpace.CMYK;
        quadrants.Quality = 100;

        var image = RgbImage.Decode(quadrants.ToByteArray(MagickFormat.Jpeg), "print.jpg");

        AssertCorners(image, 60, Red, Green, Blue, White);
    }

    [Fact]
    public void Decode_Animation_GivesItsFirstFrame()
    {
        using MagickImageCollection frames =
        [
            new MagickImage(MagickColors.Red, 16, 16),
            new MagickImage(MagickColors.Blue, 16, 16),
        ];

        var image = RgbImage.Decode(frames.ToByteArray(MagickFormat.Gif), "animation");

        AssertColour(image, 8, 8, 0, Red);
    }

    [Theory]
    [InlineData(MagickFormat.Jpeg)]
    [InlineData(MagickFormat.Png)]
    [InlineData(MagickFormat.WebP)]
    [InlineData(MagickFormat.Gif)]
    [InlineData(MagickFormat.Bmp)]
    public void Decode_TruncatedAtManyPlaces_IsAnError(MagickFormat format)
    {
        using var picture = new MagickImage("plasma:red-blue", 64, 48) { Quality = 90 };
        var whole = picture.ToByteArray(format);
        for (var i = 0; i < 20; i++)
        {
            var part = whole[..(int)((long)whole.Length * i / 20)];
            var message = Assert.Throws<ImageFormatException>(() => RgbImage.Decode(part, "cut")).Message;
            Assert.StartsWith("cut: ", message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', message);
        }
    }

    [Fact]
    public void Decode_JpegWithStrayBytes_IsReadAsOthersReadIt()
    {
        using var quadrants = Quadrants();
        var jpeg = quadrants.ToByteArray(MagickFormat.Jpeg);

        var image = RgbImage.Decode((byte[])[.. jpeg[..^2], 1, 2, 3, 4, 5, .. jpeg[^2..], 0, 0, 0], "stray");

        AssertCorners(image, 40, Red, Green, Blue, White);
    }

    [Theory]
    [InlineData("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"64\" height=\"64\"/>")]
    [InlineData(
        "push graphic-context\nviewbox 0 0 640 480\nimage over 0,0 0,0 'https://example.invalid/x.png'\npop "
            + "graphic-context"
    )]
    [InlineData("just a text that somebody named picture.png")]
    [InlineData("%!PS-Adobe-3.0\nshowpage")]
    [InlineData("")]
    public void Decode_NoPicture_IsRefusedByItsFirstBytes(string text)
    {
        var message = Assert
            .Throws<ImageFormatException>(() =>
                RgbImage.Decode(System.Text.Encoding.UTF8.GetBytes(text), "picture.png")
            )
            .Message;

        Assert.Contains("JPEG, PNG, WebP, GIF or BMP", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\u0089PNG\r\n\u001a\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>")]
    [InlineData("GIF89a push graphic-context image over 0,0 0,0 '/etc/passwd'")]
    [InlineData("BM text:/etc/passwd msl: and more than enough letters to look like a header of a picture file")]
    [InlineData("\u00ff\u00d8\u00ff\u00e0 no picture after all")]
    [InlineData("RIFF\u0010\u0000\u0000\u0000WEBPVP8 garbage garbage garbage")]
    public void Decode_RightMagicWrongRest_IsRefusedByThatDecoder(string text)
    {
        Assert.Throws<ImageFormatException>(() =>
            RgbImage.Decode(System.Text.Encoding.Latin1.GetBytes(text), "disguised")
        );
    }

    [Theory]
    [InlineData(1, 1, "is 1 x 1 pixels; at least 8")]
    [InlineData(7, 100, "is 7 x 100 pixels; at least 8")]
    [InlineData(60_000, 8, "is 60,000 x 8 pixels; at most 16,384")]
    [InlineData(8, 60_000, "is 8 x 60,000 pixels; at most 16,384")]
    [InlineData(16_000, 16_000, "is 16,000 x 16,000 pixels; at most 64,000,000")]
    [InlineData(8, 1608, "is 8 x 1,608 pixels; the longer side may be at most 200 times")]
    public void Decode_SizeBeyondTheLimits_IsRefusedBeforeDecoding(uint width, uint height, string message)
    {
        // The data is a hundred bytes: whoever decodes before looking at the size reports truncation instead.
        var png = PngBytes.Make(width, height, 8, PngBytes.Rgb, new byte[100]);

        Assert.Equal(
            $"big.png: {message}",
            Assert.Throws<ImageFormatException>(() => RgbImage.Decode(png, "big.png")).Message[..(9 + message.Length)]
        );
    }

    [Fact]
    public void Decode_DecompressionBomb_IsRefusedBySize()
    {
        // 60,000 x 60,000 pixels (11 GB), of which 20 MB of zeros are there: enough for a decoder to start on.
        var bomb = PngBytes.Make(60_000, 60_000, 8, PngBytes.Rgb, new byte[20_000_000]);

        var message = Assert.Throws<ImageFormatException>(() => RgbImage.Decode(bomb, "bomb.png")).Message;

        Assert.InRange(bomb.Length, 0, 200_000);
        Assert.StartsWith("bomb.png: is 60,000 x 60,000 pixels", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_OwnLimits_AreHeld()
    {
        using var quadrants = Quadrants();
        var png = quadrants.ToByteArray(MagickFormat.Png);

        Assert.Contains(
            "bytes long; at most 10",
            Refused(new ImageLimits { MaxFileBytes = 10 }),
            StringComparison.Ordinal
        );
        Assert.Contains("at most 20 on a side", Refused(new ImageLimits { MaxSide = 20 }), StringComparison.Ordinal);
        Assert.Contains("at most 500 in all", Refused(new ImageLimits { MaxPixels = 500 }), StringComparison.Ordinal);
        Assert.Contains("at least 17", Refused(new ImageLimits { MinSide = 17 }), StringComparison.Ordinal);
        Assert.Contains(
            "at most 1.5 times",
            Refused(new ImageLimits { MaxAspectRatio = 1.5 }),
            StringComparison.Ordinal
        );

        string Refused(ImageLimits limits)
        {
            var message = Assert.Throws<ImageFormatException>(() => RgbImage.Decode(png, "p", limits)).Message;

            // The header alone tells the same.
            Assert.Equal(
                message,
                Assert.Throws<ImageFormatException>(() => RgbImage.CheckLimits(png, "p", limits)).Message
            );
            return message;
        }
    }

    [Fact]
    public void IsPicture_FirstBytes_Decide()
    {
        using var quadrants = Quadrants();
        Assert.True(RgbImage.IsPicture(quadrants.ToByteArray(MagickFormat.Png).AsSpan(0, 20)));
        Assert.False(RgbImage.IsPicture("no picture"u8));
        Assert.False(RgbImage.IsPicture([]));
    }

    [Fact]
    public void Open_MissingFileOrFolder_SaysSo()
    {
        var folder = Path.GetTempPath();
        var missing = Path.Combine(folder, "tamx-no-such-picture.jpg");

        Assert.Equal(
            $"{missing}: no such file",
            Assert.Throws<ImageFormatException>(() => RgbImage.Open(missing)).Message
        );
        Assert.Contains(
            "is a folder",
            Assert.Throws<ImageFormatException>(() => RgbImage.Open(folder)).Message,
            StringComparison.Ordinal
        );
    }

    /// <summary>32 x 16: red and green above, blue and white below.</summary>
    private static MagickImage Quadrants()
    {
        var image = new MagickImage(MagickColors.White, 32, 16);
        Fill(MagickColors.Red, 0, 0);
        Fill(MagickColors.Lime, 16, 0);
        Fill(MagickColors.Blue, 0, 8);
        return image;

        void Fill(IMagickColor<byte> colour, int x, int y)
        {
            using var quadrant = new MagickImage(colour, 16, 8);
            image.Composite(quadrant, x, y, CompositeOperator.Copy);
        }
    }

    private static void AssertCorners(
        RgbImage image,
        int tolerance,
        byte[] topLeft,
        byte[] topRight,
        byte[] bottomLeft,
        byte[] bottomRight
    )
    {
        AssertColour(image, 2, 2, tolerance, topLeft);
        AssertColour(image, image.Width - 3, 2, tolerance, topRight);
        AssertColour(image, 2, image.Height - 3, tolerance, bottomLeft);
        AssertColour(image, image.Width - 3, image.Height - 3, tolerance, bottomRight);
    }

    private static void AssertColour(RgbImage image, int x, int y, int tolerance, byte[] expected)
    {
        for (var channel = 0; channel < 3; channel++)
        {
            int found = image.Pixels[(((y * image.Width) + x) * 3) + channel];
            Assert.InRange(found, expected[channel] - tolerance, expected[channel] + tolerance);
        }
    }

    /// <summary>
    /// By itself ImageMagick writes when the file was made, so that no two files, and no two traces, would be equal.
    /// </summary>
    [Fact]
    public void EncodePng_Twice_PixelsAloneAndEqual()
    {
        var image = RgbImage.Decode(TestPictures.Gradient(20, 12).Encoded, "gradient");
        var file = image.EncodePng();

        Assert.Equal(["IHDR", "IDAT", "IEND"], PngBytes.ChunkTypes(file).Distinct());
        Assert.Equal(image.Pixels, RgbImage.Decode(file, "again").Pixels);
    }

    [Fact]
    public void FramesOfAnimation_Png_PixelsAlone()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("moving.gif");
        File.WriteAllBytes(path, TestVideos.Animation(MagickFormat.Gif, 50, 50, 50));
        var frames = Video
            .FromFile(path)
            .Source.Read(default)
            .Select(frame => frame.Encoded!.Encoded.ToArray())
            .ToArray();

        Assert.NotEmpty(frames);
        Assert.All(frames, frame => Assert.Equal(["IHDR", "IDAT", "IEND"], PngBytes.ChunkTypes(frame).Distinct()));
    }
}
