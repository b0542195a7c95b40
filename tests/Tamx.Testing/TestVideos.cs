using System.Diagnostics;
using ImageMagick;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;

namespace Tamx.Testing;

/// <summary>Frames and videos for tests.</summary>
public static class TestVideos
{
    /// <summary>A bright square on a gradient, further right in each frame.</summary>
    public static ImagePart Frame(int index, int width = 128, int height = 96)
    {
        var pixels = new byte[width * height * 3];
        var left = 16 * index % width;
        for (var i = 0; i < width * height; i++)
        {
            var (y, x) = (i / width, i % width);
            var isSquare = x >= left && x < left + 24 && y >= 30 && y < 54;
            pixels[3 * i] = isSquare ? (byte)250 : (byte)(200 * x / width);
            pixels[(3 * i) + 1] = isSquare ? (byte)(40 * index) : (byte)(200 * y / height);
            pixels[(3 * i) + 2] = (byte)((x / 16 * 40) ^ (y / 16 * 24));
        }

        using var image = new MagickImage();
        image.ReadPixels(pixels, new PixelReadSettings((uint)width, (uint)height, StorageType.Char, PixelMapping.RGB));
        return new ImagePart(image.ToByteArray(MagickFormat.Png), $"frame {index}.png");
    }

    /// <summary>Some of them.</summary>
    public static IReadOnlyList<ImagePart> Frames(int count, int width = 128, int height = 96) =>
        [.. Enumerable.Range(0, count).Select(index => Frame(index, width, height))];

    /// <summary>An animated GIF or WebP of such frames.</summary>
    /// <param name="format">GIF or WebP.</param>
    /// <param name="hundredths">How long each frame is shown, in hundredths of a second.</param>
    public static byte[] Animation(MagickFormat format, params int[] hundredths)
    {
        using var images = new MagickImageCollection();
        foreach (var (index, delay) in hundredths.Index())
        {
            images.Add(new MagickImage(Frame(index).Encoded.Span) { AnimationDelay = (uint)delay, Quality = 100 });
        }

        return images.ToByteArray(format);
    }

    /// <summary>Skips the test where ffmpeg is missing.</summary>
    public static void SkipWithoutFfmpeg() =>
        Assert.SkipWhen(
            Video.FfmpegPath is null,
            "Needs ffmpeg and ffprobe (Debian: apt-get install ffmpeg) on the PATH."
        );

    /// <summary>
    /// Writes a video with the ffmpeg on the PATH: a moving test picture, whose frames all differ. Skips the test where
    /// it is missing.
    /// </summary>
    /// <param name="path">The file; its ending chooses the container.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="options">More options for the output.</param>
    public static void Write(string path, double seconds, params string[] options)
    {
        SkipWithoutFfmpeg();
        var start = new ProcessStartInfo("ffmpeg") { RedirectStandardError = true };
        string[] arguments =
        [
            "-v",
            "error",
            "-nostdin",
            "-y",
            "-f",
            "lavfi",
            "-i",
            FormattableString.Invariant($"testsrc=size=160x120:rate=30:duration={seconds}"),
            "-pix_fmt",
            "yuv420p",
            .. options,
            "file:" + path,
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error);
    }
}
