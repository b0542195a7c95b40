namespace Tamx.Tests;

/// <summary>How maps were computed, in words.</summary>
public sealed class MethodNameTests
{
    [Theory]
    [InlineData(MapMethod.Evidence, null, "Evidence, all layers")]
    [InlineData(MapMethod.Evidence, "16 of 64", "Evidence, 16 of 64 layers: those with softmax attention")]
    [InlineData(MapMethod.Joint, null, "Evidence and logit lens, layer 3")]
    [InlineData(
        MapMethod.Joint,
        "16 of 64",
        "Evidence (16 of 64 layers: those with softmax attention) and logit lens, layer 3"
    )]
    [InlineData(MapMethod.Lens, "16 of 64", "Logit lens, layer 3")]
    public void DescribeMethod_OfARun_SaysWhichLayersGiveEvidence(MapMethod method, string? layers, string expected) =>
        Assert.Equal(
            expected,
            new TamOptions { Method = method, Layer = 3 }.DescribeMethod(new RunInfo { AttentionLayers = layers })
        );
}
