using Tamx.Llama.Gguf;

namespace Tamx.Llama.Families;

/// <summary>
/// A family whose text model is a plain Llama. The markers in its vocabulary tell it from the others.
/// </summary>
internal abstract class LlamaFamily : ModelFamily
{
    public override IReadOnlyList<string> Architectures { get; } = [ModelArchitecture.Llama];

    public override IReadOnlyList<KnownKey> Keys { get; } =
    [new("A.attention.scale", GgufValueType.F32), new("A.attention.temperature_scale", GgufValueType.F32)];

    public override bool NamesBoxes => false;

    public override TextShape ReadShape(GgufModel model, TextShape shape)
    {
        Preflight.Zero(model, $"{shape.Architecture}.attention.scale");
        Preflight.Zero(model, $"{shape.Architecture}.attention.temperature_scale");
        return TextLayers.ReadDenseInARow(model, shape);
    }

    public override void CheckLayer(TensorChecklist tensors, TextShape shape, int layer)
    {
        var prefix = $"blk.{layer}";
        tensors.Plain($"{prefix}.attn_norm.weight", shape.HiddenSize);
        TextLayers.CheckAttention(tensors, shape, prefix);
        tensors.Plain($"{prefix}.ffn_norm.weight", shape.HiddenSize);
        TextLayers.CheckFeedForward(tensors, shape, prefix);
    }

    public override void CheckOthers(TensorChecklist tensors, GgufModel model, TextShape shape) =>
        tensors.OptionalPlain("rope_freqs.weight", shape.HeadSize / 2);
}
