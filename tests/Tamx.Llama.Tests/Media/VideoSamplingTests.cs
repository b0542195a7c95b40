using Tamx.Llama.Chat;
using Tamx.Llama.Media;

namespace Tamx.Llama.Tests.Media;

/// <summary>
/// Which frames, which size and which times: worked out by hand from qwen-vl-utils and Qwen3-VL's processor.
/// </summary>
public sealed class VideoSamplingTests
{
    [Theory]
    [InlineData(90, 30, new[] { 0, 18, 36, 53, 71, 89 })] // 3 s: 6 frames, steps of 17.8
    [InlineData(10, 10, new[] { 0, 3, 6, 9 })] // 1 s: at least 4
    [InlineData(5, 1, new[] { 0, 1, 3, 4 })] // 5 s would be 10: no more than there are, and an even number
    [InlineData(3, 30, new[] { 0, 2 })]
    [InlineData(2, 30, new[] { 0, 1 })]
    [InlineData(1, 24, new[] { 0 })]
    [InlineData(90, 29.99999, new[] { 0, 18, 36, 53, 71, 89 })] // a rate read from a file
    public void Choose_DefaultRate_FollowsQwen(int frameCount, double framesPerSecond, int[] expected) =>
        Assert.Equal(expected, new VideoSampling().Choose(frameCount, framesPerSecond));

    [Theory]
    [InlineData(1.0, 768, new[] { 0, 30, 59, 89 })] // 3 would be wanted, 4 is the least
    [InlineData(4.0, 768, new[] { 0, 8, 16, 24, 32, 40, 49, 57, 65, 73, 81, 89 })]
    [InlineData(1000.0, 4, new[] { 0, 30, 59, 89 })]
    [InlineData(1000.0, 5, new[] { 0, 30, 59, 89 })]
    [InlineData(2.0, 2, new[] { 0, 89 })]
    [InlineData(2.0, 1, new[] { 0 })]
    public void Choose_OtherRatesAndLimits_FollowsQwen(double wanted, int maxFrames, int[] expected) =>
        Assert.Equal(expected, new VideoSampling { FramesPerSecond = wanted, MaxFrames = maxFrames }.Choose(90, 30));

    // As round_by_factor and ceil_by_factor of qwen-vl-utils: 5 / 2 is 2 (half to even), 7 / 2 is 4.
    [Theory]
    [InlineData(2, new[] { 0, 89 })]
    [InlineData(5, new[] { 0, 30, 59, 89 })]
    [InlineData(7, new[] { 0, 13, 25, 38, 51, 64, 76, 89 })]
    public void Choose_GivenNumber_TakesSoMany(int number, int[] expected) =>
        Assert.Equal(expected, new VideoSampling { FrameCount = number }.Choose(90, 30));

    [Fact]
    public void Choose_LeastNumber_IsRoundedUpToAnEvenOne() =>
        Assert.Equal(
            8,
            new VideoSampling { MinFrames = 7 }
                .Choose(90, 30)
                .Length
        );

    [Theory]
    [InlineData(null, null, 0, 90)]
    [InlineData(0.3, null, 9, 81)]
    [InlineData(1.01, 2.0, 31, 30)]
    [InlineData(null, 99.0, 0, 90)]
    public void Range_StartAndEnd_AreFramesBetween(double? start, double? end, int first, int count) =>
        Assert.Equal(
            (first, count),
            new VideoSampling { StartSeconds = start, EndSeconds = end }.Range(90, 30, "a.mp4")
        );

