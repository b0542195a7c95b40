using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;

namespace Tamx.Llama.Families;

/// <summary>LLaVA 1.5: a Vicuna that sees one square of CLIP's patches.</summary>
/// <remarks>
/// Turns and system text are those of the makers' code (<c>vicuna_v1</c>). Nothing stands around a picture's cells,
/// and the vocabulary has no token for them; they carry <c>&lt;unk&gt;</c>, which no text gives.
/// </remarks>
internal sealed class LlavaFamily : LlamaFamily
{
    private const string Cell = "<unk>";
    private const string ModelsTurn = "ASSISTANT:";

    public static ProjectorKind Projector { get; } =
        new("mlp")
        {
            SpatialMergeSize = 1,
            UsesMrope = false,
            IsSquare = true,
            TakesFramePairs = false,
            HasPositionTable = true,
            HasPatchBias = false,
            LooksUpPositions = true,
            ProjectionSize = ("mm.2.weight", 1),
            HasClassToken = true,
            HasPreNorm = true,
            HasPostNorm = false,
            MaySwapFeedForward = true,
            MayHavePinpoints = false,
            CellOffset = 1,
            CheckMerger = static (tensors, facts) =>
            {
                tensors.Linear("mm.2", facts.ProjectionSize, facts.ProjectionSize);
                tensors.Linear("mm.0", facts.HiddenSize, facts.ProjectionSize);
            },
        };

    public override string Name => "LLaVA 1.5";

    public override IReadOnlyList<ProjectorKind> Projectors { get; } = [Projector];

    public override string Tokenizer => SentencePiece;

    public override bool NeedsProjector => true;

    public override PromptMarkers Markers { get; } =
        new("<s>", "</s>", Cell, Cell, Cell, VideoPad: null)
        {
            Begin = "<s>",
            AroundCells = ("", ""),
            Openings = [(TurnRole.User, "USER:"), (TurnRole.Assistant, ModelsTurn), (TurnRole.System, "<s>")],
        };

    public override string DefaultSystem =>
        "A chat between a curious user and an artificial intelligence assistant. "
        + "The assistant gives helpful, detailed, and polite answers to the user's questions.";

    public override string AfterPicture => "\n";

    public override TurnFrame FrameOf(ChatTurn turn) =>
        turn switch
        {
            { Role: TurnRole.System } => new("", "", "", " "),
            { Role: TurnRole.User } => new("", "USER: ", "", " "),
            { Parts: [] } => new("", ModelsTurn, "", ""),
            _ => new("", $"{ModelsTurn} ", "</s>", ""),
        };

    public override TextShape ReadShape(GgufModel model, TextShape shape)
    {
        const string TemplateKey = "tokenizer.chat_template";
        if (model.Metadata.FindString(TemplateKey)?.Contains(ModelsTurn, StringComparison.Ordinal) == false)
        {
            throw Preflight.Wrong(
                model,
                TemplateKey,
                "of other turns",
                $"absent or with turns of {ModelsTurn}, as LLaVA 1.5 has"
            );
        }

        return base.ReadShape(model, shape);
    }
}
