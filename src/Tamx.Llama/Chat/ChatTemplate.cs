using System.Text;
using System.Text.RegularExpressions;
using Tamx.Llama.Families;
using Tamx.Llama.Gguf;

namespace Tamx.Llama.Chat;

/// <summary>Writes a conversation the way the models were trained to read it (ChatML).</summary>
/// <remarks>
/// The turns' text is kept apart from the markers, so a marker that a user writes stays text. Pictures stand where
/// they are in the message, as <c>&lt;|vision_start|&gt;&lt;|image_pad|&gt;&lt;|vision_end|&gt;</c> or as the model's
/// family writes it. A video stands there as <see cref="VideoLayout"/> says.
/// </remarks>
public sealed partial class ChatTemplate
{
    private const string ThoughtStart = $"{AssistantTurn.ThoughtStart}\n";
    private const string ThoughtEnd = $"\n{AssistantTurn.ThoughtEnd}\n\n";

    private readonly string? _defaultSystem;

    /// <summary>Creates the template of a model.</summary>
    /// <param name="defaultSystem">The system message of conversations that begin without one; null for none.</param>
    public ChatTemplate(string? defaultSystem)
    {
        _defaultSystem = defaultSystem;
    }

    /// <summary>
    /// Whether messages lose the white space at their ends, as in the published templates of Qwen3.5. False by default.
    /// </summary>
    public bool TrimsMessages { get; init; }

    /// <summary>The family, whose markers and frames the template writes. Any of Qwen's by default.</summary>
    internal ModelFamily Family { get; private init; } = ModelFamily.All[0];

    private PromptMarkers Markers => Family.Markers;

    /// <summary>How a video stands in the prompt. As Qwen3-VL's by default.</summary>
    public VideoLayout VideoLayout { get; init; }

    /// <summary>
    /// Whether the answer begins within <c>&lt;think&gt;</c>, as with Qwen3-VL Thinking. False by default.
    /// </summary>
    public bool StartsThinking { get; init; }

    /// <summary>
    /// Whether the template lets the caller choose if the answer begins with a thought (<c>enable_thinking</c>), as
    /// Qwen3.5's does. Where it does not think, it gets an empty thought. False by default.
    /// </summary>
    public bool CanSwitchThinking { get; init; }

    /// <summary>Which turns of the assistant keep their thoughts. By default a thought is text like any.</summary>
    public ThoughtLayout Thoughts { get; init; }

    /// <summary>
    /// Whether a system message must be the first, and of text alone. The published template of Qwen3-VL Instruct
    /// leaves out any other; here it is an error. False by default, as in those of Qwen3-VL Thinking, Qwen2-VL and
    /// Qwen2.5-VL.
    /// </summary>
    public bool SystemFirstOnly { get; init; }

    /// <summary>
    /// The template of a model: its default system text, and how it writes thoughts, are read from the model's own chat
    /// template.
    /// </summary>
    /// <param name="facts">The model.</param>
    public static ChatTemplate For(ModelFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        return For(facts.ChatTemplate, ModelFamily.Of(facts));
    }

    internal static ChatTemplate For(string? template, string architecture) =>
        For(template, ModelFamily.WithArchitecture(architecture).First());

    internal static ChatTemplate For(string? template, ModelFamily family)
    {
        // A file without a template gets the published one of its family.
        var system = template is null ? family.DefaultSystem : DefaultSystemText().Match(template).Groups[1].Value;
        var thoughts = template is null ? ThoughtLayout.Text : ThoughtsOf(template);
        var (starts, canSwitch) = template is null ? (false, false) : ThinkingOf(template);
        return new ChatTemplate(system.Length > 0 ? system : null)
        {
            StartsThinking = starts,
            CanSwitchThinking = canSwitch,
            TrimsMessages = family.TrimsMessages,
            Thoughts = thoughts,
            SystemFirstOnly = family.IsSystemFirstOnly(thoughts),
            VideoLayout = family.VideoLayout,
            Family = family,
        };
    }