    [Fact]
    public void Range_BeyondTheEnd_IsRefused() =>
        Assert.Contains(
            "a.mp4: holds no frame from video_start 4 to video_end 3; it has 3 seconds",
            Assert
                .Throws<InvalidInputException>(() => new VideoSampling { StartSeconds = 4 }.Range(90, 30, "a.mp4"))
                .Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Choose_LongVideo_Takes768() => Assert.Equal(768, new VideoSampling().Choose(20_000, 30).Length);

    [Fact]
    public void ChooseAmongPictures_NoMoreThanTheLimit_TakesAll()
    {
        Assert.Equal([0, 1, 2, 3, 4], new VideoSampling().ChooseAmongPictures(5));
        Assert.Equal([0, 3, 6, 9], new VideoSampling { MaxFrames = 5 }.ChooseAmongPictures(10));
    }

    // The first: 10.5 x 15.75 cells are rounded to 10 x 16 = 160. The second: 68.6 x 38.6 = 2645 cells are shrunk by
    // sqrt(2645 / 768) = 1.856.
    [Theory]
    [InlineData(336, 504, 32, 5, 262_144, 320, 512)]
    [InlineData(1920, 1080, 28, 5, 262_144, 36 * 28, 20 * 28)]
    [InlineData(1920, 1080, 28, 100, 32_768, 22 * 28, 12 * 28)] // 0.9 * 32768 / 100 = 294 cells
    [InlineData(1920, 1080, 28, 100, 8192, 15 * 28, 8 * 28)] // 73 cells would be too few: 1.05 * 128 = 134
    [InlineData(1920, 1080, 28, 200, 1_000_000, 32 * 28, 18 * 28)] // no more than 128,000 tokens count: 576 cells, not 768
    [InlineData(64, 64, 32, 1, 262_144, 12 * 32, 12 * 32)] // enlarged to 128 cells
    public void FitFrames_OfAVideo_FollowsQwen(
        int width,
        int height,
        int cell,
        int patches,
        int context,
        int expectedWidth,
        int expectedHeight
    ) =>
        Assert.Equal(
            (expectedWidth, expectedHeight),
            QwenImageSize.FitFrames(width, height, cell, patches, context, 0, 0)
        );

    [Fact]
    public void FitFrames_OwnBounds_GoBeforeQwens()
    {
        Assert.Equal((64, 64), QwenImageSize.FitFrames(640, 480, 32, 2, 262_144, 0, 6));
        Assert.Equal((40 * 32, 30 * 32), QwenImageSize.FitFrames(640, 480, 32, 2, 262_144, 1200, 0));
    }

    [Fact]
    public void FitFrames_BoundsOfTheMessage_GoBeforeAll()
    {
        Assert.Equal(
            (64, 64),
            QwenImageSize.FitFrames(640, 480, 32, 2, 262_144, 0, 900, new PixelBounds { MaxPixels = 6 * 1024 })
        );
        Assert.Equal(
            (96, 64),
            QwenImageSize.FitFrames(640, 480, 32, 2, 262_144, 0, 900, new PixelBounds { Width = 100, Height = 60 })
        );

        // 288 cells for two patches are 144 each, 13.9 x 10.4.
        Assert.Equal(
            (13 * 32, 10 * 32),
            QwenImageSize.FitFrames(640, 480, 32, 2, 262_144, 0, 0, new PixelBounds { TotalPixels = 288 * 1024 })
        );
    }

    // Worked out by hand from fetch_image of qwen-vl-utils.
    [Theory]
    [InlineData(null, 9216.0, null, null, 96, 64)] // 640 x 480 within 9 cells: 3.46 x 2.6
    [InlineData(400_000.0, null, null, null, 23 * 32, 18 * 32)] // 390.6 cells at least: 22.8 x 17.1
    [InlineData(null, null, 200, 100, 192, 96)]
    [InlineData(null, null, 30, 30, 64, 64)] // a given size has 4 cells at least
    [InlineData(null, 4096.0, 200, 100, 64, 32)] // 2.8 x 1.4
    [InlineData(null, 5.0, null, null, 32, 32)]
    public void Fit_BoundsOfTheMessage_GoBeforeTheModels(
        double? least,
        double? most,
        int? givenWidth,
        int? givenHeight,
        int width,
        int height
    ) =>
        Assert.Equal(
            (width, height),
            QwenImageSize.Fit(
                640,
                480,
                32,
                new PixelBounds
                {
                    MinPixels = least,
                    MaxPixels = most,
                    Width = givenWidth,
                    Height = givenHeight,
                },
                8,
                100
            )
        );

    [Theory]
    [InlineData(0, "<0.0 seconds>")]
    [InlineData(0.25, "<0.2 seconds>")] // the middle goes to the even digit
    [InlineData(0.75, "<0.8 seconds>")]
    [InlineData(1.25, "<1.2 seconds>")]
    [InlineData(0.35, "<0.3 seconds>")] // 0.34999999999999998
    [InlineData(0.45, "<0.5 seconds>")] // 0.45000000000000001
    [InlineData(0.95, "<0.9 seconds>")] // 0.94999999999999996
    [InlineData(0.96, "<1.0 seconds>")]
    [InlineData(0.3, "<0.3 seconds>")]
    [InlineData(3599.95, "<3599.9 seconds>")] // 3599.9499999999998
    public void TimeText_Seconds_RoundsAsPython(double seconds, string expected) =>
        Assert.Equal(expected, TimeText.Of(seconds));

    [Fact]
    public void NaturalOrder_Names_CountsNumbers()
    {
        string[] names =
        [
            "frame10.png",
            "Frame2.png",
            "frame1.png",
            "frame002.png",
            "a",
            "frame.png",
            "frame9a.png",
            "frame9.png",
        ];
        Assert.Equal(
            ["a", "frame.png", "frame1.png", "Frame2.png", "frame002.png", "frame9.png", "frame9a.png", "frame10.png"],
            names.Order(NaturalOrder.Instance)
        );
    }
}
