using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;

namespace Tamx.Llama.Families;

/// <summary>
/// All that Tamx needs to know of a family of models. A new family is one file like this and an entry in
/// <see cref="All"/>.
/// </summary>
/// <remarks>
/// Facts are llama.cpp's (b10221), tried by leaving each key and tensor out, and the published templates'.
/// </remarks>
internal abstract class ModelFamily
{
    /// <summary>llama.cpp's name of tokenizers that merge pairs of bytes.</summary>
    public const string BytePairs = "gpt2";

    /// <summary>Its name of SentencePiece's, by the first model that it ran.</summary>
    public const string SentencePiece = "llama";

    /// <summary>The families, in the order in which messages list them.</summary>
    public static IReadOnlyList<ModelFamily> All { get; } =
    [
        new Qwen3VlFamily(),
        new Qwen35Family(),
        new Qwen2VlFamily(),
        new InternVlFamily(),
        new Gemma3Family(),
        IdeficsFamily.SmolVlm,
        IdeficsFamily.Idefics3,
        MistralFamily.Small,
        MistralFamily.Pixtral,
        new LlavaFamily(),
    ];

    /// <summary>What people call it.</summary>
    public abstract string Name { get; }

    /// <summary>Its <c>general.architecture</c>s.</summary>
    public abstract IReadOnlyList<string> Architectures { get; }

    /// <summary>
    /// The <c>model_type</c>s of its makers' own <c>config.json</c>, with the architecture of each; none where Tamx
    /// does not read dumps of such models by them.
    /// </summary>
    public virtual IReadOnlyDictionary<string, string> ModelTypes { get; } = new Dictionary<string, string>();

    /// <summary>Whether its makers' own files store norm weights less 1. A GGUF has the 1 added.</summary>
    public virtual bool StoresNormsLessOne => false;

    /// <summary>Its <c>clip.projector_type</c>s.</summary>
    public abstract IReadOnlyList<ProjectorKind> Projectors { get; }

    /// <summary>Markers of turns, pictures and videos.</summary>
    public virtual PromptMarkers Markers => PromptMarkers.Qwen;

    /// <summary>The system's text where the conversation has none, if the file has no template.</summary>
    public virtual string DefaultSystem => "";

    /// <summary>What the published templates write before each picture.</summary>
    public virtual string BeforePicture => "";

    /// <summary>What they write after it.</summary>
    public virtual string AfterPicture => "";

    /// <summary>How a video stands in the prompt.</summary>
    public virtual VideoLayout VideoLayout => VideoLayout.TimedBlocks;

    /// <summary>Whether the published templates drop white space at the ends of each message.</summary>
    public virtual bool TrimsMessages => false;

    /// <summary>
    /// llama.cpp's name of the tokenizer: <c>gpt2</c> (byte pairs) or <c>llama</c> (SentencePiece).
    /// </summary>
    public virtual string Tokenizer => BytePairs;

    /// <summary>llama.cpp's names for the way in which byte pairs' text is cut first.</summary>
    /// <remarks>
    /// Only ways that llama.cpp has as code. Most others it has as regular expressions, and their matching recurses: a
    /// long run of digits or spaces in a prompt throws, or overflows the stack.
    /// </remarks>
    public virtual IReadOnlyList<string> PreTokenizers => [];

    /// <summary>
    /// Whether llama.cpp cuts text by a regular expression all the same, so that long runs of signs are parted first.
    /// </summary>
    public virtual bool CutsByExpression => false;

    /// <summary>Keys of the text model that llama.cpp reads besides those that it reads of any.</summary>
    public virtual IReadOnlyList<KnownKey> Keys => [];

    /// <summary>Whether the text model's first layers take image features from the projector.</summary>
    public virtual bool HasDeepstack => false;

    /// <summary>Whether each query has a gate that what it reads is multiplied by (<c>gate_sigmoid-K</c>).</summary>
    public virtual bool HasAttentionGates => false;

    /// <summary>
    /// Whether each layer scales what its attention wrote, all positions together, before it adds it to the residual
    /// stream.
    /// </summary>
    public virtual bool HasAttentionPostNorms => false;

