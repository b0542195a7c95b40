namespace Tamx.Report.Tests;

public class MethodNameTests
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
    public void Of_Method_SaysWhichLayersGiveEvidence(MapMethod method, string? layers, string expected) =>
        Assert.Equal(
            expected,
            MethodName.Of(new TamOptions { Method = method, Layer = 3 }, new RunInfo { AttentionLayers = layers })
        );
}
