using System.Text.Json;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Web.Worker;

namespace Tamx.Web.Requests;

/// <summary>Reads the body of <c>POST /api/explain</c>.</summary>
internal static class ExplainRequestReader
{
    private static readonly string[] Names = ["messages", "answer", "maxTokens", "candidates", "sampling", "options", "fps", "maxFrames"];
    private static readonly string[] SamplingNames = ["temperature", "topK", "topP", "seed"];

    /// <summary>Options of the method that are the server's own affair, or the model's.</summary>
    private static readonly string[] ServersOptions = ["engine", "threadCount", "maxWorkingBytes", "mergeSize", "temporalMergeSize"];

    public static ParsedRequest Read(RequestBody body, RequestLimits limits)
    {
        var root = body.Json.RootElement;
        RequireNames(root, Names, "the request");
        var messages = Json.Find(root, "messages") ?? throw Json.Fault("messages", "is missing");
        var fps = Json.Number(root, "fps", 0.001, 1000);
        var maxFrames = Json.Whole(root, "maxFrames", "", 1, limits.MaxFrames);
        var sampling = new VideoSampling();
        var reader = new MessageReader(limits, body.Uploads)
        {
            Sampling = sampling with { FramesPerSecond = fps ?? sampling.FramesPerSecond, MaxFrames = maxFrames ?? limits.MaxFrames },
        };
        var conversation = reader.Read(messages);
        if (Json.Text(root, "answer") is { Length: > 0 } answer)
        {
            conversation.Add(new MessageContent(ChatRole.Assistant, [new PartContent(reader.CountText(answer))]));
        }

        return new ParsedRequest(conversation, reader.Files, ReadOptions(root, limits), PromptOf(conversation));
    }

    /// <summary>The method's options from an object of names and values, <c>profile</c> among them.</summary>
    public static TamOptions ReadTam(JsonElement? options)
    {
        if (options is not { } values)
        {
            return new TamOptions();
        }

        if (values.ValueKind != JsonValueKind.Object)
        {
            throw Json.Fault("options", "must be an object of names and values");
        }

        try
        {
            var profile = Json.Find(values, "profile") is null ? TamProfile.Tamx
                : Enum.TryParse<TamProfile>(Json.Text(values, "profile"), ignoreCase: true, out var known) && Enum.IsDefined(known) ? known
                : throw Json.Fault("profile", $"must be {string.Join(", ", Enum.GetNames<TamProfile>()).ToLowerInvariant()}");
            var tam = TamOptions.ForProfile(profile);
            foreach (var option in values.EnumerateObject().Where(option => option.Name != "profile"))
            {
                if (ServersOptions.Contains(option.Name, StringComparer.OrdinalIgnoreCase))
                {
                    throw Json.Fault(option.Name, "is not for requests to set");
                }

                tam = tam.Set(option.Name, option.Value.ValueKind == JsonValueKind.String ? option.Value.GetString()! : option.Value.GetRawText());
            }

            tam.Validate();
            return tam;
        }
        catch (InvalidInputException e)
        {
            throw ApiException.BadRequest("invalid_option", e.Message);
        }
    }

    /// <summary>The text of the last message that is not the answer, cut short.</summary>
    public static string PromptOf(IReadOnlyList<MessageContent> messages)
    {
        const int Length = 200;
        var last = messages.LastOrDefault(message => message.Role == ChatRole.User) ?? messages[^1];
        var text = string.Join(' ', last.Parts.Select(part => part.Text).OfType<string>());
        return text.Length <= Length ? text : text[..Length] + "…";
    }

    private static ExplainOptions ReadOptions(JsonElement root, RequestLimits limits)
    {
        var standard = new ExplainOptions();
        var completion = standard.Completion;
        var sampling = Json.Find(root, "sampling") ?? default;
        RequireNames(sampling, SamplingNames, "sampling");
        return standard with
        {
            Tam = ReadTam(Json.Find(root, "options")),
            Completion = completion with
            {
                MaxContextSize = limits.MaxContextTokens,
                MaxNewTokens = Json.Whole(root, "maxTokens", "", 1, limits.MaxAnswerTokens) ?? Math.Min(completion.MaxNewTokens, limits.MaxAnswerTokens),
                CandidateCount = Json.Whole(root, "candidates", "", 0, limits.MaxCandidates) ?? Math.Min(completion.CandidateCount, limits.MaxCandidates),
                Temperature = (float)(Json.Number(sampling, "temperature", 0, 100) ?? completion.Temperature),
                TopK = Json.Whole(sampling, "topK", "", 0, int.MaxValue) ?? completion.TopK,
                TopP = (float)(Json.Number(sampling, "topP", 0, 1) ?? completion.TopP),
                Seed = (uint)(Json.Number(sampling, "seed", 0, uint.MaxValue) ?? completion.Seed),
            },
        };
    }

    private static void RequireNames(JsonElement element, string[] names, string what)
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
                throw ApiException.BadRequest("unknown_name", $"{what} has a name that means nothing here; known are {string.Join(", ", names)}");
            }
        }
    }
}
