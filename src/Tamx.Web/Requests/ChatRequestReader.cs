using System.Text.Json;

namespace Tamx.Web.Requests;

/// <summary>A request of <c>POST /v1/chat/completions</c>.</summary>
/// <param name="Request">What the model is asked.</param>
/// <param name="IsStream">Whether the answer is wanted as it is written.</param>
/// <param name="WithUsage">Whether a stream ends with the numbers of tokens.</param>
/// <param name="WithLogprobs">Whether the tokens' log-probabilities are wanted.</param>
/// <param name="TopLogprobs">How many of the likeliest tokens are wanted with each.</param>
/// <param name="BoundedTokens">
/// Most tokens that the answer may have, where that is not what was asked for; else null.
/// </param>
internal sealed record ChatRequest(
    ParsedRequest Request,
    bool IsStream,
    bool WithUsage,
    bool WithLogprobs,
    int TopLogprobs,
    int? BoundedTokens
)
{
    public bool WithMaps => Request.WithMaps;
}

/// <summary>Reads OpenAI's request for a chat completion. What is ours stands in <c>tamx</c>.</summary>
/// <remarks>
/// A name is used, or passed over because it does not bear on the answer, or refused: an answer that is not the one
/// that was asked for helps nobody. Null counts as left out.
/// </remarks>
internal static class ChatRequestReader
{
    private const string MaxCompletionTokens = "max_completion_tokens";

    private const string TemplateArguments = "chat_template_kwargs";

    /// <summary>What is read.</summary>
    public static IReadOnlySet<string> Used { get; } =
        new HashSet<string>([
            "messages",
            FieldNames.Chat.MaxTokens,
            MaxCompletionTokens,
            "n",
            "logprobs",
            "top_logprobs",
            "stream",
            "stream_options",
            "tamx",
            TemplateArguments,
            .. FieldNames.Chat.Sampling,
        ]);

    /// <summary>What is about accounts, caches and storage, and the model, of which there is one.</summary>
    public static IReadOnlySet<string> PassedOver { get; } =
        new HashSet<string>
        {
            "model",
            "user",
            "metadata",
            "store",
            "service_tier",
            "safety_identifier",
            "prompt_cache_key",
            "prompt_cache_retention",
            "prediction",
            "parallel_tool_calls",
        };

    private static readonly string[] ExtensionNames =
    [
        "maps",
        "verdicts",
        "region",
        "candidates",
        "options",
        "fps",
        "maxFrames",
    ];

    public static ChatRequest Read(RequestBody body, RequestLimits limits)
    {
        var root = body.Json.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw Json.Fault("the request", "must be an object");
        }

        foreach (var property in root.EnumerateObject())
        {
            if (!Used.Contains(property.Name) && !PassedOver.Contains(property.Name) && !SaysNothing(property))
            {
                throw Unsupported(Json.Shown(property.Name));
            }
        }

        if (Json.Whole(root, "n", 1, int.MaxValue) is > 1)
        {
            throw ApiException.BadRequest("unsupported", "n is not supported: there is one answer", "n");
        }

        var extension = ReadExtension(root);
        var withMaps = Json.Flag(extension, "maps") ?? false;
        var withVerdicts = Json.Flag(extension, "verdicts") ?? false;
        var resolver = new MessageResolver(limits, body.Uploads)
        {
            Media = body.Media,
            Sampling = OptionsReader.ReadFrames(extension, limits),
        };
        var messages = resolver.Read(Json.Find(root, "messages") ?? throw Json.Fault("messages", "is missing"));
        var (maxTokens, boundedTokens) = ReadMaxTokens(root, limits);
        var topLogprobs = Json.Whole(root, "top_logprobs", 0, limits.MaxCandidates);
        var candidates = Json.Whole(extension, "candidates", 0, limits.MaxCandidates);
        if (withVerdicts)
        {
            // What the model would write instead is told from the candidates.
            candidates ??= new ExplainOptions().Completion.CandidateCount;
        }

        if (topLogprobs is not null || !withMaps)
        {
            candidates = Math.Max(candidates ?? 0, topLogprobs ?? 0);
        }

