using System.Buffers;
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

    public IResult Models() => Results.Json(new { @object = "list", data = new[] { Describe() } }, WireJson.Options);

    public IResult Model(string id) =>
        id == ModelName || id.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase) == ModelName
            ? Results.Json(Describe(), WireJson.Options)
            : throw new ApiException(
                404,
                "model_not_found",
                $"the model {Json.Shown(id)} does not exist here; {ModelName} does",
                parameter: "model"
            );

    public async Task PostAsync(HttpContext context)
    {
        using var place = service.Queue.Enter();
        ChatRequest request;
        using (var body = await RequestBody.ReadAsync(context.Request, options.Limits, place, context.RequestAborted))
        {
            request = body.Interpret(ChatRequestReader.Read, options.Limits);
        }

        await (request.IsStream ? StreamAsync(context, request, place) : AnswerAsync(context, request, place));
    }

    private object Describe() =>
        new
        {
            id = ModelName,
            @object = "model",
            created = _started,
            owned_by = "tamx",
        };

    private async Task AnswerAsync(HttpContext context, ChatRequest request, ModelQueue.Place place)
    {
        var logprobs = new List<object>();
        JsonElement? verdict = null;
        var (run, done) = await service.RunAsync(request.Request, place, OnEventAsync, context.RequestAborted);
        var choice = new
        {
            index = 0,
            message = new
            {
                role = "assistant",
                content = done.Answer,
                reasoning_content = done.Thought,
                refusal = (string?)null,
            },
            logprobs = Logprobs.Member(request.WithLogprobs, logprobs),
            finish_reason = FinishReason(done),
        };

        await using var maps = request.WithMaps ? run.Files.Open(RunFiles.Maps) ?? throw RunsApi.NotFound() : null;
        var document = new ArrayBufferWriter<byte>();
        await using var json = new Utf8JsonWriter(document);
        json.WriteStartObject();
        Write("id", IdOf(run.Id));
        Write("object", "chat.completion");
        Write("created", run.Created.ToUnixTimeSeconds());
        Write("model", ModelName);
        Write("choices", new[] { choice });
        Write("usage", Usage(done));
        if (maps is not null || verdict is not null || request.BoundedTokens is not null)
        {
            json.WriteStartObject("tamx");
            if (request.BoundedTokens is { } most)
            {
                json.WriteNumber("maxTokens", most);
            }

            if (verdict is not null)
            {
                Write("verdict", verdict);
            }

            if (maps is not null)
            {
                json.WriteString("run", run.Id);
                if (done.Calibration is { } calibration)
                {
                    json.WriteString("calibration", calibration);
                }

                json.WriteNull("maps");
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
        await json.FlushAsync(context.RequestAborted);
        context.Response.ContentType = "application/json";
        var client = new ClientWriter(context, options.Times.Client);
        if (maps is null)
        {
            await client.WriteAsync(document.WrittenMemory);
            return;
        }

        // The maps' document, which may be long, goes from its file into the answer as it is, in the null's place.
        await client.WriteAsync(document.WrittenMemory[..^"null}}".Length]);
        await client.CopyAsync(maps);
        await client.WriteAsync("}}"u8.ToArray());
        return;

        Task OnEventAsync(string name, byte[] content)
        {
            if (name == "written" && request.WithLogprobs)
            {
                var token = WireJson.Read<WrittenToken>(content);
                if (!token.EndsAnswer)
                {
                    logprobs.Add(Logprobs.Of(token, request.TopLogprobs));
                }
            }

            if (name == "verdict")
            {
                verdict = WireJson.Read<JsonElement>(content);
            }

            return Task.CompletedTask;
        }

        void Write<T>(string name, T value)
        {
            json.WritePropertyName(name);
            JsonSerializer.Serialize(json, value, WireJson.OptionsWithNulls);
        }
    }

    private async Task StreamAsync(HttpContext context, ChatRequest request, ModelQueue.Place place)
    {
        await using var events = new EventStream(context, options);
        var stream = new ChatStream(events, request, ModelName);
        try
        {
            var (_, done) = await service.RunAsync(request.Request, place, stream.OnEventAsync, context.RequestAborted);
            await stream.FinishAsync(done);
        }
        catch (ApiException e)
        {
            if (await events.TryWithdrawAsync())
            {
                throw;
            }

            await events.WriteAsync(null, e.Body);
        }

        await events.WriteAsync(null, "[DONE]"u8.ToArray());
    }
}
