using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;

namespace Tamx.Llama.Families;

/// <summary>Pixtral and the Mistrals that see: a token ends each row of a picture's cells.</summary>
/// <param name="name">What people call it.</param>
/// <param name="hasSystemTurns">
/// Whether the system's text stands between markers of its own. Else it stands before the last question.
/// </param>
internal sealed class MistralFamily(string name, bool hasSystemTurns) : LlamaFamily
{
    private const string Cell = "[IMG]";
    private const string Question = "[INST]";
    private const string QuestionEnd = "[/INST]";
    private const string SystemStart = "[SYSTEM_PROMPT]";
    private const string SystemEnd = "[/SYSTEM_PROMPT]";
    private const string AnswerEnd = "</s>";
    private const string RowEnd = "v.token_embd.img_break";
    private const string Merger = "mm.patch_merger.weight";

    public static ProjectorKind Projector { get; } =
        new("pixtral")
        {
            SpatialMergeSize = 1,
            IsMergeFree = true,
            MergeTensor = Merger,
            UsesMrope = false,
            RowEndTensor = RowEnd,
            TakesFramePairs = false,
            HasBias = false,
            HasNormBias = false,
            HasPreNorm = true,
            HasPostNorm = false,
            HasGate = true,
            ProjectionSize = ("mm.2.weight", 1),
            CheckMerger = CheckMerger,
        };

    public static MistralFamily Small { get; } = new("Mistral Small 3.1, Mistral Small 3.2", hasSystemTurns: true);

    public static MistralFamily Pixtral { get; } = new("Pixtral", hasSystemTurns: false);

    public override string Name => name;

    public override IReadOnlyList<ProjectorKind> Projectors { get; } = [Projector];

    public override IReadOnlyList<string> PreTokenizers { get; } = ["tekken", "pixtral"];

    public override bool CutsByExpression => true;

    public override PromptMarkers Markers { get; } =
        new(Question, AnswerEnd, Cell, "[IMG_END]", Cell, VideoPad: null)
        {
            Begin = "<s>",
            RowEnd = "[IMG_BREAK]",
            AroundCells = ("", "[IMG_END]"),
            Others = hasSystemTurns ? [QuestionEnd, SystemStart, SystemEnd] : [QuestionEnd],
            Openings =
            [
                (TurnRole.User, Question),
                (TurnRole.Assistant, QuestionEnd),
                .. hasSystemTurns ? [(TurnRole.System, SystemStart)] : Array.Empty<(TurnRole, string)>(),
            ],
        };

    public override TurnFrame FrameOf(ChatTurn turn) =>
        turn switch
        {
            { Role: TurnRole.System } => new(SystemStart, "", SystemEnd, ""),
            { Role: TurnRole.User } => new(Question, "", QuestionEnd, ""),
            { Parts: [] } => new("", "", "", ""),
            _ => new("", "", AnswerEnd, ""),
        };

    public override IReadOnlyList<ChatTurn> Arrange(IReadOnlyList<ChatTurn> turns)
    {
        var rest = Alternating(turns, out var system);
        if (system is null || hasSystemTurns || rest.Count == 0)
        {
            return turns;
        }

        var last = rest.FindLastIndex(turn => turn.Role == TurnRole.User);
        rest[last] = rest[last] with
        {
            Parts = [new TextPart($"{AssistantTurn.TextOf(system.Parts)}\n\n"), .. rest[last].Parts],
        };
        return rest;
    }

    private static void CheckMerger(TensorChecklist tensors, ProjectorFacts facts)
    {
        if (facts.SpatialMergeSize > 1)
        {
            tensors.Plain("mm.input_norm.weight", facts.HiddenSize);
            tensors.Matrix(Merger, facts.MergedSize, facts.HiddenSize);
        }

        var hasBias = tensors.Has("mm.1.bias") || tensors.Has("mm.2.bias");
        tensors.Linear("mm.2", facts.ProjectionSize, facts.ProjectionSize, hasBias);
        tensors.Linear("mm.1", facts.HiddenSize, facts.ProjectionSize, hasBias);
        tensors.Plain(RowEnd, facts.ProjectionSize);
    }
}
