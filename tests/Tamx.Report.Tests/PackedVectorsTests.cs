namespace Tamx.Report.Tests;

public class PackedVectorsTests
{
    [Fact]
    public void Dense_Values_SpanAllBytes()
    {
        var packed = PackedVectors.Dense([-1f, 0f, 1f], 8);

        Assert.Equal([-1f, 1f], [BitConverter.ToSingle(packed, 0), BitConverter.ToSingle(packed, 4)]);
        Assert.Equal([0, 128, 255], packed[8..]);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(3.5f)]
    [InlineData(float.MaxValue)]
    public void Dense_Constant_KeepsTheValue(float value)
    {
        var packed = PackedVectors.Dense([value, value], 8);

        Assert.Equal(value, BitConverter.ToSingle(packed, 0));
        Assert.Equal(value, BitConverter.ToSingle(packed, 4));
        Assert.Equal([0, 0], packed[8..]);
    }

    [Fact]
    public void Dense_WidestRange_DoesNotOverflow() =>
        Assert.Equal([0, 128, 255], PackedVectors.Dense([float.MinValue, 0f, float.MaxValue], 8)[8..]);

    [Fact]
    public void Dense_Empty_IsHeaderOnly() =>
        Assert.Equal(new byte[PackedVectors.HeaderBytes], PackedVectors.Dense([], 8));

    [Fact]
    public void Sparse_Values_KeepTheGreatestInOrder()
    {
        var values = new float[400];
        (values[3], values[4], values[399]) = (0.5f, 0.25f, 1f);

        // [maximum][count][gaps 4, 1, 395][levels]
        Assert.Equal([0, 0, 0x80, 0x3F, 3, 0, 0, 0, 4, 1, 0x8B, 3, 128, 64, 255], PackedVectors.Sparse(values, 10, 8));
        Assert.Equal([0, 0, 0x80, 0x3F, 2, 0, 0, 0, 4, 0x8C, 3, 128, 255], PackedVectors.Sparse(values, 2, 8));
        Assert.Equal([0, 0, 0x80, 0x3F, 1, 0, 0, 0, 0x90, 3, 255, 255], PackedVectors.Sparse(values, 1, 16));
    }

    [Fact]
    public void Sparse_Zeros_IsHeaderOnly() =>
        Assert.Equal(new byte[PackedVectors.HeaderBytes], PackedVectors.Sparse(new float[5], 10, 8));
}
