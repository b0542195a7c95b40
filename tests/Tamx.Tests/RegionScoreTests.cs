namespace Tamx.Tests;

/// <summary>How far maps and regions agree, worked out by hand.</summary>
public class RegionScoreTests
{
    // Four cells of 1 in the middle, over 0.1 elsewhere: the sum is 4 + 1.2.
    private static readonly ActivationMap Middle = Map((row, column) => row is 1 or 2 && column is 1 or 2 ? 1 : 0.1f);

    [Fact]
    public void Of_RightBox_IsInside()
    {
        var score = RegionScore.Of(Middle, new RegionBox(0.25, 0.25, 0.75, 0.75));

        Assert.Equal(EvidencePlace.Inside, score.Place);
        Assert.Equal(1, score.Iou!.Value, 1e-6);
        Assert.Equal(1, score.Pointing);
        Assert.Equal(4 / 5.2, score.Mass, 1e-6);
        Assert.Equal(0.25, score.Area, 1e-6);
    }

    [Fact]
    public void Of_BoxBesideIt_IsElsewhere()
    {
        // Half of the right column's cells: 2 x 0.1 of 5.2.
        var score = RegionScore.Of(Middle, new RegionBox(0.75, 0.25, 1, 0.75));

        Assert.Equal(EvidencePlace.Elsewhere, score.Place);
        Assert.Equal(0, score.Iou!.Value, 1e-6);
        Assert.Equal(0, score.Pointing);
        Assert.Equal(0.2 / 5.2, score.Mass, 1e-6);
    }

    [Fact]
    public void Of_PartsOfCells_CountAsParts()
    {
        // A quarter of one lit cell: 1/16 x 1/4 of the picture. Intersection 0.25, union 4.
        var score = RegionScore.Of(Middle, new RegionBox(0.25, 0.25, 0.375, 0.375));

        Assert.Equal(0.25 / 4, score.Iou!.Value, 1e-6);
        Assert.Equal(0.25 / 5.2, score.Mass, 1e-6);
        Assert.Equal(0.25, score.Pointing);
        Assert.Equal(EvidencePlace.Inside, score.Place);
    }

    [Theory]
    [InlineData(0, 0, 1, 1)]
    [InlineData(0, 0, 1, 0.9)]
    public void Of_BoxOfNearlyAll_IsInside(double left, double top, double right, double bottom)
    {
        var score = RegionScore.Of(
            Map((row, column) => row == 1 && column == 1 ? 1 : 0),
            new RegionBox(left, top, right, bottom)
        );

        Assert.Equal(EvidencePlace.Inside, score.Place);
    }

    [Fact]
    public void Of_UniformMap_IsElsewhere()
    {
        var score = RegionScore.Of(Map((_, _) => 1), new RegionBox(0, 0, 0.5, 0.5));

        Assert.Equal(EvidencePlace.Elsewhere, score.Place);
        Assert.Equal(score.Area, score.Mass, 1e-6);
        Assert.Equal(0.25, score.Pointing, 1e-6);
    }

    [Fact]
    public void Of_MapOfZeros_IsNowhere()
    {
        var score = RegionScore.Of(Map((_, _) => 0), new RegionBox(0, 0, 0.5, 0.5));

        Assert.Equal(new RegionScore(0, 0, 0, 0.25, EvidencePlace.Nowhere), score);
    }

    [Theory]
    [InlineData(0.3, 0.3, EvidencePlace.Inside, 9 / 16.0)]
    [InlineData(0, 1, EvidencePlace.Elsewhere, 4 / 16.0)]
    [InlineData(1, 1, EvidencePlace.Elsewhere, 4 / 16.0)]
    public void Of_Point_StandsForTheCellsAroundIt(double x, double y, EvidencePlace place, double area)
    {
        var score = RegionScore.Of(
            Map((row, column) => row == 0 && column is 0 or 1 ? 1 : 0.1f),
            new RegionBox(x, y, x, y)
        );

        Assert.Null(score.Iou);
        Assert.Equal(place, score.Place);
        Assert.Equal(area, score.Area, 1e-6);
    }

    private static ActivationMap Map(Func<int, int, float> valueOf) =>
        new(new PatchGrid(1, 4, 4), Enumerable.Range(0, 16).Select(cell => valueOf(cell / 4, cell % 4)).ToArray());
}
