using Tamx.Llama.Gguf;

namespace Tamx.Llama.Families;

/// <summary>InternVL 2.5, 3 and 3.5, as far as the text model is Qwen2.5 or Qwen3, dense or with experts.</summary>
/// <remarks>
/// A picture is cut into tiles of 448 x 448 pixels as the published code does it, and libmtmd sees one tile at a time:
/// it would cut a larger picture by another rule.
/// </remarks>
internal sealed class InternVlFamily : ModelFamily
{
    public static ProjectorKind Projector { get; } =
        new("internvl")
        {
            MergeKey = "clip.vision.projector.scale_factor",
            NeedsMergeKey = true,
            UsesMrope = false,
            IsSquare = true,
            TakesFramePairs = false,
            HasPositionTable = true,
            HasClassToken = true,
            HasLayerScale = true,
            HasPostNorm = false,
            IsTiled = true,

            // InternViT-6B, of the models from 26B on. llama.cpp tells it by these numbers.
            RmsTower = (3200, 45),
            CheckMerger = static (tensors, facts) =>
            {
                tensors.Norm("mm.model.mlp.0", facts.MergedSize);
                tensors.Linear("mm.model.mlp.1", facts.MergedSize, facts.ProjectionSize);
                tensors.Linear("mm.model.mlp.3", facts.ProjectionSize, facts.ProjectionSize);
            },
        };

    public override string Name => "InternVL 2.5, InternVL 3, InternVL 3.5";

    public override IReadOnlyList<string> Architectures { get; } =
    [ModelArchitecture.Qwen2, ModelArchitecture.Qwen3, ModelArchitecture.Qwen3Moe];

    public override IReadOnlyList<ProjectorKind> Projectors { get; } = [Projector];

    /// <summary>The published models read videos as pictures with texts between them.</summary>
    public override PromptMarkers Markers { get; } =
        new("<|im_start|>", "<|im_end|>", "<img>", "</img>", "<IMG_CONTEXT>", VideoPad: null);

    public override string AfterPicture => "\n";

    public override IReadOnlyList<string> PreTokenizers => Qwen3VlFamily.Qwen2PreTokenizers;

    public override IReadOnlyList<KnownKey> Keys => TextLayers.ExpertKeys;

    public override TextShape ReadShape(GgufModel model, TextShape shape)
    {
        if (shape.Architecture == ModelArchitecture.Qwen2)
        {
            return TextLayers.ReadDense(
                model,
                shape with
                {
                    HeadSize = TextLayers.ReadDividedHeads(model, shape, hasSections: false),
                }
            );
        }

        shape = shape with { HeadSize = Preflight.CheckHeads(model, shape, (1, 8192), hasSections: false) };
        return HasExperts(shape) ? TextLayers.ReadExperts(model, shape) : TextLayers.ReadDense(model, shape);
    }

    public override void CheckLayer(TensorChecklist tensors, TextShape shape, int layer)
    {
        if (shape.Architecture == ModelArchitecture.Qwen2)
        {
            TextLayers.CheckQwen2(tensors, shape, layer);
        }
        else
        {
            TextLayers.CheckQwen3(tensors, shape, layer);
        }
    }

    public override void CheckOthers(TensorChecklist tensors, GgufModel model, TextShape shape)
    {
        if (shape.Architecture == ModelArchitecture.Qwen3)
        {
            TextLayers.CheckRanking(tensors, model, shape);
        }
    }

    private static bool HasExperts(TextShape shape) => shape.Architecture == ModelArchitecture.Qwen3Moe;
}
