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
        for (var i = 0; i < rows.Length; i += 7)
        {
            rows[i] = value;
            Assert.Equal(i / 10, HiddenRows.IndexOfNonFinite(rows, 10));
            rows[i] = float.MinValue;
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(2051)]
    public void Dot_AnyLength_SumsAllProducts(int length)
    {
        float[] left = [.. Enumerable.Range(1, length).Select(i => (float)i)];
        float[] right = [.. Enumerable.Range(1, length).Select(i => i % 2 == 0 ? -1f : 2f)];

        Assert.Equal(left.Zip(right).Sum(pair => (double)pair.First * pair.Second), HiddenRows.Dot(left, right));
    }

    [Fact]
    public void Dot_DifferentLengths_Throws() => Assert.Throws<ArgumentException>(() => HiddenRows.Dot([1, 2], [1]));

    [Fact]
    public void IndexOfNonFinite_FiniteRows_GivesMinusOne() =>
        Assert.Equal(-1, HiddenRows.IndexOfNonFinite([0, float.MaxValue, float.Epsilon], 3));
}
