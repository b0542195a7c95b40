using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;

namespace Tamx.Llama.Families;

/// <summary>Qwen3-VL, dense and with experts.</summary>
internal sealed class Qwen3VlFamily : ModelFamily
{
    public static ProjectorKind Merger { get; } =
        new("qwen3vl_merger")
        {
            HasPositionTable = true,
            HasFusedAttention = true,
            MayHaveDeepstack = true,
        };

    /// <summary>Names of the way to cut text that Qwen2's tokenizer and those after it have.</summary>
    public static IReadOnlyList<string> Qwen2PreTokenizers { get; } = ["qwen2", "deepseek-r1-qwen", "megrez"];

    public override string Name => "Qwen3-VL";

    public override IReadOnlyList<string> Architectures { get; } =
    [ModelArchitecture.Qwen3Vl, ModelArchitecture.Qwen3VlMoe];

    public override IReadOnlyDictionary<string, string> ModelTypes { get; } =
        new Dictionary<string, string>
        {
            ["qwen3_vl"] = ModelArchitecture.Qwen3Vl,
            ["qwen3_vl_moe"] = ModelArchitecture.Qwen3VlMoe,
        };

    public override IReadOnlyList<ProjectorKind> Projectors { get; } = [Merger];

    public override IReadOnlyList<string> PreTokenizers => Qwen2PreTokenizers;

    public override IReadOnlyList<KnownKey> Keys => TextLayers.ExpertKeys;

    public override bool HasDeepstack => true;

    /// <summary>The template of Instruct leaves out any other; that of Thinking writes it.</summary>
    public override bool IsSystemFirstOnly(ThoughtLayout thoughts) => thoughts == ThoughtLayout.Text;

    public override TextShape ReadShape(GgufModel model, TextShape shape)
    {
        shape = shape with { HeadSize = Preflight.CheckHeads(model, shape, (1, 8192)) };
        return HasExperts(shape) ? TextLayers.ReadExperts(model, shape) : TextLayers.ReadDense(model, shape);
    }

    public override void CheckLayer(TensorChecklist tensors, TextShape shape, int layer) =>
        TextLayers.CheckQwen3(tensors, shape, layer);

    public override void CheckOthers(TensorChecklist tensors, GgufModel model, TextShape shape)
    {
        if (!HasExperts(shape))
        {
            TextLayers.CheckRanking(tensors, model, shape);
        }
    }

    private static bool HasExperts(TextShape shape) => shape.Architecture == ModelArchitecture.Qwen3VlMoe;
}
