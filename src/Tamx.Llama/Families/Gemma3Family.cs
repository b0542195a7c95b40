using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;

namespace Tamx.Llama.Families;

/// <summary>Gemma 3 from 4B on, whose smaller sizes see no pictures.</summary>
/// <remarks>
/// A picture is brought to one square, whatever its shape, and four by four patches are averaged to a cell. Its cells
/// see each other. The published processor can also cut out parts of a long picture (pan and scan); libmtmd does not.
/// </remarks>
internal sealed class Gemma3Family : ModelFamily
{
    private const string InputProjection = "mm.input_projection.weight";

    public static ProjectorKind Projector { get; } =
        new("gemma3")
        {
            SpatialMergeSize = 4,
            MergeKey = "clip.vision.projector.scale_factor",
            UsesMrope = false,
            IsSquare = true,
            IsCausal = false,
            TakesFramePairs = false,
            HasPositionTable = true,
            MaySwapFeedForward = true,
            ProjectionSize = (InputProjection, 0),
            CheckMerger = static (tensors, facts) =>
            {
                // The graph turns the matrix round, which ggml does for plain numbers alone.
                tensors.Kernel(InputProjection, facts.ProjectionSize, facts.HiddenSize);
                tensors.Plain("mm.soft_emb_norm.weight", facts.HiddenSize);
            },
        };

    public override string Name => "Gemma 3";

    public override IReadOnlyList<string> Architectures { get; } = [ModelArchitecture.Gemma3];

    public override IReadOnlyList<ProjectorKind> Projectors { get; } = [Projector];

    /// <summary>
    /// The published token of a cell is the one behind the vocabulary (<c>&lt;image_soft_token&gt;</c>, 262144), which
    /// some files lack. Any token that no text gives will do.
    /// </summary>
    public override PromptMarkers Markers { get; } =
        new("<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>", "<pad>", VideoPad: null)
        {
            Begin = "<bos>",
            System = null,
            Assistant = "model",
        };

    /// <summary>The published processor's. libmtmd leaves it to the caller.</summary>
    public override string BeforePicture => "\n\n";

    public override string AfterPicture => "\n\n";

    public override string Tokenizer => SentencePiece;

    public override IReadOnlyList<KnownKey> Keys { get; } =
    [
        new("A.attention.sliding_window", GgufValueType.U32),
        new("A.attention.sliding_window_pattern", GgufValueType.U32),
        new("A.rope.freq_base_swa", GgufValueType.F32),
        new("A.attn_logit_softcapping", GgufValueType.F32),
        new("A.final_logit_softcapping", GgufValueType.F32),
    ];

    public override bool HasAttentionPostNorms => true;

    /// <summary>
    /// A system message is the beginning of the person's first one. Each text loses the white space at its ends.
    /// </summary>
    public override IReadOnlyList<ChatTurn> Arrange(IReadOnlyList<ChatTurn> turns)
    {
        var rest = Alternating(turns, out var system);
        IEnumerable<ChatPart> before = system is null
            ? []
            : [new TextPart($"{AssistantTurn.TextOf(system.Parts)}\n\n")];
        return
        [
            .. rest.Select(
                (turn, index) => turn with { Parts = [.. index == 0 ? before : [], .. turn.Parts.Select(Trimmed)] }
            ),
        ];

        static ChatPart Trimmed(ChatPart part) => part is TextPart text ? new TextPart(text.Text.Trim()) : part;
    }

    public override bool NamesBoxes => false;

    public override TextShape ReadShape(GgufModel model, TextShape shape)
    {
        // Without a window, llama.cpp takes another graph, which squeezes the logits.
        Preflight.Integer(model, "gemma3.attention.sliding_window", 1, 1 << 30);
        Preflight.OptionalInteger(model, "gemma3.attention.sliding_window_pattern", 1, 512);
        Preflight.OptionalFinite(model, "gemma3.rope.freq_base_swa", 1);
        Preflight.False(model, "tokenizer.ggml.add_space_prefix");
        Preflight.Zero(model, "gemma3.attn_logit_softcapping");
        Preflight.Zero(model, "gemma3.final_logit_softcapping");
        return TextLayers.ReadDenseInARow(model, shape);
    }

    public override void CheckLayer(TensorChecklist tensors, TextShape shape, int layer)
    {
        var prefix = $"blk.{layer}";
        tensors.Plain($"{prefix}.attn_norm.weight", shape.HiddenSize);
        TextLayers.CheckAttention(tensors, shape, prefix);
        TextLayers.CheckHeadNorms(tensors, shape, prefix);
        tensors.Plain($"{prefix}.post_attention_norm.weight", shape.HiddenSize);
        tensors.Plain($"{prefix}.ffn_norm.weight", shape.HiddenSize);
        TextLayers.CheckFeedForward(tensors, shape, prefix);
        tensors.Plain($"{prefix}.post_ffw_norm.weight", shape.HiddenSize);
    }
}