    /// <summary>Whether its makers say in what unit boxes in its answers are.</summary>
    public virtual bool NamesBoxes => true;

    /// <summary>
    /// What the coordinates of the right and bottom edge are in boxes that the answer names, if they do not depend on
    /// the picture's size; else null.
    /// </summary>
    public virtual int? CoordinateRange => 1000;

    /// <summary>The families of an architecture.</summary>
    public static IEnumerable<ModelFamily> WithArchitecture(string? architecture) =>
        All.Where(family => family.Architectures.Contains(architecture));

    /// <summary>The family of a model that was checked.</summary>
    public static ModelFamily Of(ModelFacts model) => All.First(family => family.Name == model.Family);

    /// <summary>
    /// The family of a file: several share an architecture, and differ in the markers of their pictures.
    /// </summary>
    /// <exception cref="ModelFormatException">It is of none.</exception>
    public static ModelFamily Of(GgufModel model, string architecture)
    {
        ModelFamily[] families = [.. WithArchitecture(architecture)];
        if (families is [var only])
        {
            return only;
        }

        if (families.Length == 0)
        {
            var known = All.Select(family => $"{string.Join(", ", family.Architectures)} ({family.Name})");
            throw model.Error(
                $"architecture {OutsideText.Quoted(architecture)} is not supported; {string.Join("; ", known)} are"
            );
        }

        HashSet<string> tokens =
        [
            .. model.Metadata.FindStrings(Preflight.TokensKey)
                ?? throw model.Metadata.Missing(Preflight.TokensKey, "the vocabulary"),
        ];
        return Array.Find(families, family => family.Markers.Missing(tokens) is null)
            ?? throw model.Error(
                $"the vocabulary has the pictures' markers of no family that Tamx runs with architecture {architecture}: "
                    + string.Join(
                        "; ",
                        families.Select(family => $"{family.Name} has {family.Markers.Missing(tokens)}")
                    )
            );
    }

    /// <summary>Markers and text around a message.</summary>
    /// <param name="turn">The message; without parts where the answer follows.</param>
    public virtual TurnFrame FrameOf(ChatTurn turn) =>
        new(Markers.TurnStart, $"{Markers.RoleOf(turn.Role)}\n", Markers.TurnEnd, "\n");

    /// <summary>Whether its text model is told from others by the mmproj alone.</summary>
    public virtual bool NeedsProjector => false;

    /// <summary>What an answer begins with besides its text.</summary>
    public virtual string AnswerStart => "";

    /// <summary>The messages as the published templates write them, one turn each.</summary>
    /// <exception cref="InvalidInputException">The templates cannot write them.</exception>
    public virtual IReadOnlyList<ChatTurn> Arrange(IReadOnlyList<ChatTurn> turns) => turns;

    /// <summary>The messages after a system message, which must be the user's and the assistant's in turn.</summary>
    /// <param name="turns">The conversation.</param>
    /// <param name="system">The system message, of text alone; null for none.</param>
    /// <exception cref="InvalidInputException">A message is out of turn.</exception>
    protected static List<ChatTurn> Alternating(IReadOnlyList<ChatTurn> turns, out ChatTurn? system)
    {
        system = turns is [{ Role: TurnRole.System } first, ..] ? first : null;
        if (system?.Parts.Any(part => part is not TextPart) == true)
        {
            throw new InvalidInputException("the system's message holds more than text; this model reads text there");
        }

        List<ChatTurn> rest = [.. turns.Skip(system is null ? 0 : 1)];
        var strange = rest.Index()
            .FirstOrDefault(
                turn => turn.Item.Role != (turn.Index % 2 == 0 ? TurnRole.User : TurnRole.Assistant),
                (-1, null!)
            );
        return strange.Index < 0
            ? rest
            : throw new InvalidInputException(
                $"message {strange.Index + (system is null ? 0 : 1)} is out of turn: after a system message, "
                    + "this model reads the user's and the assistant's messages one after the other, the user's first"
            );
    }