    /// <summary>
    /// The prompt as text, with one pad token (<c>&lt;|image_pad|&gt;</c>) for each picture and one
    /// (<c>&lt;|video_pad|&gt;</c>) for each block of a video.
    /// </summary>
    /// <param name="turns">The conversation.</param>
    /// <param name="addGenerationPrompt">Whether to begin the assistant's next turn, as an answer needs.</param>
    /// <param name="thinking">Whether that turn begins with a thought; null for what the template does.</param>
    /// <exception cref="InvalidInputException">The template cannot write it; the message says why.</exception>
    public string Format(IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt = true, bool? thinking = null)
    {
        var text = new StringBuilder();
        var (before, after) = Markers.AroundCells ?? (Markers.VisionStart, Markers.VisionEnd);
        foreach (var piece in Pieces(turns, addGenerationPrompt, thinking))
        {
            text.Append(
                piece.Vision switch
                {
                    null => piece.Text,
                    VideoPart => before + Markers.VideoPad + after,
                    _ => before + Markers.ImagePad + after,
                }
            );
        }

        return text.ToString();
    }

    /// <summary>The prompt in pieces. Text between two markers is one piece: a tokenizer must see it whole.</summary>
    /// <exception cref="InvalidInputException">The template has no switch for thinking.</exception>
    internal IEnumerable<PromptPiece> Pieces(
        IReadOnlyList<ChatTurn> turns,
        bool addGenerationPrompt = true,
        bool? thinking = null
    )
    {
        ArgumentNullException.ThrowIfNull(turns);
        var opening = OpeningOf(thinking);
        turns = Arranged(turns);
        return Pieces(turns, turns.Count, addGenerationPrompt ? opening : null);
    }

    /// <summary>What the assistant's turn begins with.</summary>
    private string OpeningOf(bool? thinking)
    {
        if (thinking is { } asked && asked != StartsThinking && !CanSwitchThinking)
        {
            var does = StartsThinking ? "lets every answer begin with a thought" : "knows no answers that begin so";
            throw InvalidInputException.Naming(
                $"{Settings.Thinking}: this model's chat template has no switch for thinking; it {does}"
            );
        }

        return (thinking ?? StartsThinking) ? ThoughtStart
            : CanSwitchThinking ? ThoughtStart + ThoughtEnd
            : "";
    }

    private IReadOnlyList<ChatTurn> Arranged(IReadOnlyList<ChatTurn> turns) =>
        Family.Arrange(
            TrimsMessages
                ?
                [
                    .. turns.Select(turn =>
                        turn with
                        {
                            Parts = AssistantTurn.TrimSpace(turn.Parts),
                            Thought = turn.Thought?.Trim(),
                        }
                    ),
                ]
                : turns
        );

