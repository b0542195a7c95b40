using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using ImageMagick;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Media;

/// <summary>A picture's size is read from its head before a decoder sees the file, and held to the limits.</summary>
public class PictureHeadTests
{
    private static readonly byte[] EmptyBlocks = [2, 0];

    public static TheoryData<string, string> Claims =>
        new()
        {
            { "row.png", "300,000,000 x 16" },
            { "rows.png", "8 x 2,147,483,647" },
            { "square.jpg", "65,535 x 65,500" },
            { "after-tables.jpg", "65,535 x 65,500" },
            { "screen.gif", "65,535 x 65,534" },
            { "frame.gif", "65,635 x 65,634" },
            { "second-frame.gif", "65,535 x 60,000" },
            { "canvas.webp", "16,777,216 x 16,777,215" },
            { "lossy.webp", "16,383 x 16,382" },
            { "lossless.webp", "16,384 x 16,384" },
            { "frame.webp", "16,778,216 x 40" },
            { "info.bmp", "2,147,483,647 x 2,147,483,648" },
            { "top-down.bmp", "100,000 x 100,000" },
            { "core.bmp", "65,535 x 65,535" },
        };

    [Theory]
    [MemberData(nameof(Claims))]
    public void CheckLimits_ClaimBeyondLimits_IsRefusedWithItsSize(string name, string size)
    {
        var message = Assert
            .Throws<ImageFormatException>(() => RgbImage.CheckLimits(Claim(name), name, ImageLimits.Default))
            .Message;

        Assert.StartsWith($"{name}: is {size} pixels; ", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Decode_ClaimsBeyondLimits_TakeNoMemory()
    {
        using var folder = new TemporaryFolder();
        string[] files = [.. Claims.Select(row => Save(folder, row.Data.Item1, Claim(row.Data.Item1)))];

        Assert.InRange(await PeakBytes(20, files), 1, 100_000_000);
    }

    [Fact]
    public async Task Decode_TruncatedAgainAndAgain_LeaksNothing()
    {
        // What a decoder holds of one of these is 3 MB or more. 60 of them would be 180.
        using var folder = new TemporaryFolder();
        using var picture = new MagickImage("plasma:red-blue", 1024, 1024) { Quality = 85 };
        var jpeg = picture.ToByteArray(MagickFormat.Jpeg);
        var gif = picture.ToByteArray(MagickFormat.Gif);
        string[] files =
        [
            Save(folder, "cut.jpg", jpeg[..(jpeg.Length / 2)]),
            Save(folder, "cut.gif", gif[..(gif.Length / 2)]),
        ];
        var few = await PeakBytes(3, files);
        var many = await PeakBytes(60, files);

        Assert.InRange(many - few, long.MinValue, 40_000_000);
    }

    [Theory]
    [InlineData(MagickFormat.Jpeg)]
    [InlineData(MagickFormat.Pjpeg)]
    [InlineData(MagickFormat.Png)]
    [InlineData(MagickFormat.WebP)]
    [InlineData(MagickFormat.Gif)]
    [InlineData(MagickFormat.Bmp)]
    [InlineData(MagickFormat.Bmp2)]
    [InlineData(MagickFormat.Bmp3)]
    public void Read_EachFormat_GivesTheSizeThatIsDecoded(MagickFormat format)
    {
        using var picture = new MagickImage("plasma:red-blue", 61, 47);
        picture.SetProfile(new ExifProfile());
        var encoded = picture.ToByteArray(format);

        var head = PictureHead.Read(encoded, "picture", ImageLimits.Default);

        Assert.Equal((61, 47), (head.Width, head.Height));
        Assert.Equal((61, 47), (RgbImage.Decode(encoded, "picture").Width, RgbImage.Decode(encoded, "picture").Height));
    }

    [Theory]
    [InlineData(MagickFormat.Gif)]
    [InlineData(MagickFormat.WebP)]
    public void Read_Animation_CountsItsFrames(MagickFormat format)
    {
        var encoded = TestVideos.Animation(format, 50, 50, 50, 50);

        Assert.Equal(4, PictureHead.Read(encoded, "animation", ImageLimits.Default).FrameCount);
    }

    [Fact]
    public void Decode_PngWithGamma_GivesItsValues()
    {
        // Gamma 1: a decoder that applies it turns 64 into 137.
        var png = PngBytes.Make(16, 16, 8, PngBytes.Grey, [.. Enumerable.Repeat(Row(64), 16).SelectMany(row => row)]);
        byte[] gamma = [0, 1, 0x86, 0xA0];

        var image = RgbImage.Decode(PngBytes.WithChunk(png, "gAMA", gamma), "gamma.png");

        Assert.Equal([64, 64, 64], image.Pixels[..3].ToArray());

        static byte[] Row(byte value) => [0, .. Enumerable.Repeat(value, 16)];
    }

    [Fact]
    public void Decode_PngTurnedByExif_IsTurned()
    {
        using var picture = new MagickImage("plasma:red-blue", 24, 16);
        var exif = new ExifProfile();
        exif.SetValue(ExifTag.Orientation, (ushort)6);
        picture.SetProfile(exif);
        picture.Orientation = (Orientation)6;

        var image = RgbImage.Decode(picture.ToByteArray(MagickFormat.Png), "turned.png");

        Assert.Equal((16, 24), (image.Width, image.Height));
    }

    [Theory]
    [InlineData(40, 0, false)] // as most programs write it
    [InlineData(40, 3, false)] // masks for three colours
    [InlineData(124, 0, false)] // a mask for alpha that does not count
    [InlineData(124, 3, true)]
    public void Decode_BmpOf32Bits_FourthByteIsAlphaOnlyWithAMask(int headerBytes, int compression, bool isAlpha)
    {
        var image = RgbImage.Decode(Bmp32(headerBytes, compression, alpha: 64), "picture.bmp");

        // Red at a quarter of its strength on white, or red.
        byte[] expected = isAlpha ? [255, 191, 191] : [255, 0, 0];
        for (var channel = 0; channel < 3; channel++)
        {
            Assert.InRange(image.Pixels[channel], expected[channel] - 1, expected[channel] + 1);
        }
    }

    [Fact]
    public void Decode_GifWhoseFirstFrameIsAPart_IsWholeOnWhite()
    {
        var image = RgbImage.Decode(PartialGif(frames: 1), "part.gif");

        Assert.Equal((20, 16), (image.Width, image.Height));
        Assert.Equal([255, 255, 255], Pixel(image, 1, 1));
        Assert.Equal([255, 0, 0], Pixel(image, 10, 10));
    }

    [Fact]
    public void Decode_AnimationWhoseFirstFrameIsAPart_GroundIsWhite()
    {
        using var folder = new TemporaryFolder();
        var frames = Video
            .FromFile(Save(folder, "part.gif", PartialGif(frames: 2)))
            .Source.Read(default)
            .Select(frame => frame.Image)
            .ToArray();

        Assert.Equal(2, frames.Length);
        Assert.All(frames, frame => Assert.Equal([255, 255, 255], Pixel(frame, 1, 1)));
        Assert.All(frames, frame => Assert.Equal([255, 0, 0], Pixel(frame, 10, 10)));
    }

    private static byte[] Pixel(RgbImage image, int x, int y) =>
        image.Pixels.Slice(((y * image.Width) + x) * 3, 3).ToArray();

    private static string Save(TemporaryFolder folder, string name, byte[] content)
    {
        File.WriteAllBytes(folder.File(name), content);
        return folder.File(name);
    }

    private static async Task<long> PeakBytes(int times, string[] files)
    {
        using var process = Process.Start(ChildProgram.Start(["pictures", $"{times}", .. files]))!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"ended with {process.ExitCode}: {await error}");
        return long.Parse(output, CultureInfo.InvariantCulture);
    }

    /// <summary>A file of a few bytes that claims much.</summary>
    private static byte[] Claim(string name) =>
        name switch
        {
            "row.png" => PngBytes.Make(300_000_000, 16, 8, PngBytes.Rgb, []),
            "rows.png" => PngBytes.Make(8, int.MaxValue, 8, PngBytes.Rgb, []),
            "square.jpg" => Jpeg([]),
            "after-tables.jpg" => Jpeg([0xFF, 0xE1, 0, 4, 1, 2, 0xFF, 0xFF, 0xDB, 0, 3, 1]),
            "screen.gif" => Gif(65_535, 65_534, (0, 0, 8, 8)),
            "frame.gif" => Gif(8, 8, (100, 100, 65_535, 65_534)),
            "second-frame.gif" => Gif(8, 8, (0, 0, 8, 8), (0, 0, 65_535, 60_000)),
            "canvas.webp" => WebP("VP8X", [0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0xFF]),
            "lossy.webp" => WebP("VP8 ", [0, 0, 0, 0x9D, 1, 0x2A, 0xFF, 0x3F, 0xFE, 0x3F]),
            "lossless.webp" => WebP("VP8L", [0x2F, 0xFF, 0xFF, 0xFF, 0x0F]),
            "frame.webp" =>
            [
                .. WebP("VP8X", [2, 0, 0, 0, 39, 0, 0, 39, 0, 0]),
                .. Chunk("ANMF", [0xF4, 1, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 7, 0, 0, 0, 0, 0, 0]),
            ],
            "info.bmp" => Bmp(40, int.MaxValue, int.MinValue),
            "top-down.bmp" => Bmp(124, 100_000, -100_000),
            "core.bmp" => [.. "BM"u8, .. new byte[12], 12, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 24, 0],
            _ => throw new ArgumentException(name),
        };

    private static byte[] Jpeg(byte[] before) =>
        [0xFF, 0xD8, .. before, 0xFF, 0xC0, 0, 17, 8, 0xFF, 0xDC, 0xFF, 0xFF, 3, .. new byte[9]];

    private static byte[] Gif(int width, int height, params (int X, int Y, int Width, int Height)[] frames) =>
        [
            .. "GIF89a"u8,
            .. Words(width, height),
            0,
            0,
            0,
            .. frames.SelectMany(frame =>
                (byte[])[0x2C, .. Words(frame.X, frame.Y, frame.Width, frame.Height), 0, .. EmptyBlocks]
            ),
            0x3B,
        ];

    /// <summary>20 x 16 with red frames of 8 x 8 at (8, 8).</summary>
    private static byte[] PartialGif(int frames)
    {
        using var red = new MagickImage(MagickColors.Red, 8, 8);
        using MagickImageCollection images = [.. Enumerable.Range(0, frames).Select(_ => red.Clone())];
        foreach (var image in images)
        {
            image.AnimationDelay = 50;
            image.Page = new MagickGeometry(8, 8, 20, 16);
        }

        return images.ToByteArray(MagickFormat.Gif);
    }

    private static byte[] WebP(string chunk, byte[] data) =>
        [.. "RIFF"u8, 0, 0, 0, 1, .. "WEBP"u8, .. Chunk(chunk, data)];

    private static byte[] Chunk(string type, byte[] data)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, data.Length);
        return [.. System.Text.Encoding.ASCII.GetBytes(type), .. length, .. data];
    }

    private static byte[] Bmp(int headerBytes, int width, int height)
    {
        var file = new byte[14 + headerBytes];
        "BM"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(10), file.Length);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(14), headerBytes);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(18), width);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(22), height);
        file[26] = 1;
        file[28] = 24;
        return file;
    }

    /// <summary>8 x 8 red pixels of 32 bits.</summary>
    private static byte[] Bmp32(int headerBytes, int compression, byte alpha)
    {
        const int MaskStart = 14 + 40;
        var masks = headerBytes == 40 && compression == 3 ? 12 : 0;
        byte[] head = [.. Bmp(headerBytes, 8, 8), .. new byte[masks]];
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(10), head.Length);
        head[28] = 32;
        head[30] = (byte)compression;
        if (headerBytes > 40 || masks > 0)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(MaskStart), 0x00FF0000);
            BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(MaskStart + 4), 0x0000FF00);
            BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(MaskStart + 8), 0x000000FF);
        }

        if (headerBytes > 40)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(MaskStart + 12), 0xFF000000);
        }

        byte[] red = [0, 0, 255, alpha];
        byte[] file = [.. head, .. Enumerable.Repeat(red, 64).SelectMany(pixel => pixel)];
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(2), file.Length);
        return file;
    }

    private static byte[] Words(params int[] values) =>
        [.. values.SelectMany(value => (byte[])[(byte)value, (byte)(value >> 8)])];
}
