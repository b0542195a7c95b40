using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Tamx.Llama;
using Tamx.Web.Requests;
using Tamx.Web.Runs;
using Tamx.Web.Wire;

namespace Tamx.Web.Api;

/// <summary><c>/v1</c>: OpenAI's chat completions, with the maps under the name <c>tamx</c>.</summary>
internal sealed class ChatApi(ServerOptions options, ModelWorker worker, RunService service)
{
    private readonly long _started = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    private string ModelName => worker.Model?.Name ?? "tamx";

    public static string IdOf(string run) => $"chatcmpl-{run}";

    public static string FinishReason(DoneEvent done) =>
        done is { WasStopped: false, StopReason: StopReason.MaxNewTokens or StopReason.ContextFull }
            ? "length"
            : "stop";

    public static object Usage(DoneEvent done) =>
        new
        {
            prompt_tokens = done.PromptTokens,
            completion_tokens = done.AnswerTokens,
            total_tokens = done.PromptTokens + done.AnswerTokens,
        };

    public IResult Models()
    {
        var model = new
        {
            id = ModelName,
            @object = "model",
            created = _started,
            owned_by = "tamx",
        };
        return Results.Json(new { @object = "list", data = new[] { model } }, WireJson.Options);
    }

    public async Task PostAsync(HttpContext context)
    {
        using var place = service.Queue.Enter();
        ChatRequest request;
        using (var body = await RequestBody.ReadAsync(context.Request, options.Limits, context.RequestAborted))
        {
            request = body.Interpret(ChatRequestReader.Read, options.Limits);
        }

        await (request.IsStream ? StreamAsync(context, request, place) : AnswerAsync(context, request, place));
    }

    private async Task AnswerAsync(HttpContext context, ChatRequest request, ModelQueue.Place place)
    {
        var logprobs = new List<object>();
        var (run, done) = await service.RunAsync(request.Request, place, OnEventAsync, context.RequestAborted);
        place.Dispose();
        var choice = new
        {
            index = 0,
            message = new
            {
                role = "assistant",
                content = done.Answer,
                reasoning_content = done.Thought,
            },
            finish_reason = FinishReason(done),
            logprobs = request.WithLogprobs ? new { content = logprobs } : null,
        };

        // The maps' document goes from its file into the answer as it is.
        var maps = request.WithMaps ? await run.Files.ReadAsync(RunFiles.Maps, context.RequestAborted) : null;
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        Write("id", IdOf(run.Id));
        Write("object", "chat.completion");
        Write("created", run.Created.ToUnixTimeSeconds());
        Write("model", ModelName);
        Write("choices", new[] { choice });
        Write("usage", Usage(done));
        json.WriteStartObject("tamx");
        Write("run", run.Id);
        if (maps is not null)
        {
            json.WritePropertyName("maps");
            json.WriteRawValue(maps, skipInputValidation: true);
        }

        json.WriteEndObject();
        json.WriteEndObject();
        await json.FlushAsync(context.RequestAborted);

        Task OnEventAsync(string name, byte[] content)
        {
            if (name == "token" && request.WithLogprobs)
            {
                using var token = JsonDocument.Parse(content);
                logprobs.Add(Logprobs.Of(token.RootElement, request.TopLogprobs));
            }

            return Task.CompletedTask;
        }

        void Write<T>(string name, T value)
        {
            json.WritePropertyName(name);
            JsonSerializer.Serialize(json, value, WireJson.Options);
        }
    }

    private async Task StreamAsync(HttpContext context, ChatRequest request, ModelQueue.Place place)
    {
        await using var events = await EventStream.StartAsync(context, options.LongestSilence);
        var stream = new ChatStream(events, request, ModelName);
        try
        {
            var (run, done) = await service.RunAsync(
                request.Request,
                place,
                stream.OnEventAsync,
                context.RequestAborted
            );
            await stream.FinishAsync(run.Id, done);
        }
        catch (ApiException e)
        {
            await events.WriteAsync(null, WireJson.Bytes(e.Body));
        }

        await events.WriteAsync(null, "[DONE]"u8.ToArray());
    }
}
