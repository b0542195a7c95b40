using Tamx.Llama.Media;

namespace Tamx.Llama.Tests.Media;

/// <summary>
/// The tiles of InternVL's published code. The expected numbers were computed in Python by the rule of its
/// dynamic_preprocess, with image_size 448.
/// </summary>
public sealed class PictureTilesTests
{
    [Theory]
    [InlineData(448, 448, 1, 12, 1, 1)]
    [InlineData(100, 100, 1, 12, 1, 1)]
    [InlineData(800, 800, 1, 12, 2, 2)]
    [InlineData(1000, 1000, 1, 12, 3, 3)]
    [InlineData(640, 480, 1, 12, 4, 3)]
    [InlineData(1920, 1080, 1, 12, 4, 2)]
    [InlineData(1080, 1920, 1, 12, 2, 4)]
    [InlineData(300, 150, 1, 12, 2, 1)]
    [InlineData(1300, 500, 1, 12, 5, 2)]
    [InlineData(100, 3000, 1, 12, 1, 12)]
    [InlineData(640, 480, 1, 1, 1, 1)]
    [InlineData(640, 480, 1, 6, 3, 2)]
    [InlineData(640, 480, 2, 6, 3, 2)]
    [InlineData(448, 448, 4, 4, 2, 2)]
    public void Choose_Picture_IsNearestInShape(int width, int height, int least, int most, int columns, int rows) =>
        Assert.Equal((columns, rows), PictureTiles.Choose(width, height, 448, least, most));

    [Fact]
    public void Cut_Tiles_AreThePictureRowByRowAndTheWhole()
    {
        var picture = Numbered(12, 8);
        var tiles = PictureTiles.Cut(picture, 4, 3, 2).ToArray();

        Assert.Equal(7, tiles.Length);
        Assert.All(tiles, tile => Assert.Equal((4, 4), (tile.Width, tile.Height)));
        Assert.Equal([0, 1, 2, 3, 12, 13, 14, 15, 24, 25, 26, 27, 36, 37, 38, 39], Numbers(tiles[0]));
        Assert.Equal([4, 5, 6, 7], Numbers(tiles[1])[..4]);
        Assert.Equal([56, 57, 58, 59, 68, 69, 70, 71], Numbers(tiles[5])[..8]);
        Assert.Equal(picture.Resize(4, 4).Pixels.ToArray(), tiles[6].Pixels.ToArray());
    }

    [Fact]
    public void Cut_OneTile_IsTheWhole() =>
        Assert.Equal(Enumerable.Range(0, 64), Numbers(Assert.Single(PictureTiles.Cut(Numbered(8, 8), 8, 1, 1))));

    /// <summary>A picture whose pixels are numbered row by row, in red.</summary>
    private static RgbImage Numbered(int width, int height)
    {
        var pixels = new byte[width * height * 3];
        for (var i = 0; i < width * height; i++)
        {
            pixels[3 * i] = (byte)i;
        }

        return RgbImage.Decode(Bitmap24.Encode(width, height, pixels), "numbered.bmp");
    }

    private static int[] Numbers(RgbImage image) =>
        [.. image.Pixels.ToArray().Where((_, i) => i % 3 == 0).Select(red => (int)red)];
}