    /// <summary>The prompt before a given answer, which is the last message, and the answer's text.</summary>
    /// <remarks>
    /// Both together are what the template writes up to the end of that message. Its thought is part of the answer. The
    /// empty thought that the template writes where there is none is part of the prompt. A thought that never ends
    /// stays open, as the model left it.
    /// </remarks>
    /// <exception cref="InvalidInputException">
    /// The answer holds more than text, or has a thought of which the template knows nothing.
    /// </exception>
    internal (IEnumerable<PromptPiece> Prompt, string Answer) SplitAnswer(IReadOnlyList<ChatTurn> turns)
    {
        // The answer keeps its white space: a model may have written it.
        var last = turns[^1];
        turns = [.. Arranged(turns).SkipLast(1), last];
        if (last.Parts.Any(part => part is not TextPart))
        {
            throw new InvalidInputException(
                "the answer to explain (the last message, the assistant's) holds a picture or a video; it can hold "
                    + "text only"
            );
        }

        var text = AssistantTurn.TextOf(last.Parts);
        var (opening, answer) = ("", text);
        if (StartsThinking || Thoughts != ThoughtLayout.Text)
        {
            (opening, answer) = SplitThought();
        }
        else if (!string.IsNullOrEmpty(last.Thought))
        {
            throw new InvalidInputException(
                "the answer to explain has a thought beside its text, and this model's chat template has no place for "
                    + "one; leave it out, or give both as one text"
            );
        }

        var isBegun = answer.Length > 0 && char.IsWhiteSpace(answer[0]);
        return (Pieces(turns, turns.Count - 1, opening), isBegun ? answer : Family.AnswerStart + answer);

        (string Opening, string Answer) SplitThought()
        {
            var turn = AssistantTurn.Of(last);
            var thought = AssistantTurn.TextOf(turn.Thought).Trim('\n');
            var content = AssistantTurn.TextOf(turn.Content).TrimStart('\n');
            var isOpen = last.Thought is null
                ? !text.Contains(AssistantTurn.ThoughtEnd, StringComparison.Ordinal)
                : content.Length == 0;
            if (
                isOpen
                && last.Thought is null
                && content.StartsWith(AssistantTurn.ThoughtStart, StringComparison.Ordinal)
            )
            {
                (thought, content) = (content[AssistantTurn.ThoughtStart.Length..].TrimStart('\n'), "");
            }

            return thought.Length > 0 ? (ThoughtStart, isOpen ? thought : thought + ThoughtEnd + content)
                : WritesThought(turns, turns.Count - 1, []) ? (ThoughtStart + ThoughtEnd, content)
                : ("", text);
        }
    }

    /// <summary>The pieces of the first turns.</summary>
    /// <param name="turns">The whole conversation.</param>
    /// <param name="count">How many of them to write.</param>
    /// <param name="opening">What the assistant's turn that follows begins with; null for no such turn.</param>
    private IEnumerable<PromptPiece> Pieces(IReadOnlyList<ChatTurn> turns, int count, string? opening)
    {
        if (count == 0)
        {
            throw new InvalidInputException("the conversation is empty; it needs at least one message");
        }

        if (SystemFirstOnly)
        {
            RequireSystemFirst(turns);
        }

        if (Thoughts == ThoughtLayout.EveryTurnAfterLastQuestion && !turns.Any(IsQuestion))
        {
            throw new InvalidInputException(
                "the conversation has no question (a user's message that is no tool's response); this model's chat "
                    + "template needs one"
            );
        }

        var pending = new StringBuilder();
        var (isAssistant, isSpoken) = (false, true);
        var written = turns.Take(count).Select((message, index) => WithThought(turns, index));
        if (_defaultSystem is not null && turns[0].Role != TurnRole.System)
        {
            written = written.Prepend(new ChatTurn(TurnRole.System, _defaultSystem));
        }

        if (Markers.Begin is { } begin)
        {
            yield return PromptPiece.Marker(begin);
        }

        foreach (var message in written)
        {
            var frame = Family.FrameOf(message);
            foreach (var piece in Mark(frame.Start))
            {
                yield return piece;
            }

            isAssistant = message.Role == TurnRole.Assistant;
            Write(frame.Opening);
            foreach (var part in message.Parts)
            {
                if (part is TextPart text)
                {
                    Write(text.Text);
                    continue;
                }

                if (part is VideoPart video && VideoLayout == VideoLayout.TimedBlocks)
                {
                    for (var patch = 0; patch < video.Video.PatchCount; patch++)
                    {
                        Write(TimeText.Of(video.Video.PatchSeconds(patch)));
                        foreach (var piece in Flush().Append(PromptPiece.Block(video, patch, 1)))
                        {
                            yield return piece;
                        }
                    }

                    continue;
                }

                Write(part is ImagePart ? Family.BeforePicture : "");
                var patchCount = part is VideoPart whole ? whole.Video.PatchCount : 1;
                foreach (var piece in Flush().Append(PromptPiece.Block(part, 0, patchCount)))
                {
                    yield return piece;
                }

                Write(part is ImagePart ? Family.AfterPicture : "");
            }

            foreach (var piece in Mark(frame.End))
            {
                yield return piece;
            }

            Write(frame.Closing);
        }

        if (opening is not null)
        {
            var frame = Family.FrameOf(new ChatTurn(TurnRole.Assistant, []));
            foreach (var piece in Mark(frame.Start))
            {
                yield return piece;
            }

            isAssistant = true;
            Write(frame.Opening + opening);
        }

        foreach (var piece in Flush())
        {
            yield return piece;
        }

        // Text of several speakers, where no marker stands between them, is as plain as the plainest.
        void Write(string text)
        {
            isSpoken = isAssistant && (isSpoken || pending.Length == 0);
            pending.Append(text);
        }

        IEnumerable<PromptPiece> Mark(string marker) =>
            marker.Length > 0 ? Flush().Append(PromptPiece.Marker(marker)) : [];

        IEnumerable<PromptPiece> Flush()
        {
            if (pending.Length == 0)
            {
                return [];
            }

            var text = pending.ToString();
            PromptPiece[] piece = [isSpoken ? PromptPiece.Spoken(text) : PromptPiece.Plain(text)];
            pending.Clear();
            return piece;
        }
    }

