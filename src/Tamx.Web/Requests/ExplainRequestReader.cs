using System.Text.Json;
using Tamx.Llama.Chat;

namespace Tamx.Web.Requests;

/// <summary>Reads the body of <c>POST /api/explain</c>.</summary>
internal static class ExplainRequestReader
{
    private static readonly string[] Names =
    [
        "messages",
        "answer",
        "maxTokens",
        "candidates",
        "sampling",
        "thinking",
        "options",
        "verdicts",
        "region",
        "fps",
        "maxFrames",
    ];

    public static ParsedRequest Read(RequestBody body, RequestLimits limits)
    {
        var root = body.Json.RootElement;
        RequireNames(root, Names, "the request");
        var messages = Json.Find(root, "messages") ?? throw Json.Fault("messages", "is missing");
        var resolver = new MessageResolver(limits, body.Uploads)
        {
            Media = body.Media,
            Sampling = OptionsReader.ReadFrames(root, limits),
        };
        var conversation = resolver.Read(messages);
        if (Json.Text(root, "answer") is { Length: > 0 } answer)
        {
            conversation.Add(new ParsedMessage(TurnRole.Assistant, [new ParsedText(resolver.CountText(answer))]));
        }

        return new ParsedRequest(
            conversation,
            resolver.Files,
            ReadOptions(root, limits),
            PromptOf(conversation),
            FieldNames.Explain,
            OptionsReader.LeavesMethod(Json.Find(root, "options")),
            WithMaps: true,
            Json.Flag(root, "verdicts") ?? false
        );
    }

    /// <summary>The text of the last message that is not the answer, cut short.</summary>
    public static string PromptOf(IReadOnlyList<ParsedMessage> messages)
    {
        const int Length = 200;
        var last = messages.LastOrDefault(message => message.Role == TurnRole.User) ?? messages[^1];
        var text = string.Join(' ', last.Parts.OfType<ParsedText>().Select(part => part.Text));
        return text.Length <= Length ? text : text[..Length] + "…";
    }

    private static ExplainOptions ReadOptions(JsonElement root, RequestLimits limits)
    {
        var sampling = Json.Find(root, "sampling") ?? default;
        RequireNames(sampling, FieldNames.Explain.Sampling, "sampling");
        var options = OptionsReader.Read(
            Json.Find(root, "options"),
            Json.Whole(root, "maxTokens", 1, limits.MaxAnswerTokens),
            Json.Whole(root, "candidates", 0, limits.MaxCandidates),
            sampling,
            FieldNames.Explain,
            limits
        );
        return options with
        {
            Completion = options.Completion with
            {
                Thinking = Json.Flag(root, "thinking"),
                Region = RegionReader.Read(root),
            },
        };
    }

    /// <summary>Refuses an object with other names; undefined counts as left out.</summary>
    public static void RequireNames(JsonElement element, string[] names, string what)
    {
        if (element.ValueKind == JsonValueKind.Undefined)
        {
            return;
        }

        if (element.ValueKind != JsonValueKind.Object)
        {
            throw Json.Fault(what, "must be an object");
        }

        foreach (var property in element.EnumerateObject())
        {
            if (!names.Contains(property.Name, StringComparer.Ordinal))
            {
                var (name, known) = (Json.Shown(property.Name), string.Join(", ", names));
                throw ApiException.BadRequest(
                    "unknown_name",
                    $"{what} has {name}, a name that means nothing here; known are {known}",
                    name
                );
            }
        }
    }
}
