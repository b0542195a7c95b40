using Tamx.Llama.Chat;

namespace Tamx.Llama.Families;

/// <summary>SmolVLM, SmolVLM2 and Idefics 3: a Llama that sees squares, whose cells are shuffled together.</summary>
/// <remarks>
/// A picture is shown as one square, as the published processors show frames of a video and pictures that are no
/// larger. They cut larger ones into tiles, too, with text between them, which Tamx does not.
/// </remarks>
internal sealed class IdeficsFamily(string name, string begin, IReadOnlyList<string> preTokenizers) : LlamaFamily
{
    private const string End = "<end_of_utterance>";
    private const string AroundImage = "<fake_token_around_image>";
    private const string WholeImage = "<global-img>";

    public static ProjectorKind Projector { get; } =
        new("idefics3")
        {
            MergeKey = "clip.vision.projector.scale_factor",
            NeedsMergeKey = true,
            IsMergeFree = true,
            UsesMrope = false,
            IsSquare = true,
            IsWholeLast = true,
            TakesFramePairs = false,
            HasPositionTable = true,
            MaySwapFeedForward = true,
            ProjectionSize = ("mm.model.fc.weight", 1),
            CheckMerger = static (tensors, facts) =>
                tensors.Matrix("mm.model.fc.weight", facts.MergedSize, facts.ProjectionSize),
        };

    public static IdeficsFamily SmolVlm { get; } = new("SmolVLM, SmolVLM2", "<|im_start|>", ["smollm"]);

    public static IdeficsFamily Idefics3 { get; } =
        new("Idefics 3", "<|begin_of_text|>", ["llama3", "llama-v3", "llama-bpe"]);

    public override string Name => name;

    public override IReadOnlyList<ProjectorKind> Projectors { get; } = [Projector];

    public override IReadOnlyList<string> PreTokenizers => preTokenizers;

    public override PromptMarkers Markers { get; } =
        new(begin, End, WholeImage, AroundImage, "<image>", VideoPad: null)
        {
            Begin = begin,
            AroundCells = (AroundImage + WholeImage, AroundImage),
            System = "System",
            User = "User",
            Assistant = "Assistant",
            Openings =
            [
                (TurnRole.System, $"{begin}System:"),
                (TurnRole.User, $"{begin}User:"),
                (TurnRole.Assistant, $"{begin}Assistant:"),
                (TurnRole.System, $"{End}\nSystem:"),
                (TurnRole.User, $"{End}\nUser:"),
                (TurnRole.Assistant, $"{End}\nAssistant:"),
            ],
        };

    /// <summary>The model writes the space behind <c>Assistant:</c> itself.</summary>
    public override string AnswerStart => " ";

    public override TurnFrame FrameOf(ChatTurn turn) =>
        new("", $"{Markers.RoleOf(turn.Role)}:{(turn.Parts is [TextPart, ..] ? " " : "")}", End, "\n");

    /// <summary>An assistant's text may bring the space that it was written with.</summary>
    public override IReadOnlyList<ChatTurn> Arrange(IReadOnlyList<ChatTurn> turns) =>
        [
            .. turns.Select(turn =>
                turn is { Role: TurnRole.Assistant, Parts: [TextPart first, ..] }
                    ? turn with
                    {
                        Parts = [new TextPart(first.Text.TrimStart()), .. turn.Parts.Skip(1)],
                    }
                    : turn
            ),
        ];
}