    private static void RequireSystemFirst(IReadOnlyList<ChatTurn> turns)
    {
        for (var i = 0; i < turns.Count; i++)
        {
            if (turns[i].Role == TurnRole.System && (i > 0 || turns[i].Parts.Any(part => part is not TextPart)))
            {
                throw new InvalidInputException(
                    $"message {i} is the system's and {(i > 0 ? "not the first" : "holds more than text")}; this "
                        + "model reads a system message at the beginning, of text alone"
                );
            }
        }
    }

    /// <summary>A message as the template writes it.</summary>
    private ChatTurn WithThought(IReadOnlyList<ChatTurn> turns, int index)
    {
        var message = turns[index];
        if (message.Role != TurnRole.Assistant || Thoughts == ThoughtLayout.Text)
        {
            return message;
        }

        var (thought, content) = AssistantTurn.Of(message);
        return new ChatTurn(
            TurnRole.Assistant,
            WritesThought(turns, index, thought)
                ?
                [
                    new TextPart(ThoughtStart),
                    .. TrimsMessages ? AssistantTurn.TrimSpace(thought) : AssistantTurn.Trim(thought),
                    new TextPart(ThoughtEnd),
                    .. AssistantTurn.Trim(content, atEnd: false),
                ]
                : content
        );
    }

    private bool WritesThought(IReadOnlyList<ChatTurn> turns, int index, IReadOnlyList<ChatPart> thought)
    {
        var isLast = index == turns.Count - 1;
        return Thoughts switch
        {
            ThoughtLayout.LastTurn => isLast,
            ThoughtLayout.EveryTurnAfterLastQuestion => index > LastQuestion(turns),
            ThoughtLayout.AfterLastQuestion => index > LastQuestion(turns) && (isLast || thought.Count > 0),
            _ => false,
        };
    }

    /// <summary>The user's last message that is no tool's response; without one, the last message.</summary>
    private static int LastQuestion(IReadOnlyList<ChatTurn> turns)
    {
        for (var i = turns.Count - 1; i >= 0; i--)
        {
            if (IsQuestion(turns[i]))
            {
                return i;
            }
        }

        return turns.Count - 1;
    }

    private static bool IsQuestion(ChatTurn message) => message.Role == TurnRole.User && !IsToolResponse(message);

    private static bool IsToolResponse(ChatTurn message)
    {
        var text = AssistantTurn.TextOf(message.Parts);
        return text.StartsWith("<tool_response>", StringComparison.Ordinal)
            && text.EndsWith("</tool_response>", StringComparison.Ordinal);
    }

    private static ThoughtLayout ThoughtsOf(string template) =>
        !QuotedThoughtEnd().IsMatch(template) ? ThoughtLayout.Text
        : !template.Contains("last_query_index", StringComparison.Ordinal) ? ThoughtLayout.LastTurn
        : template.Contains("loop.last or", StringComparison.Ordinal) ? ThoughtLayout.AfterLastQuestion
        : ThoughtLayout.EveryTurnAfterLastQuestion;