        var options = OptionsReader.Read(
            Json.Find(extension, "options"),
            maxTokens,
            candidates,
            root,
            FieldNames.Chat,
            limits
        );
        options = options with
        {
            Completion = options.Completion with
            {
                Thinking = ReadThinking(root),
                Region = RegionReader.Read(extension),
            },
        };
        return new ChatRequest(
            new ParsedRequest(
                messages,
                resolver.Files,
                options,
                ExplainRequestReader.PromptOf(messages),
                FieldNames.Chat,
                OptionsReader.LeavesMethod(Json.Find(extension, "options")),
                withMaps,
                withVerdicts
            ),
            Json.Flag(root, "stream") ?? false,
            ReadWithUsage(root),
            Json.Flag(root, "logprobs") ?? false,
            topLogprobs ?? 0,
            boundedTokens
        );
    }

    private static ApiException Unsupported(string name) =>
        ApiException.BadRequest("unsupported", $"{name} is not supported; leave it out", name);

    /// <summary>Whether a setting that the server does not have is set to what happens anyway.</summary>
    private static bool SaysNothing(JsonProperty property)
    {
        var value = property.Value;
        return value.ValueKind == JsonValueKind.Null
            || property.Name switch
            {
                "tools" or "functions" => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0,
                "tool_choice" or "function_call" => IsText(value, "none") || IsText(value, "auto"),
                "response_format" => value.ValueKind == JsonValueKind.Object && Json.Text(value, "type") == "text",
                "modalities" => value.ValueKind == JsonValueKind.Array
                    && value.EnumerateArray().All(one => IsText(one, "text")),
                _ => false,
            };

        static bool IsText(JsonElement value, string text) =>
            value.ValueKind == JsonValueKind.String && value.GetString() == text;
    }

    /// <summary>As llama.cpp's server and vLLM take it. A template's other arguments are not read.</summary>
    private static bool? ReadThinking(JsonElement root)
    {
        var arguments = Json.Find(root, TemplateArguments) ?? default;
        ExplainRequestReader.RequireNames(arguments, ["enable_thinking"], TemplateArguments);
        return Json.Flag(arguments, "enable_thinking");
    }

    private static JsonElement ReadExtension(JsonElement root)
    {
        if (Json.Find(root, "tamx") is not { } extension)
        {
            return default;
        }

        ExplainRequestReader.RequireNames(extension, ExtensionNames, "tamx");
        if (!(Json.Flag(extension, "maps") ?? false))
        {
            string[] mapsOnly = ["candidates", "options"];
            if (Array.Find(mapsOnly, name => Json.Find(extension, name) is not null) is { } name)
            {
                throw Json.Fault($"tamx.{name}", "is about maps; ask for them too (\"maps\": true)");
            }
        }

        return extension;
    }

    private static bool ReadWithUsage(JsonElement root)
    {
        if (Json.Find(root, "stream_options") is not { } options)
        {
            return false;
        }

        if (options.ValueKind != JsonValueKind.Object)
        {
            throw Json.Fault("stream_options", "must be an object");
        }

        // Obfuscation is random text against listeners who count bytes. Nobody who asks for none gets any.
        foreach (var property in options.EnumerateObject())
        {
            if (property.Name is not ("include_usage" or "include_obfuscation"))
            {
                throw Unsupported($"stream_options.{Json.Shown(property.Name)}");
            }
        }

        return Json.Flag(options, "include_usage") ?? false;
    }

    /// <summary>Most tokens of the answer, and again where they are not those that were asked for.</summary>
    private static (int? Most, int? Bounded) ReadMaxTokens(JsonElement root, RequestLimits limits)
    {
        var older = ReadCount(root, FieldNames.Chat.MaxTokens);
        var newer = ReadCount(root, MaxCompletionTokens);
        if (older is not null && newer is not null && older != newer)
        {
            throw Json.Fault(FieldNames.Chat.MaxTokens, $"is not {MaxCompletionTokens}; give one of them");
        }

        return (newer ?? older) switch
        {
            null => (null, null),
            { } count when count >= 1 && count <= limits.MaxAnswerTokens => ((int)count, null),
            _ => (limits.MaxAnswerTokens, limits.MaxAnswerTokens),
        };
    }

    private static double? ReadCount(JsonElement root, string name) =>
        Json.Number(root, name) switch
        {
            null => null,
            { } number when number == Math.Floor(number) && number is -1 or >= 1 => number,
            _ => throw Json.Fault(name, "must be a whole number of at least 1, or -1 for as many as the server allows"),
        };
}
