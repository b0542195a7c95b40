namespace Tamx.Kernels.Tests;

public class HiddenRowsTests
{
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void IndexOfNonFinite_OneBadValue_GivesItsRow(float value) =>
        Assert.Equal(1, HiddenRows.IndexOfNonFinite([0, 1, 2, 3, 4, value, 6, 7, 8], 3));

    [Fact]
    public void IndexOfNonFinite_FiniteRows_GivesMinusOne() =>
        Assert.Equal(-1, HiddenRows.IndexOfNonFinite([0, float.MaxValue, float.Epsilon], 3));
}
