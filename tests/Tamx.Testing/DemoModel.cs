using Tamx.Llama.Gguf;

namespace Tamx.Testing;

/// <summary>The untrained model in samples/demo-model.</summary>
public static class DemoModel
{
    /// <summary>What it is made of. A change here needs the files written again (see samples/demo-model/README.md).</summary>
    public static RandomModelOptions Options { get; } = new()
    {
        Name = "tamx-demo-untrained",
        Seed = 20260101,
        WeightType = TensorType.F16,
        HiddenSize = 128,
        FeedForwardSize = 256,
        LayerCount = 3,
        HeadCount = 4,
        KeyValueHeadCount = 2,
        ContextLength = 4096,
        PatchSize = 16,
        ImageSize = 512,
        VisionHiddenSize = 64,
        VisionFeedForwardSize = 128,
        VisionLayerCount = 3,
        VisionHeadCount = 2,
    };
}
