using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;

namespace Tamx.Llama.Families;

/// <summary>Qwen2-VL and Qwen2.5-VL, which differ in the projector alone.</summary>
internal sealed class Qwen2VlFamily : ModelFamily
{
    /// <summary>Qwen2-VL's.</summary>
    public static ProjectorKind Qwen2Merger { get; } =
        new("qwen2vl_merger") { HasWindows = false, MaySwapFeedForward = true };

    /// <summary>Qwen2.5-VL's. Two steps a second are the published models' <c>tokens_per_second</c>.</summary>
    public static ProjectorKind Qwen25Merger { get; } =
        new("qwen2.5vl_merger")
        {
            HasNormBias = false,
            HasGate = true,
            HasWindows = true,
            MaySwapFeedForward = true,
            StepsPerSecond = 2,
        };

    public override string Name => "Qwen2-VL, Qwen2.5-VL";

    public override IReadOnlyList<string> Architectures { get; } = [ModelArchitecture.Qwen2Vl];

    public override IReadOnlyDictionary<string, string> ModelTypes { get; } =
        new Dictionary<string, string>
        {
            ["qwen2_vl"] = ModelArchitecture.Qwen2Vl,
            ["qwen2_5_vl"] = ModelArchitecture.Qwen2Vl,
        };

    public override IReadOnlyList<ProjectorKind> Projectors { get; } = [Qwen25Merger, Qwen2Merger];

    public override string DefaultSystem => "You are a helpful assistant.";

    public override VideoLayout VideoLayout => VideoLayout.OneBlock;

    public override IReadOnlyList<string> PreTokenizers => Qwen3VlFamily.Qwen2PreTokenizers;

    /// <summary>Qwen2-VL gives thousandths, Qwen2.5-VL pixels of the picture as the model saw it.</summary>
    public override int? CoordinateRange => null;

    public override TextShape ReadShape(GgufModel model, TextShape shape) =>
        TextLayers.ReadDense(model, shape with { HeadSize = TextLayers.ReadDividedHeads(model, shape) });

    public override void CheckLayer(TensorChecklist tensors, TextShape shape, int layer) =>
        TextLayers.CheckQwen2(tensors, shape, layer);
}
