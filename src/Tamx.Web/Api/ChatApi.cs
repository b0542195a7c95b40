using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Tamx.Llama;
using Tamx.Web.Requests;
using Tamx.Web.Worker;

namespace Tamx.Web.Api;

/// <summary><c>/v1</c>: OpenAI's chat completions, with the maps under the name <c>tamx</c>.</summary>
internal sealed class ChatApi(ServerOptions options, ModelWorker worker, RunService service)
{
    private readonly long _started = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    private string ModelName => worker.Model?.Name ?? "tamx";

    public IResult Models() => Results.Json(
        new { @object = "list", data = new[] { new { id = ModelName, @object = "model", created = _started, owned_by = "tamx" } } }, WireJson.Options);

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

    private static string FinishReason(DoneEvent done) =>
        done is { WasStopped: false, StopReason: StopReason.MaxNewTokens or StopReason.ContextFull } ? "length" : "stop";

    private static object Usage(DoneEvent done) => new
    {
        prompt_tokens = done.PromptTokens,
        completion_tokens = done.AnswerTokens,
        total_tokens = done.PromptTokens + done.AnswerTokens,
    };

    /// <summary>A token's entry of <c>logprobs.content</c>, from its event, which it does not keep.</summary>
    /// <param name="token">The event.</param>
    /// <param name="topCount">How many of the likeliest tokens to list with it.</param>
    private static object Logprob(JsonElement token, int topCount)
    {
        var explained = token.GetProperty("explained");
        var tokens = explained.GetProperty("explained");
        return new
        {
            token = token.GetProperty("text").GetString()!,
            logprob = LogOf(token),
            bytes = BytesOf(token),
            top_logprobs = explained.GetProperty("candidates").EnumerateArray().Take(topCount)
                .Select(index => tokens[index.GetInt32()])
                .Select(candidate => new
                {
                    token = candidate.GetProperty("text").GetString()!,
                    logprob = LogOf(candidate),
                    bytes = BytesOf(candidate),
                })
                .ToArray(),
        };
    }

    private static double LogOf(JsonElement token) => Math.Log(Math.Max(token.GetProperty("probability").GetDouble(), 1e-30));

    private static int[] BytesOf(JsonElement token) =>
        Array.ConvertAll(Encoding.UTF8.GetBytes(token.GetProperty("text").GetString()!), value => (int)value);

    private async Task AnswerAsync(HttpContext context, ChatRequest request, ModelQueue.Place place)
    {
        var logprobs = new List<object>();
        var (run, done) = await service.RunAsync(
            request.Request,
            place,
            (name, json) =>
            {
                if (name == "token" && request.WithLogprobs)
                {
                    using var token = JsonDocument.Parse(json);
                    logprobs.Add(Logprob(token.RootElement, request.TopLogprobs));
                }

                return Task.CompletedTask;
            },
            context.RequestAborted);
        place.Dispose();
        var choice = new
        {
            index = 0,
            message = new { role = "assistant", content = done.Answer },
            finish_reason = FinishReason(done),
            logprobs = request.WithLogprobs ? new { content = logprobs } : null,
        };

        // The maps' document goes from its file into the answer as it is.
        var maps = request.WithMaps ? await File.ReadAllBytesAsync(Path.Combine(run.Folder, RunFiles.Maps), context.RequestAborted) : null;
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        Write("id", $"chatcmpl-{run.Id}");
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

        void Write<T>(string name, T value)
        {
            json.WritePropertyName(name);
            JsonSerializer.Serialize(json, value, WireJson.Options);
        }
    }

    private async Task StreamAsync(HttpContext context, ChatRequest request, ModelQueue.Place place)
    {
        await using var events = await EventStream.StartAsync(context, options.LongestSilence);
        var created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var id = "";
        try
        {
            var (run, done) = await service.RunAsync(request.Request, place, OnEventAsync, context.RequestAborted);
            await SendAsync(new { }, FinishReason(done), null, new { run = run.Id }, null);
            if (request.WithUsage)
            {
                await WriteAsync(WireJson.Bytes(new { id, @object = "chat.completion.chunk", created, model = ModelName, choices = Array.Empty<object>(), usage = Usage(done) }));
            }
        }
        catch (ApiException e)
        {
            await WriteAsync(WireJson.Bytes(e.Body));
        }

        await WriteAsync("[DONE]"u8.ToArray());

        async Task OnEventAsync(string name, byte[] json)
        {
            using var data = JsonDocument.Parse(json);
            switch (name)
            {
                case "run":
                    id = $"chatcmpl-{data.RootElement.GetProperty("run").GetString()}";
                    await SendAsync(new { role = "assistant", content = "" }, null, null, data.RootElement, null);
                    break;
                case "head" when request.WithMaps:
                    await SendAsync(new { }, null, null, null, ("head", data.RootElement));
                    break;
                case "token":
                    await SendAsync(
                        new { content = data.RootElement.GetProperty("text").GetString() },
                        null,
                        request.WithLogprobs ? new { content = new[] { Logprob(data.RootElement, request.TopLogprobs) } } : null,
                        null,
                        request.WithMaps ? ("token", data.RootElement) : null);
                    break;
            }
        }

        Task SendAsync(object delta, string? finish, object? logprobs, object? tamx, (string Name, JsonElement Data)? payload) => WriteAsync(WireJson.Bytes(new
        {
            id,
            @object = "chat.completion.chunk",
            created,
            model = ModelName,
            choices = new[] { new { index = 0, delta, finish_reason = finish, logprobs } },
            tamx = payload is { } one ? new Dictionary<string, JsonElement> { [one.Name] = one.Data } : tamx,
        }));

        Task WriteAsync(byte[] json) => events.WriteAsync(null, json);
    }
}
