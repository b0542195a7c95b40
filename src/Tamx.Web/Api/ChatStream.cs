using System.Text.Json;
using Tamx.Web.Requests;
using Tamx.Web.Wire;

namespace Tamx.Web.Api;

/// <summary>The answer to a chat completion as OpenAI streams it: chunks, each an event.</summary>
internal sealed class ChatStream(EventStream events, ChatRequest request, string model)
{
    private readonly long _created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    private string _id = "";

    /// <summary>Writes an event of the run as a chunk, if it is one.</summary>
    public async Task OnEventAsync(string name, byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        var data = document.RootElement;
        switch (name)
        {
            case "run":
                _id = ChatApi.IdOf(data.GetProperty("run").GetString()!);
                await WriteChunkAsync(new { role = "assistant", content = "" }, tamx: data);
                break;
            case "head" when request.WithMaps:
                await WriteChunkAsync(new { }, tamx: new { head = data });
                break;
            case "token":
                await WriteChunkAsync(
                    DeltaOf(data),
                    logprobs: request.WithLogprobs ? new { content = new[] { LogprobOf(data) } } : null,
                    tamx: request.WithMaps ? new { token = data } : null
                );
                break;
        }
    }

    /// <summary>Writes what comes after the last token.</summary>
    public async Task FinishAsync(string run, DoneEvent done)
    {
        await WriteChunkAsync(new { }, ChatApi.FinishReason(done), tamx: new { run });
        if (request.WithUsage)
        {
            await WriteAsync([], usage: ChatApi.Usage(done));
        }
    }

    /// <summary>What answer or thought grow by; nothing of the tags between the two.</summary>
    private static object DeltaOf(JsonElement token)
    {
        var (thought, answer) = (token.GetProperty("thought").GetString(), token.GetProperty("answer").GetString());
        return !token.GetProperty("isThought").GetBoolean() ? new { content = answer }
            : thought is { Length: > 0 } ? new { reasoning_content = thought }
            : new { };
    }

    private object LogprobOf(JsonElement token) => Logprobs.Of(token, request.TopLogprobs);

    private Task WriteChunkAsync(object delta, string? finish = null, object? logprobs = null, object? tamx = null) =>
        WriteAsync(
            [
                new
                {
                    index = 0,
                    delta,
                    finish_reason = finish,
                    logprobs,
                },
            ],
            tamx: tamx
        );

    private Task WriteAsync(object[] choices, object? usage = null, object? tamx = null) =>
        events.WriteAsync(
            null,
            WireJson.Bytes(
                new
                {
                    id = _id,
                    @object = "chat.completion.chunk",
                    created = _created,
                    model,
                    choices,
                    usage,
                    tamx,
                }
            )
        );
}
