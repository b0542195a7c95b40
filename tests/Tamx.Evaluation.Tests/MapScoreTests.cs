namespace Tamx.Evaluation.Tests;

public sealed class MapScoreTests
{
    /// <summary>A disc of radius 25 around (40, 52) in a picture of 96 x 96.</summary>
    private static readonly PixelMask Disc = Mask(
        96,
        96,
        (x, y) => ((x - 40) * (x - 40)) + ((y - 52) * (y - 52)) <= 625
    );

    [Fact]
    public void Of_PerfectMapOfOneCellPerPixel_ScoresOneInEverything()
    {
        var score = MapScore.Of(Disc.Coverage(96, 96), 96, 96, Disc);

        Assert.Equal(new MapScore(1, 1, 1, 1, 1, 1, Disc.Area, false), score);
    }

    /// <summary>
    /// A region made of whole cells away from the border: all its mass is inside; only rounded corners keep IoU from 1.
    /// </summary>
    [Fact]
    public void Of_PerfectMapOnCells_ReachesTheGridsCeiling()
    {
        var square = Mask(96, 96, (x, y) => x is >= 24 and < 64 && y is >= 32 and < 72);

        var score = MapScore.Of(square.Coverage(12, 12), 12, 12, square);

        Assert.Equal((1, 1, 1), (score.Pointing, score.Mass, score.GridIou));
        Assert.InRange(score.ObjIou, 0.95, 1);
    }

    [Fact]
    public void Of_PerfectMapOnCoarseCells_LosesOnlyAtTheEdge()
    {
        var score = MapScore.Of(Disc.Coverage(12, 12), 12, 12, Disc);

        Assert.Equal(1, score.Pointing);
        Assert.InRange(score.ObjIou, 0.85, 1);
        Assert.InRange(score.Mass, 0.8, 1);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(12, 12)]
    [InlineData(7, 5)]
    [InlineData(96, 96)]
    public void Of_UniformMap_ScoresChance(int rows, int columns)
    {
        var map = new float[rows * columns];
        Array.Fill(map, 0.3f);

        var score = MapScore.Of(map, rows, columns, Disc);

        Assert.Equal(Disc.Area, score.Area);
        Assert.Equal(Disc.Area, score.Mass, 1e-9);
        Assert.Equal(Disc.Area, score.ObjIou, 1e-12);
        Assert.Equal(Disc.Area, score.Precision, 1e-12);
        Assert.Equal(1, score.Recall);
        Assert.False(score.IsEmpty);
        if (rows == 96)
        {
            Assert.Equal(Disc.Area, score.Pointing, 1e-12);
        }
        else if (rows == 1)
        {
            // One cell: its middle, (48, 48), lies in the disc.
            Assert.Equal(1, score.Pointing);
        }
        else
        {
            Assert.InRange(score.Pointing, Disc.Area - 0.06, Disc.Area + 0.06);
        }
    }

    [Fact]
    public void Of_EmptyMap_ScoresNothing() =>
        Assert.Equal(new MapScore(0, 0, 0, 0, 0, 0, Disc.Area, true), MapScore.Of(new float[144], 12, 12, Disc));

    /// <summary>
    /// Pixels are cells: values 4 2 / 1 1 with 4 and a 1 in the region. Stretched to 255 127 / 63 63, Otsu puts the
    /// threshold at 127 (the between-class variance of {63, 63, 127} against {255} is the largest): IoU 1/2, precision
    /// 1, recall 1/2, mass 5/8.
    /// </summary>
    [Fact]
    public void Of_FourPixels_GivesHandComputedScores()
    {
        var score = MapScore.Of([4, 2, 1, 1], 2, 2, new PixelMask(2, 2, [true, false, true, false]));

        Assert.Equal(new MapScore(0.5, 0.5, 1, 0.5, 1, 0.625, 0.5, false), score);
    }

    /// <summary>
    /// The region covers half of the first cell and less of the second; a smaller one at least most of the first.
    /// </summary>
    [Fact]
    public void Of_CellsInPart_CountFromAHalfOrTheMost()
    {
        var half = Mask(8, 2, (x, _) => x is >= 2 and < 5);
        var little = Mask(8, 2, (x, y) => y == 0 && x is >= 3 and < 5);

        Assert.Equal(1, MapScore.Of([1, 0], 1, 2, half).GridIou);
        Assert.Equal(0.5, MapScore.Of([1, 1], 1, 2, half).GridIou);
        Assert.Equal(0, MapScore.Of([0, 1], 1, 2, half).GridIou);
        Assert.Equal(1, MapScore.Of([1, 1], 1, 2, little).GridIou);
    }

    /// <summary>Two cells share the maximum and one of them lies in the region.</summary>
    [Fact]
    public void Of_TiedMaximum_GetsTheShareOfHits() =>
        Assert.Equal(0.5, MapScore.Of([3, 3, 1, 0], 2, 2, new PixelMask(2, 2, [true, false, true, false])).Pointing);

    [Fact]
    public void Of_WrongNumberOfValues_Throws() =>
        Assert.Throws<ArgumentException>(() => MapScore.Of([1, 2, 3], 2, 2, Disc));

    /// <summary>Three columns on two cells: the middle column's centre, 1.5 of 3, falls into the second cell.</summary>
    [Fact]
    public void Coverage_PixelsThatDoNotFitTheCells_GoWhereTheirCentreLies() =>
        Assert.Equal([0f, 0.5f], Mask(3, 1, (x, _) => x == 1).Coverage(1, 2));

    [Fact]
    public void MaskOf_SeveralLabels_JoinsTheirPixels()
    {
        var labels = new LabelMap(3, 2, [0, 1, 2, 3, 2, 0]);

        Assert.Equal([false, true, false, true, false, false], labels.MaskOf([1, 3]).Pixels);
        Assert.Equal([false, true, true, true, true, false], labels.MaskOfAll().Pixels);
        Assert.Equal(0, labels.MaskOf([0, 9, 300]).Count);
    }

    private static PixelMask Mask(int width, int height, Func<int, int, bool> isInside) =>
        new(width, height, [.. Enumerable.Range(0, width * height).Select(i => isInside(i % width, i / width))]);
}
