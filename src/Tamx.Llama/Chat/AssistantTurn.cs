namespace Tamx.Llama.Chat;

/// <summary>An assistant's message, its thought apart from what it says.</summary>
/// <param name="Thought">The thought; empty for none.</param>
/// <param name="Content">What follows the thought; the whole message where its text marks none.</param>
/// <remarks>
/// A thought given apart (<see cref="ChatMessage.Thought"/>) comes before one in the text: what stands up to
/// <c>&lt;/think&gt;</c>, without its line feeds. Source: the published templates of Qwen3-VL Thinking and Qwen3.
/// </remarks>
internal readonly record struct AssistantTurn(string Thought, IReadOnlyList<ChatPart> Content)
{
    public const string ThoughtStart = "<think>";
    public const string ThoughtEnd = "</think>";

    public static AssistantTurn Of(ChatMessage message)
    {
        if (message.Thought is { } thought)
        {
            return new AssistantTurn(thought, message.Parts);
        }

        var parts = message.TextOnly is { } whole ? (IReadOnlyList<ChatPart>)[new TextPart(whole)] : message.Parts;
        ChatPart[] ends = [.. parts.Where(part => part is TextPart text && HasEnd(text.Text))];
        if (ends.Length == 0)
        {
            return new AssistantTurn("", parts);
        }

        var (first, last) = ((TextPart)ends[0], (TextPart)ends[^1]);
        var before = string.Concat(parts.TakeWhile(part => part != first).OfType<TextPart>().Select(part => part.Text));
        var said = last.Text[(last.Text.LastIndexOf(ThoughtEnd, StringComparison.Ordinal) + ThoughtEnd.Length)..];
        var rest = parts.Reverse().TakeWhile(part => part != last).Reverse();
        return new AssistantTurn(
            AfterStart(before + first.Text[..first.Text.IndexOf(ThoughtEnd, StringComparison.Ordinal)]),
            WithoutLineFeeds([new TextPart(said), .. rest])
        );
    }

    /// <summary>Whether a text ends a thought.</summary>
    public static bool HasEnd(string text) => text.Contains(ThoughtEnd, StringComparison.Ordinal);

    /// <summary>The parts without the line feeds that their text begins with.</summary>
    public static IReadOnlyList<ChatPart> WithoutLineFeeds(IReadOnlyList<ChatPart> parts)
    {
        var empty = parts.TakeWhile(part => part is TextPart text && text.Text.All(letter => letter == '\n')).Count();
        return parts.Skip(empty).ToList() is [TextPart text, .. var rest]
            ? [new TextPart(text.Text.TrimStart('\n')), .. rest]
            : [.. parts.Skip(empty)];
    }

    private static string AfterStart(string text)
    {
        var start = text.LastIndexOf(ThoughtStart, StringComparison.Ordinal);
        return (start < 0 ? text : text[(start + ThoughtStart.Length)..]).Trim('\n');
    }
}
