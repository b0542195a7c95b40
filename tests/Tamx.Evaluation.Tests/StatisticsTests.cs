using Tamx.Llama.Media;

namespace Tamx.Evaluation.Tests;

public sealed class StatisticsTests
{
    /// <summary>Reference values of SplitMix64 for seed 1234567.</summary>
    [Fact]
    public void SeededRandom_Next_IsSplitMix64()
    {
        var random = new SeededRandom(1234567);

        Assert.Equal(
            [
                6457827717110365317UL,
                3203168211198807973,
                9817491932198370423,
                4593380528125082431,
                16408922859458223821,
            ],
            Enumerable.Range(0, 5).Select(_ => random.Next())
        );
    }

    [Fact]
    public void SeededRandom_Permutation_HoldsEachNumberOnce()
    {
        var order = new SeededRandom(5).Permutation(100);

        Assert.Equal(Enumerable.Range(0, 100), order.Order());
        Assert.NotEqual(Enumerable.Range(0, 100), order);
    }

    [Fact]
    public void Bootstrap_EqualValues_HasNoWidth() =>
        Assert.Equal(new BootstrapInterval(0.5, 0.5, 0.5), BootstrapInterval.Of([new(1, 2), new(2, 4)]));

    [Fact]
    public void Bootstrap_NoValue_IsNull() => Assert.Null(BootstrapInterval.Of([new(0, 0)]));

    /// <summary>
    /// 100 pictures of one value each, half (nearly) 0 and half 1: the normal approximation gives 0.5 +- 1.96 x 0.05.
    /// </summary>
    [Fact]
    public void Bootstrap_CoinFlips_IsAsWideAsTheory()
    {
        Contribution[] flips = [.. Enumerable.Range(0, 100).Select(i => new Contribution((i % 2) + (i * 1e-9), 1))];

        var interval = BootstrapInterval.Of(flips)!.Value;

        Assert.Equal(0.5, interval.Mean, 1e-6);
        Assert.InRange(interval.Low, 0.402 - 0.03, 0.402 + 0.03);
        Assert.InRange(interval.High, 0.598 - 0.03, 0.598 + 0.03);
        Assert.Equal(interval, BootstrapInterval.Of(flips));
        Assert.NotEqual(interval, BootstrapInterval.Of(flips, seed: 2));
    }

    /// <summary>One picture with many words weighs as much as its words, in the mean: (9 x 1 + 0) / 10.</summary>
    [Fact]
    public void Bootstrap_UnequalPictures_AveragesOverWords()
    {
        var interval = BootstrapInterval.Of([new(9, 9), new(0, 1)])!.Value;

        Assert.Equal((0.9, 0, 1), (interval.Mean, interval.Low, interval.High));
    }

    [Theory]
    [InlineData(new[] { 1.0, 1, 1 }, 1)]
    [InlineData(new[] { 0.0, 1 }, 0.5)]
    [InlineData(new[] { 0.0, 1, 1, 1, 1 }, 0.875)]
    [InlineData(new[] { -1.0, -2, -4 }, -2.25)]
    public void Area_Curve_IsTheTrapezoids(double[] values, double expected) =>
        Assert.Equal(expected, MapCheck.Area(values), 1e-15);

    [Fact]
    public void Area_OneValue_Throws() => Assert.Throws<ArgumentException>(() => MapCheck.Area([1]));

    [Fact]
    public void BestFirst_Ties_KeepReadingOrder() =>
        Assert.Equal([2, 0, 3, 1], MapCheck.BestFirst([0.5f, 0, 0.9f, 0.5f]));

    [Fact]
    public void GreyOut_OneCell_LeavesTheOthersAsTheyAre()
    {
        var rgb = Noise.Bytes(16 * 12 * 3);
        var image = RgbImage.Decode(Bitmap24.Encode(16, 12, rgb), "noise.bmp");
        Assert.Equal(rgb, image.Pixels);

        var grey = PictureEdits.GreyOut(image, 3, 4, [.. Enumerable.Range(0, 12).Select(cell => cell == 6)]);

        for (var i = 0; i < rgb.Length; i++)
        {
            var (y, x) = Math.DivRem(i / 3, 16);
            Assert.Equal(y is >= 4 and < 8 && x is >= 8 and < 12 ? (byte)128 : rgb[i], grey[i]);
        }
    }
}
