using Tamx.Llama.Chat;
using Tamx.Llama.Media;

namespace Tamx.Llama.Tests;

public sealed class PictureRegionTests
{
    private static readonly RegionBox Middle = new(0.25, 0, 0.75, 0.5);

    [Theory]
    [InlineData(RegionUse.Hide)]
    [InlineData(RegionUse.Keep)]
    public void Apply_HideOrKeep_GreysThePixelsWithTheirMiddleInsideOrOutside(RegionUse use)
    {
        // 9 pixels across: the middles of 2 to 6 lie within. 8 down: those of 0 to 3.
        const int Width = 9;
        const int Height = 8;
        var image = new byte[Width * Height * 3];
        Array.Fill(image, (byte)200);
        var picture = Picture(Width, Height, image);
        var region = new PictureRegion { Use = use, Box = Middle };

        var changed = Assert.IsType<ImagePart>(Changed(region, picture)[0].Parts[0]);

        var pixels = RgbImage.Decode(changed.Encoded, "x").Pixels.ToArray();
        for (var pixel = 0; pixel < Width * Height; pixel++)
        {
            var isInside = pixel % Width is >= 2 and <= 6 && pixel / Width < 4;
            Assert.Equal(isInside == (use == RegionUse.Hide) ? 128 : 200, pixels[3 * pixel]);
        }

        Assert.Equal("x", changed.Name);
        Assert.Equal(picture.Bounds, changed.Bounds);
    }

    [Theory]
    [InlineData(3, 10)]
    [InlineData(9, 9)]
    [InlineData(24, 1000)]
    [InlineData(12, 385)]
    public void Apply_EdgesOfCells_HidesTheCellsPixels(int cells, int pixels)
    {
        for (var cell = 0; cell < cells; cell++)
        {
            var box = new RegionBox((double)cell / cells, 0, (cell + 1d) / cells, 1);
            var region = new PictureRegion { Use = RegionUse.Hide, Box = box };
            var changed = (ImagePart)Changed(region, Picture(pixels, 8, new byte[3 * 8 * pixels]))[0].Parts[0];
            var shown = RgbImage.Decode(changed.Encoded, "x").Pixels;
            for (var x = 0; x < pixels; x++)
            {
                // The cell of a pixel's middle: floor((x + 1/2) cells / pixels), in whole numbers.
                Assert.Equal(((2 * x) + 1) * cells / (2 * pixels) == cell, shown[3 * x] == 128);
            }
        }
    }

    [Fact]
    public void Apply_SecondPicture_LeavesTheFirstAndTheSameTwice()
    {
        var first = Picture(8, 8, new byte[192]);
        ChatTurn[] turns =
        [
            new(TurnRole.User, [first, new TextPart("and")]),
            new(TurnRole.User, [Picture(8, 8, new byte[192]), first]),
        ];
        var region = new PictureRegion
        {
            Use = RegionUse.Keep,
            Box = Middle,
            PictureIndex = 1,
        };

        var changed = region.Apply(turns);

        Assert.Same(first, changed[0].Parts[0]);
        Assert.NotSame(turns[1].Parts[0], changed[1].Parts[0]);
        Assert.Same(first, changed[1].Parts[1]);
        Assert.Same(turns, (region with { Use = RegionUse.LookAt }).Apply(turns));
    }

    [Theory]
    [InlineData(0, 0, 0, 1, 4, 0, "the box 0, 0, 0, 1")]
    [InlineData(0.5, 0, 0.4, 1, 4, 0, "the box 0.5, 0, 0.4, 1")]
    [InlineData(-0.1, 0, 1, 1, 4, 0, "the box -0.1")]
    [InlineData(0, 0, 1, 1.01, 4, 0, "1.01")]
    [InlineData(double.NaN, 0, 1, 1, 4, 0, "NaN")]
    [InlineData(0, 0, 1, 1, -1, 0, "alpha is -1")]
    [InlineData(0, 0, 1, 1, 101, 0, "alpha is 101")]
    [InlineData(0, 0, 1, 1, float.NaN, 0, "alpha is NaN")]
    [InlineData(0, 0, 1, 1, 4, -1, "picture -1")]
    [InlineData(0, 0, 1, 1, 4, 1, "there is no picture 1")]
    public void Apply_NoSuchRegion_IsRefusedByName(
        double left,
        double top,
        double right,
        double bottom,
        float alpha,
        int picture,
        string named
    )
    {
        var region = new PictureRegion
        {
            Use = RegionUse.LookAt,
            Box = new RegionBox(left, top, right, bottom),
            Alpha = alpha,
            PictureIndex = picture,
        };

        var refused = Assert.Throws<InvalidInputException>(() => Changed(region, Picture(8, 8, new byte[192])));

        Assert.Contains(named, refused.Message, StringComparison.Ordinal);
        Assert.StartsWith("--look: ", refused.Describe(_ => "--look"), StringComparison.Ordinal);
    }

    private static IReadOnlyList<ChatTurn> Changed(PictureRegion region, ImagePart picture) =>
        region.Apply([new ChatTurn(TurnRole.User, [picture, new TextPart("?")])]);

    private static ImagePart Picture(int width, int height, byte[] pixels) =>
        new(Bitmap24.Encode(width, height, pixels), "x");
}