    /// <summary>Whether a system message must be the first, and of text alone.</summary>
    /// <param name="thoughts">Which thoughts the file's template keeps.</param>
    public virtual bool IsSystemFirstOnly(ThoughtLayout thoughts) => false;

    /// <summary>Checks the keys that are this family's, and says what they tell of the layers.</summary>
    /// <param name="model">The file.</param>
    /// <param name="shape">What all models' keys tell.</param>
    /// <exception cref="ModelFormatException">A key is missing or wrong.</exception>
    public abstract TextShape ReadShape(GgufModel model, TextShape shape);

    /// <summary>Checks a layer's tensors: which there are, their shapes and types.</summary>
    /// <exception cref="ModelFormatException">A tensor is missing or wrong.</exception>
    public abstract void CheckLayer(TensorChecklist tensors, TextShape shape, int layer);

    /// <summary>Checks tensors outside layers, besides the embeddings and the last norm.</summary>
    /// <exception cref="ModelFormatException">A tensor is wrong.</exception>
    public virtual void CheckOthers(TensorChecklist tensors, GgufModel model, TextShape shape) { }
}

/// <summary>What stands around a message in a prompt.</summary>
/// <param name="Start">The marker that begins its turn.</param>
/// <param name="Opening">Text after it.</param>
/// <param name="End">The marker after the message.</param>
/// <param name="Closing">Text after that.</param>
internal readonly record struct TurnFrame(string Start, string Opening, string End, string Closing);

/// <summary>Markers that make up a family's prompts, and by which its sequences are read.</summary>
/// <param name="TurnStart">Begins a turn.</param>
/// <param name="TurnEnd">Ends it.</param>
/// <param name="VisionStart">Stands before the cells of a picture.</param>
/// <param name="VisionEnd">Stands after them.</param>
/// <param name="ImagePad">The token that a picture's cells carry.</param>
/// <param name="VideoPad">The token that a video's cells carry; null where Tamx shows the family no videos.</param>
internal sealed record PromptMarkers(
    string TurnStart,
    string TurnEnd,
    string VisionStart,
    string VisionEnd,
    string ImagePad,
    string? VideoPad
)
{
    /// <summary>Those of all Qwen-VL models.</summary>
    public static PromptMarkers Qwen { get; } =
        new("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>");

    /// <summary>
    /// The markers before a picture's cells and after them, where libmtmd does not write them one by one.
    /// </summary>
    public (string Before, string After)? AroundCells { get; init; }

    /// <summary>The token that ends each row of cells but the last; null for none.</summary>
    public string? RowEnd { get; init; }

    /// <summary>Other markers, which are no text.</summary>
    public IReadOnlyList<string> Others { get; init; } = [];

    /// <summary>
    /// What begins the turns of each role, marker and all, where it is more than one marker and one word.
    /// </summary>
    public IReadOnlyList<(TurnRole Role, string Text)> Openings { get; init; } = [];

    /// <summary>The token that every prompt begins with; null for none.</summary>
    public string? Begin { get; init; }

    /// <summary>The word that names the system's turns; null where it has none.</summary>
    public string? System { get; init; } = "system";

    /// <summary>The word that names the person's turns.</summary>
    public string User { get; init; } = "user";

    /// <summary>The word that names the model's turns.</summary>
    public string Assistant { get; init; } = "assistant";

    /// <summary>The first marker that a vocabulary lacks.</summary>
    public string? Missing(IReadOnlySet<string> tokens) => All.FirstOrDefault(marker => !tokens.Contains(marker));

    /// <summary>All of them, without the words.</summary>
    public IReadOnlyList<string> All =>
        [
            .. new[] { TurnStart, TurnEnd, VisionStart, VisionEnd, ImagePad, VideoPad, Begin, RowEnd }
                .Concat(Others)
                .OfType<string>()
                .Distinct(),
        ];

    /// <summary>The word that names a role's turns.</summary>
    public string RoleOf(TurnRole role) =>
        role switch
        {
            TurnRole.System when System is not null => System,
            TurnRole.User => User,
            TurnRole.Assistant => Assistant,
            _ => throw new ArgumentOutOfRangeException(nameof(role), role, "no such role"),
        };
}
