using System.Text.Json;

namespace Tamx.Web.Requests;

/// <summary>A request of <c>POST /v1/chat/completions</c>.</summary>
/// <param name="Request">What the model is asked.</param>
/// <param name="IsStream">Whether the answer is wanted as it is written.</param>
/// <param name="WithUsage">Whether a stream ends with the numbers of tokens.</param>
/// <param name="WithLogprobs">Whether the tokens' log-probabilities are wanted.</param>
/// <param name="TopLogprobs">How many of the likeliest tokens are wanted with each.</param>
/// <param name="WithMaps">Whether the maps are wanted.</param>
internal sealed record ChatRequest(
    ParsedRequest Request,
    bool IsStream,
    bool WithUsage,
    bool WithLogprobs,
    int TopLogprobs,
    bool WithMaps
);

/// <summary>Reads OpenAI's request for a chat completion. What is ours stands in <c>tamx</c>.</summary>
/// <remarks>Names that mean nothing here are passed over, since clients send many.</remarks>
internal static class ChatRequestReader
{
    /// <summary>Settings that would change the answer, and that the server does not have.</summary>
    private static readonly string[] Unsupported =
    [
        "stop",
        "tools",
        "functions",
        "response_format",
        "logit_bias",
        "audio",
    ];

    public static ChatRequest Read(RequestBody body, RequestLimits limits)
    {
        var root = body.Json.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw Json.Fault("the request", "must be an object");
        }

        foreach (var name in Unsupported)
        {
            if (Json.Find(root, name) is { } value && HasContent(value))
            {
                throw ApiException.BadRequest("unsupported", $"{name} is not supported");
            }
        }

        if (Json.Whole(root, "n", 1, int.MaxValue) is > 1)
        {
            throw ApiException.BadRequest("unsupported", "n is not supported: there is one answer");
        }

        var extension = Json.Find(root, "tamx") ?? default;
        var resolver = new MessageResolver(limits, body.Uploads)
        {
            Sampling = OptionsReader.ReadFrames(extension, limits),
        };
        var messages = resolver.Read(Json.Find(root, "messages") ?? throw Json.Fault("messages", "is missing"));
        return new ChatRequest(
            new ParsedRequest(
                messages,
                resolver.Files,
                ReadOptions(root, extension, limits),
                ExplainRequestReader.PromptOf(messages),
                FieldNames.Chat
            ),
            Json.Flag(root, "stream") ?? false,
            Json.Find(root, "stream_options") is { } stream && (Json.Flag(stream, "include_usage") ?? false),
            Json.Flag(root, "logprobs") ?? false,
            TopLogprobs(root, limits) ?? 0,
            Json.Flag(extension, "maps") ?? true
        );
    }

    private static bool HasContent(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Array => value.GetArrayLength() > 0,
            JsonValueKind.Object => value.EnumerateObject().Any() && Json.Text(value, "type") != "text",
            _ => true,
        };

    private static int? TopLogprobs(JsonElement root, RequestLimits limits) =>
        Json.Whole(root, "top_logprobs", 0, limits.MaxCandidates);

    private static ExplainOptions ReadOptions(JsonElement root, JsonElement extension, RequestLimits limits)
    {
        var maxTokens =
            Json.Whole(root, "max_completion_tokens", 1, limits.MaxAnswerTokens)
            ?? Json.Whole(root, "max_tokens", 1, limits.MaxAnswerTokens);
        var candidates = Json.Whole(extension, "candidates", 0, limits.MaxCandidates);
        if (TopLogprobs(root, limits) is { } listed)
        {
            candidates = Math.Max(candidates ?? 0, listed);
        }

        return OptionsReader.Read(
            Json.Find(extension, "options"),
            maxTokens,
            candidates,
            root,
            FieldNames.Chat,
            limits
        );
    }
}
