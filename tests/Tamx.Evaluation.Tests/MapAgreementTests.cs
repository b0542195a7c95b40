namespace Tamx.Evaluation.Tests;

public sealed class MapAgreementTests
{
    [Theory]
    [InlineData(new float[] { 0, 1, 2 }, new float[] { 5, 7, 9 }, 1)]
    [InlineData(new float[] { 0, 1, 2 }, new float[] { 1, 0.5f, 0 }, -1)]
    [InlineData(new float[] { 1, 0, 0, 1 }, new float[] { 1, 1, 0, 0 }, 0)]
    // Means 1 and 2; products (-1)(-2) + 0 + 1 * 1 = 3 (and 0 * 1), squares 2 and 6.
    [InlineData(new float[] { 0, 1, 1, 2 }, new float[] { 0, 3, 2, 3 }, 0.86602540378)]
    public void Correlate_HandComputed(float[] map, float[] other, double expected) =>
        Assert.Equal(expected, MapAgreement.Correlate(map, other)!.Value, 1e-9);

    [Fact]
    public void Correlate_ConstantMap_IsNoFigure()
    {
        Assert.Null(MapAgreement.Correlate([0, 0, 0], [1, 2, 3]));
        Assert.Null(MapAgreement.Correlate([1, 2, 3], [4, 4, 4]));
    }

    [Fact]
    public void OfAndJoin_CountTokensThatVary()
    {
        float[][] maps =
        [
            [0, 1],
            [0, 0],
            [1, 0],
        ];
        float[][] others =
        [
            [0, 2],
            [1, 2],
            [0, 3],
        ];

        var first = MapAgreement.Of(MapKind.Raw, maps, others);
        var second = MapAgreement.Of(
            MapKind.Raw,
            [
                [0, 1],
            ],
            [
                [0, 1],
            ]
        );
        var empty = MapAgreement.Of(
            MapKind.Raw,
            [
                [0, 0],
            ],
            [
                [0, 1],
            ]
        );

        Assert.Equal(new MapAgreement(MapKind.Raw, 2, 0), first);
        Assert.Equal(new MapAgreement(MapKind.Raw, 0, null), empty);
        var all = MapAgreement.Join([first, second, empty]);
        Assert.Equal(3, all.Count);
        Assert.Equal(1.0 / 3, all.Correlation!.Value, 1e-12);
    }
}
