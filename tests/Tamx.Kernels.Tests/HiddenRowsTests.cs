namespace Tamx.Kernels.Tests;

public class HiddenRowsTests
{
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void IndexOfNonFinite_OneBadValue_GivesItsRow(float value) =>
        Assert.Equal(1, HiddenRows.IndexOfNonFinite([0, 1, 2, 3, 4, value, 6, 7, 8], 3));

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void IndexOfNonFinite_AnyPlaceInManyRows_GivesItsRow(float value)
    {
        float[] rows = [.. Enumerable.Repeat(float.MaxValue, 5000)];
        for (int i = 0; i < rows.Length; i += 7)
        {
            rows[i] = value;
            Assert.Equal(i / 10, HiddenRows.IndexOfNonFinite(rows, 10));
            rows[i] = float.MinValue;
        }
    }

    [Fact]
    public void IndexOfNonFinite_FiniteRows_GivesMinusOne() =>
        Assert.Equal(-1, HiddenRows.IndexOfNonFinite([0, float.MaxValue, float.Epsilon], 3));
}
