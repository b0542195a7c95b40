using System.Text.Json;
using System.Text.Json.Serialization;
using Tamx.Web.Requests;
using Tamx.Web.Wire;

namespace Tamx.Web.Api;

/// <summary>The answer to a chat completion as OpenAI streams it: chunks, each an event.</summary>
/// <remarks>
/// The first chunk waits for the prompt: until that is computed, an error is still an answer with its status.
/// </remarks>
internal sealed class ChatStream(EventStream events, ChatRequest request, string model)
{
    private readonly long _created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    private string? _run;
    private WrittenToken? _written;
    private bool _hasBegun;

    /// <summary>Writes an event of the run as a chunk, if it is one.</summary>
    public async Task OnEventAsync(string name, byte[] json)
    {
        switch (name)
        {
            case "run":
                _run = WireJson.Read<JsonElement>(json).GetProperty("run").GetString();
                break;
            case "head" when request.WithMaps:
                await BeginAsync();
                await WriteChunkAsync(new { }, tamx: new { head = WireJson.Read<JsonElement>(json) });
                break;
            case "written":
                _written = WireJson.Read<WrittenToken>(json);
                if (!request.WithMaps)
                {
                    await BeginAsync();
                    await WriteTokenAsync(null);
                }

                break;
            case "verdict":
                await BeginAsync();
                await WriteChunkAsync(new { }, tamx: new { verdict = WireJson.Read<JsonElement>(json) });
                break;
            case "token":
                await WriteTokenAsync(new { token = WireJson.Read<JsonElement>(json) });
                break;
        }
    }

    /// <summary>Writes what comes after the last token.</summary>
    public async Task FinishAsync(DoneEvent done)
    {
        await BeginAsync();
        await WriteChunkAsync(
            new { },
            ChatApi.FinishReason(done),
            tamx: done.Calibration is { } calibration ? new { calibration } : null
        );
        if (request.WithUsage)
        {
            await WriteAsync([], usage: ChatApi.Usage(done));
        }
    }

    private async Task BeginAsync()
    {
        if (!_hasBegun)
        {
            _hasBegun = true;
            await WriteChunkAsync(
                new
                {
                    role = "assistant",
                    content = "",
                    refusal = (string?)null,
                },
                tamx: new Extension(_run!, request.BoundedTokens)
            );
        }
    }

    private Task WriteTokenAsync(object? tamx)
    {
        var token = _written!;
        return !token.EndsAnswer
                ? WriteChunkAsync(
                    DeltaOf(token),
                    logprobs: Logprobs.Member(request.WithLogprobs, [Logprobs.Of(token, request.TopLogprobs)]),
                    tamx: tamx
                )
            : token.Text.Length > 0 || tamx is not null ? WriteChunkAsync(DeltaOf(token), tamx: tamx)
            : Task.CompletedTask;
    }

    /// <summary>What answer or thought grow by; nothing of the tags between the two.</summary>
    private static object DeltaOf(WrittenToken token) =>
        token.Thought.Length > 0 ? new { reasoning_content = token.Thought }
        : token.IsThought || (token.EndsAnswer && token.Text.Length == 0) ? new { }
        : new { content = token.Text };

    private Task WriteChunkAsync(object delta, string? finish = null, object? logprobs = null, object? tamx = null) =>
        WriteAsync(
            [
                new
                {
                    index = 0,
                    delta,
                    logprobs,
                    finish_reason = finish,
                },
            ],
            tamx: tamx
        );

    private Task WriteAsync(object[] choices, object? usage = null, object? tamx = null) =>
        events.WriteAsync(
            null,
            WireJson.BytesWithNulls(
                new Chunk
                {
                    Id = ChatApi.IdOf(_run!),
                    Created = _created,
                    Model = model,
                    Choices = choices,
                    Usage = usage,
                    Tamx = tamx,
                }
            )
        );

    private sealed record Extension(
        string Run,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? MaxTokens
    );

    private sealed record Chunk
    {
        public required string Id { get; init; }

        public string Object { get; } = "chat.completion.chunk";

        public required long Created { get; init; }

        public required string Model { get; init; }

        public required object[] Choices { get; init; }

        public object? Usage { get; init; }

        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public object? Tamx { get; init; }
    }
}