    /// <summary>
    /// Whether the generation prompt of a template leaves a thought open, and whether the caller can choose. Where
    /// there is a choice, the last one written is what happens by itself: the condition's "else".
    /// </summary>
    private static (bool Starts, bool CanSwitch) ThinkingOf(string template)
    {
        var start = template.LastIndexOf("add_generation_prompt", StringComparison.Ordinal);
        if (start < 0)
        {
            return (ThinkingPrompt().IsMatch(template), false);
        }

        var prompt = template[start..];
        var open = OpenThought().Matches(prompt).LastOrDefault()?.Index ?? -1;
        var empty = EmptyThought().Matches(prompt).LastOrDefault()?.Index ?? -1;
        return open >= 0 && empty >= 0 && prompt.Contains("enable_thinking", StringComparison.Ordinal)
            ? (open > empty, true)
            : (open >= 0, false);
    }

    // A thought that begins an answer, in a template that does not say where its generation prompt is.
    [GeneratedRegex(
        @"<\|im_start\|>assistant(?:\\n|\n)<think>",
        RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex ThinkingPrompt();

    // Not the empty thought that is written where thinking is turned off.
    [GeneratedRegex(@"<think>(?!(?:\\n|\n)*</think>)", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex OpenThought();

    [GeneratedRegex(@"<think>(?:\\n|\n)*</think>", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex EmptyThought();

    // As in content.split('</think>'): the template takes thoughts from the text.
    [GeneratedRegex("['\"]</think>['\"]", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex QuotedThoughtEnd();

    // The text of the system turn that the template writes by itself: it has no Jinja expression.
    [GeneratedRegex(
        @"<\|im_start\|>system(?:\\n|\n)([^{}'""<\\]+)<\|im_end\|>",
        RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex DefaultSystemText();
}

/// <summary>How a video stands in the prompt.</summary>
public enum VideoLayout
{
    /// <summary>
    /// Qwen3-VL: a vision block per temporal patch, each after its time (<c>&lt;1.2 seconds&gt;</c>).
    /// </summary>
    TimedBlocks,

    /// <summary>Qwen2-VL, Qwen2.5-VL: one vision block for all temporal patches; time is in their positions.</summary>
    OneBlock,
}

/// <summary>Which turns of the assistant keep their thoughts in a prompt.</summary>
public enum ThoughtLayout
{
    /// <summary>The template knows no thoughts: text is written as it is.</summary>
    Text,

    /// <summary>The last turn alone.</summary>
    LastTurn,

    /// <summary>Qwen3-VL Thinking: turns after the user's last question. A tool's response is no question.</summary>
    AfterLastQuestion,

    /// <summary>Qwen3.5: the same, and a turn without a thought gets an empty one.</summary>
    EveryTurnAfterLastQuestion,
}

/// <summary>A run of text, or a vision block: a picture, or some temporal patches of a video.</summary>
/// <param name="Text">The text.</param>
/// <param name="Specials">Which special tokens that the text names are tokens.</param>
/// <param name="Vision">The picture or video; null for text.</param>
/// <param name="FirstPatch">The first of its patches.</param>
/// <param name="PatchCount">How many of them.</param>
internal readonly record struct PromptPiece(
    string Text,
    SpecialTokens Specials,
    ChatPart? Vision,
    int FirstPatch,
    int PatchCount
)
{
    public static PromptPiece Marker(string text) => new(text, SpecialTokens.All, null, 0, 0);

    public static PromptPiece Plain(string text) => new(text, SpecialTokens.None, null, 0, 0);

    /// <summary>Text of an assistant's turn.</summary>
    public static PromptPiece Spoken(string text) => new(text, SpecialTokens.Answer, null, 0, 0);

    public static PromptPiece Block(ChatPart vision, int firstPatch, int patchCount) =>
        new("", SpecialTokens.None, vision, firstPatch, patchCount);
}
