using ImageMagick;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Media;

public sealed class VideoTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void FromFrames_FiveAtTwoPerSecond_ThreePatches()
    {
        var video = VideoPart.FromFrames(TestVideos.Frames(5)).Video;

        Assert.Equal((128, 96), (video.Width, video.Height));
        Assert.Equal([0, 0.5, 1, 1.5, 2], video.Seconds);
        Assert.Equal(2, video.FramesPerSecond);
        Assert.Equal(3, video.PatchCount);
        Assert.Equal([0.25, 1.25, 2], Enumerable.Range(0, 3).Select(video.PatchSeconds));
        Assert.Equal(
            Enumerable.Range(0, 5).Select(index => $"frame {index}.png"),
            video.Source.Read(default).Select(frame => frame.Encoded!.Name)
        );
    }

    [Fact]
    public void FromFrames_MoreThanTheLimit_SpreadsThem()
    {
        var video = VideoPart
            .FromFrames(TestVideos.Frames(10), new VideoSampling { FramesPerSecond = 5, MaxFrames = 4 })
            .Video;
        Assert.Equal([0, 0.6, 1.2, 1.8], video.Seconds);
        Assert.Equal(2, video.FramesPerSecond);
    }

    [Fact]
    public void FromFrames_DifferentSizes_NamesTheFrame()
    {
        var message = Message(() =>
            VideoPart.FromFrames([TestVideos.Frame(0), TestVideos.Frame(1), TestVideos.Frame(2, width: 64)])
        );
        Assert.Contains(
            "frame frame 2.png is 64 x 96 pixels, frame 0.png is 128 x 96",
            message,
            StringComparison.Ordinal
        );
        Assert.Contains("one size", message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromFrames_Nothing_IsRefused() =>
        Assert.Contains("at least one picture", Message(() => Video.FromFrames([])), StringComparison.Ordinal);

    [Theory]
    [InlineData(0, 10)]
    [InlineData(-1, 10)]
    [InlineData(double.NaN, 10)]
    [InlineData(1e-9, 10)]
    [InlineData(2, 0)]
    public void FromFrames_SenselessSampling_IsRefused(double framesPerSecond, int maxFrames) =>
        Assert.Throws<InvalidInputException>(() =>
            VideoPart.FromFrames(
                TestVideos.Frames(2),
                new VideoSampling { FramesPerSecond = framesPerSecond, MaxFrames = maxFrames }
            )
        );

    [Fact]
    public void FromFolder_NumberedNames_NaturalOrderAndNothingElse()
    {
        foreach (var index in (int[])[10, 9, 0, 1])
        {
            File.WriteAllBytes(_folder.File($"{index}.png"), TestVideos.Frame(index).Encoded.ToArray());
        }

        File.WriteAllText(_folder.File("5.txt"), "no picture");
        var video = Video.FromFile(_folder.Path);
        Assert.Equal(
            ["0.png", "1.png", "9.png", "10.png"],
            video.Source.Read(default).Select(frame => frame.Encoded!.Name)
        );
        Assert.Equal(Path.GetFileName(_folder.Path), video.Name);
    }

    [Fact]
    public void FromFolder_Empty_IsRefused() =>
        Assert.Contains("holds no picture", Message(() => Video.FromFolder(_folder.Path)), StringComparison.Ordinal);

    [Fact]
    public void FromFile_SinglePicture_IsOneFrame()
    {
        File.WriteAllBytes(_folder.File("a.png"), TestVideos.Frame(0).Encoded.ToArray());
        var video = Video.FromFile(_folder.File("a.png"));
        Assert.Equal([0.0], video.Seconds);
        Assert.Equal(1, video.PatchCount);
        Assert.Equal(0, video.PatchSeconds(0));
    }

    [Fact]
    public void FromAnimation_Gif_DelaysBecomeTimes()
    {
        // 0.6 s in 6 frames is 10 per second; 2 per second would be 1: at least 4. 10 ms is shown for 100, as in
        // browsers.
        var video = Video.FromAnimation(TestVideos.Animation(MagickFormat.Gif, 1, 5, 15, 10, 12, 8), "a.gif");
        Assert.Equal([0, 0.15, 0.3, 0.52], video.Seconds.Select(time => Math.Round(time, 9)));
        Assert.Equal(10 * 4 / 6.0, video.FramesPerSecond, 9);
        Assert.Equal((128, 96), (video.Width, video.Height));

        // Frames 0, 2, 3 and 5 of the six, whole; a GIF's palette costs some of the colours.
        foreach (var (frame, index) in video.Source.Read(default).Zip([0, 2, 3, 5]))
        {
            var differences = Enumerable
                .Range(0, 6)
                .Select(i => Difference(frame.Image, RgbImage.Decode(TestVideos.Frame(i).Encoded, "frame")))
                .ToArray();
            Assert.InRange(differences[index], 0, 12);
            Assert.Equal(differences.Min(), differences[index]);
        }
    }

    [Fact]
    public void FromAnimation_OptimizedGif_FramesAreWhole()
    {
        using var images = new MagickImageCollection(TestVideos.Animation(MagickFormat.Gif, 50, 50, 50, 50));
        images.OptimizePlus();
        Assert.Contains(images, image => image.Width < 128 || image.Height < 96);

        var video = Video.FromAnimation(images.ToByteArray(MagickFormat.Gif), "a.gif");
        Assert.Equal([0, 0.5, 1, 1.5], video.Seconds);
        foreach (var (frame, index) in video.Source.Read(default).Select((frame, index) => (frame, index)))
        {
            Assert.InRange(
                Difference(frame.Image, RgbImage.Decode(TestVideos.Frame(index).Encoded, "expected")),
                0,
                12
            );
        }
    }

    [Fact]
    public void FromAnimation_WebP_DelaysBecomeTimes()
    {
        var video = Video.FromAnimation(TestVideos.Animation(MagickFormat.WebP, 25, 50, 75, 50), "a.webp");
        Assert.Equal([0, 0.25, 0.75, 1.5], video.Seconds.Select(time => Math.Round(time, 9)));
        Assert.InRange(
            Difference(
                video.Source.Read(default).ElementAt(2).Image,
                RgbImage.Decode(TestVideos.Frame(2).Encoded, "expected")
            ),
            0,
            12
        );
    }

    [Fact]
    public void FromAnimation_TooManyFrames_SaysTheLimit()
    {
        // The one frame of a small GIF, from its image separator to before the file's end, over and over.
        using var image = new MagickImage(MagickColors.Red, 8, 8);
        var one = image.ToByteArray(MagickFormat.Gif);
        var frame = one[Array.IndexOf(one, (byte)0x2C)..^1];
        byte[] Repeated(int count) =>
            [.. one[..^(frame.Length + 1)], .. Enumerable.Repeat(frame, count).SelectMany(bytes => bytes), 0x3B];

        Assert.Equal(4, Video.FromAnimation(Repeated(4), "short.gif").Seconds.Count);
        Assert.Contains(
            "has 5001 frames",
            Message(() => Video.FromAnimation(Repeated(5001), "long.gif")),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void FromAnimation_SmallFramesOnALargeCanvas_SaysTheLimit()
    {
        using var images = new MagickImageCollection();
        for (var i = 0; i < 7; i++)
        {
            images.Add(
                new MagickImage(i % 2 == 0 ? MagickColors.Red : MagickColors.Blue, 8, 8)
                {
                    AnimationDelay = 10,
                    Page = new MagickGeometry(0, 0, 4000, 4000),
                }
            );
        }

        Assert.Contains(
            "100,000,000 pixels in all",
            Message(() => Video.FromAnimation(images.ToByteArray(MagickFormat.Gif), "big.gif")),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.9)]
    public void FromAnimation_CutOff_IsRefused(double share)
    {
        var whole = TestVideos.Animation(MagickFormat.Gif, 50, 50, 50, 50);
        Assert.Contains(
            "cut.gif",
            Message(() => Video.FromAnimation(whole.AsMemory(0, (int)(whole.Length * share)), "cut.gif")),
            StringComparison.Ordinal
        );
    }

    private static string Message(Action action)
    {
        var message = Assert.ThrowsAny<InvalidInputException>(action).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    /// <summary>Mean difference of the pixels, 0 to 255.</summary>
    private static double Difference(RgbImage first, RgbImage second)
    {
        Assert.Equal((first.Width, first.Height), (second.Width, second.Height));
        double sum = 0;
        for (var i = 0; i < first.Pixels.Length; i++)
        {
            sum += Math.Abs(first.Pixels[i] - second.Pixels[i]);
        }

        return sum / first.Pixels.Length;
    }
}
