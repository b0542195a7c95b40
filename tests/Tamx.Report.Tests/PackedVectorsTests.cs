namespace Tamx.Report.Tests;

public class PackedVectorsTests
{
    [Fact]
    public void Pack_Values_SpanAllBytes()
    {
        byte[] packed = PackedVectors.Pack([-1f, 0f, 1f]);

        Assert.Equal([-1f, 1f], [BitConverter.ToSingle(packed, 0), BitConverter.ToSingle(packed, 4)]);
        Assert.Equal([0, 128, 255], packed[8..]);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(3.5f)]
    [InlineData(float.MaxValue)]
    public void Pack_Constant_KeepsTheValue(float value)
    {
        byte[] packed = PackedVectors.Pack([value, value]);

        Assert.Equal(value, BitConverter.ToSingle(packed, 0));
        Assert.Equal(value, BitConverter.ToSingle(packed, 4));
        Assert.Equal([0, 0], packed[8..]);
    }

    [Fact]
    public void Pack_WidestRange_DoesNotOverflow() =>
        Assert.Equal([0, 128, 255], PackedVectors.Pack([float.MinValue, 0f, float.MaxValue])[8..]);

    [Fact]
    public void Pack_Empty_IsHeaderOnly() => Assert.Equal(new byte[PackedVectors.HeaderBytes], PackedVectors.Pack([]));
}
