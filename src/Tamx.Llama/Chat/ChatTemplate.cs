using System.Text;
using System.Text.RegularExpressions;
using Tamx.Llama.Gguf;

namespace Tamx.Llama.Chat;

/// <summary>Writes a conversation the way the Qwen-VL models were trained to read it (ChatML).</summary>
/// <remarks>
/// The messages' text is kept apart from the markers, so a marker that a user writes stays text. Pictures stand where
/// they are in the message, as <c>&lt;|vision_start|&gt;&lt;|image_pad|&gt;&lt;|vision_end|&gt;</c>. A video stands
/// there as <see cref="VideoLayout"/> says.
/// </remarks>
public sealed partial class ChatTemplate
{
    private const string TurnStart = "<|im_start|>";
    private const string TurnEnd = "<|im_end|>";

    private readonly string? _defaultSystem;

    /// <summary>Creates the template of a model.</summary>
    /// <param name="defaultSystem">The system message of conversations that begin without one; null for none.</param>
    public ChatTemplate(string? defaultSystem)
    {
        _defaultSystem = defaultSystem;
    }

    /// <summary>How a video stands in the prompt. As Qwen3-VL's by default.</summary>
    public VideoLayout VideoLayout { get; init; }

    /// <summary>
    /// Whether the answer begins within <c>&lt;think&gt;</c>, as with Qwen3-VL Thinking. False by default.
    /// </summary>
    public bool StartsThinking { get; init; }

    /// <summary>
    /// Whether a system message must be the first, and of text alone. Qwen3-VL's published template leaves out any
    /// other; here it is an error. False by default, as in Qwen2-VL's and Qwen2.5-VL's.
    /// </summary>
    public bool SystemFirstOnly { get; init; }

    /// <summary>The template of a model: its default system text is read from the model's own chat template.</summary>
    /// <param name="facts">The model.</param>
    public static ChatTemplate For(ModelFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        return For(facts.ChatTemplate, facts.Architecture);
    }

    internal static ChatTemplate For(string? template, string architecture)
    {
        // A file without a template gets the published one of its family.
        var family = ModelArchitecture.PromptOf(architecture);
        var system = template is null ? family.DefaultSystem : DefaultSystemText().Match(template).Groups[1].Value;
        return new ChatTemplate(system.Length > 0 ? system : null)
        {
            StartsThinking = template is not null && ThinkingPrompt().IsMatch(template),
            SystemFirstOnly = family.SystemFirstOnly,
            VideoLayout = family.HasTimedBlocks ? VideoLayout.TimedBlocks : VideoLayout.OneBlock,
        };
    }

    /// <summary>
    /// The prompt as text, with one <c>&lt;|image_pad|&gt;</c> for each picture and one <c>&lt;|video_pad|&gt;</c> for
    /// each block of a video.
    /// </summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="addGenerationPrompt">Whether to begin the assistant's next turn, as an answer needs.</param>
    /// <exception cref="InvalidInputException">There is no message, or a system message out of place.</exception>
    public string Format(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true)
    {
        var text = new StringBuilder();
        foreach (var piece in Pieces(messages, addGenerationPrompt))
        {
            text.Append(
                piece.Vision switch
                {
                    null => piece.Text,
                    VideoPart => "<|vision_start|><|video_pad|><|vision_end|>",
                    _ => "<|vision_start|><|image_pad|><|vision_end|>",
                }
            );
        }

        return text.ToString();
    }

    /// <summary>The prompt in pieces. Text between two markers is one piece: a tokenizer must see it whole.</summary>
    internal IEnumerable<PromptPiece> Pieces(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true)
    {
        ArgumentNullException.ThrowIfNull(messages);
        if (messages.Count == 0)
        {
            throw new InvalidInputException("the conversation is empty; it needs at least one message");
        }

        if (SystemFirstOnly)
        {
            RequireSystemFirst(messages);
        }

        var pending = new StringBuilder();
        var written =
            _defaultSystem is not null && messages[0].Role != ChatRole.System
                ? messages.Prepend(new ChatMessage(ChatRole.System, _defaultSystem))
                : messages;
        foreach (var message in written)
        {
            foreach (var piece in Flush().Append(PromptPiece.Marker(TurnStart)))
            {
                yield return piece;
            }

            pending.Append(NameOf(message.Role)).Append('\n');
            foreach (var part in message.Parts)
            {
                if (part is TextPart text)
                {
                    pending.Append(text.Text);
                    continue;
                }

                if (part is VideoPart video && VideoLayout == VideoLayout.TimedBlocks)
                {
                    for (var patch = 0; patch < video.Video.PatchCount; patch++)
                    {
                        pending.Append(TimeText.Of(video.Video.PatchSeconds(patch)));
                        foreach (var piece in Flush().Append(new PromptPiece("", false, video, patch, 1)))
                        {
                            yield return piece;
                        }
                    }

                    continue;
                }

                var patchCount = part is VideoPart whole ? whole.Video.PatchCount : 1;
                foreach (var piece in Flush().Append(new PromptPiece("", false, part, 0, patchCount)))
                {
                    yield return piece;
                }
            }

            foreach (var piece in Flush().Append(PromptPiece.Marker(TurnEnd)))
            {
                yield return piece;
            }

            pending.Append('\n');
        }

        foreach (var piece in addGenerationPrompt ? Flush().Concat(GenerationPrompt()) : Flush())
        {
            yield return piece;
        }

        IEnumerable<PromptPiece> Flush()
        {
            if (pending.Length == 0)
            {
                return [];
            }

            PromptPiece[] piece = [PromptPiece.Plain(pending.ToString())];
            pending.Clear();
            return piece;
        }
    }

    private static void RequireSystemFirst(IReadOnlyList<ChatMessage> messages)
    {
        for (var i = 0; i < messages.Count; i++)
        {
            if (messages[i].Role == ChatRole.System && (i > 0 || messages[i].Parts.Any(part => part is not TextPart)))
            {
                throw new InvalidInputException(
                    $"message {i} is the system's and {(i > 0 ? "not the first" : "holds more than text")}; this "
                        + "model reads a system message at the beginning, of text alone"
                );
            }
        }
    }

    private IEnumerable<PromptPiece> GenerationPrompt()
    {
        yield return PromptPiece.Marker(TurnStart);
        yield return PromptPiece.Plain(NameOf(ChatRole.Assistant) + "\n");
        if (StartsThinking)
        {
            yield return PromptPiece.Marker("<think>");
            yield return PromptPiece.Plain("\n");
        }
    }

    private static string NameOf(ChatRole role) =>
        role switch
        {
            ChatRole.System => "system",
            ChatRole.User => "user",
            ChatRole.Assistant => "assistant",
            _ => throw new ArgumentOutOfRangeException(nameof(role), role, "no such role"),
        };

    // The generation prompt of a template that always thinks, and of no other.
    [GeneratedRegex(
        @"<\|im_start\|>assistant(?:\\n|\n)<think>",
        RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex ThinkingPrompt();

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

/// <summary>A marker, a run of plain text, or a vision block: a picture, or some temporal patches of a video.</summary>
internal readonly record struct PromptPiece(
    string Text,
    bool IsMarker,
    ChatPart? Vision,
    int FirstPatch,
    int PatchCount
)
{
    public static PromptPiece Marker(string text) => new(text, true, null, 0, 0);

    public static PromptPiece Plain(string text) => new(text, false, null, 0, 0);
}
