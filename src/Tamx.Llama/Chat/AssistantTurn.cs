namespace Tamx.Llama.Chat;

/// <summary>An assistant's message, its thought apart from what it says.</summary>
/// <param name="Thought">The thought; empty for none.</param>
/// <param name="Content">What follows the thought; the whole message where its text marks none.</param>
/// <remarks>
/// A thought given apart (<see cref="ChatTurn.Thought"/>) comes before one in the text: what stands up to
/// <c>&lt;/think&gt;</c>, without its line feeds. Source: the published templates of Qwen3-VL Thinking and Qwen3.
/// </remarks>
internal readonly record struct AssistantTurn(IReadOnlyList<ChatPart> Thought, IReadOnlyList<ChatPart> Content)
{
    public const string ThoughtStart = "<think>";
    public const string ThoughtEnd = "</think>";

    /// <summary>Stands for a picture or video where the parts of a message are searched as one text.</summary>
    private const string Vision = "\uFFFC";

    public static AssistantTurn Of(ChatTurn message)
    {
        if (message.Thought is { } given)
        {
            return new AssistantTurn(given.Length > 0 ? [new TextPart(given)] : [], message.Parts);
        }

        var text = TextOf(message.Parts);
        var end = text.IndexOf(ThoughtEnd, StringComparison.Ordinal);
        if (end < 0)
        {
            return new AssistantTurn([], message.Parts);
        }

        var start = text.LastIndexOf(ThoughtStart, end, StringComparison.Ordinal);
        var thought = Slice(message.Parts, start < 0 ? 0 : start + ThoughtStart.Length, end);
        var rest = text.LastIndexOf(ThoughtEnd, StringComparison.Ordinal) + ThoughtEnd.Length;
        return new AssistantTurn(Trim(thought), Trim(Slice(message.Parts, rest, text.Length), atEnd: false));
    }

    /// <summary>The text of parts, with a sign for each picture and video.</summary>
    public static string TextOf(IEnumerable<ChatPart> parts) =>
        string.Concat(parts.Select(part => part is TextPart text ? text.Text : Vision));

    /// <summary>The parts without the line feeds that their text begins with, and ends with.</summary>
    public static IReadOnlyList<ChatPart> Trim(IReadOnlyList<ChatPart> parts, bool atEnd = true)
    {
        var text = TextOf(parts);
        var start = text.Length - text.TrimStart('\n').Length;
        return Slice(parts, start, atEnd ? Math.Max(start, text.TrimEnd('\n').Length) : text.Length);
    }

    /// <summary>The parts without the white space that their text begins and ends with.</summary>
    public static IReadOnlyList<ChatPart> TrimSpace(IReadOnlyList<ChatPart> parts)
    {
        var text = TextOf(parts);
        var start = text.Length - text.TrimStart().Length;
        return Slice(parts, start, Math.Max(start, text.TrimEnd().Length));
    }

    /// <summary>The parts from one place in their text to another.</summary>
    private static List<ChatPart> Slice(IReadOnlyList<ChatPart> parts, int start, int end)
    {
        var slice = new List<ChatPart>();
        var offset = 0;
        foreach (var part in parts)
        {
            var text = part is TextPart { Text: var whole } ? whole : Vision;
            var (from, to) = (Math.Max(start - offset, 0), Math.Min(end - offset, text.Length));
            if (from < to)
            {
                slice.Add(part is TextPart ? new TextPart(text[from..to]) : part);
            }

            offset += text.Length;
        }

        return slice;
    }
}
