using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Tamx.Llama;

namespace Tamx.Web.Tests;

/// <summary>
/// A server in this process, on a free port of loopback, with its worker in another process as users have it.
/// </summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private RunningServer(TamxServer server, string? apiKey)
    {
        Server = server;
        Client = new HttpClient { BaseAddress = server.Address, Timeout = TimeSpan.FromSeconds(60) };
        if (apiKey is not null)
        {
            Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
        }
    }

    public TamxServer Server { get; }

    public HttpClient Client { get; }

    /// <summary>The demo model with one thread.</summary>
    public static ServerOptions Options { get; } =
        new()
        {
            Port = 0,
            Model = new ModelOptions
            {
                ModelPath = Path.Combine(AppContext.BaseDirectory, "demo", "tamx-demo-grounded-f16.gguf"),
                ProjectorPath = Path.Combine(AppContext.BaseDirectory, "demo", "mmproj-tamx-demo-grounded-f16.gguf"),
                ThreadCount = 1,
            },
        };

    public static byte[] Scene { get; } =
        File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "demo", "scene.jpg"));

    public static async Task<RunningServer> StartAsync(ServerOptions? options = null) =>
        new(await TamxServer.StartAsync(options ?? Options), options?.ApiKey);

    /// <summary>The body of a request about one picture.</summary>
    public static object Question(byte[] picture, string question = "Describe this image.", int maxTokens = 4) =>
        new { messages = new[] { Message(question, picture) }, maxTokens };

    /// <summary>The body of a request of one message with these parts.</summary>
    public static object Asking(params object[] parts) =>
        new { messages = new[] { new { role = "user", content = parts } } };

    /// <summary>A user's message with pictures before its text.</summary>
    public static object Message(string text, params byte[][] pictures) =>
        new
        {
            role = "user",
            content = pictures
                .Select(picture => (object)new { type = "image_url", image_url = new { url = DataUrl(picture) } })
                .Append(new { type = "text", text }),
        };

    public static string DataUrl(byte[] content) =>
        "data:application/octet-stream;base64," + Convert.ToBase64String(content);

    public Task<HttpResponseMessage> PostAsync(object body, string path = "/api/explain") =>
        Client.PostAsync(path, JsonOf(body));

    /// <summary>Asks for events.</summary>
    public async IAsyncEnumerable<(string Name, JsonElement Data)> StreamAsync(
        object body,
        string path = "/api/explain"
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonOf(body) };
        request.Headers.Accept.ParseAdd("text/event-stream");
        using var response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(), Encoding.UTF8);
        var name = "";
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal))
            {
                name = line["event: ".Length..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                var isEnd = line == "data: [DONE]";
                yield return (name, isEnd ? default : JsonDocument.Parse(line["data: ".Length..]).RootElement);
            }
        }
    }

    /// <summary>Holds an answer to an error, with its status and code.</summary>
    public static async Task AssertErrorAsync(HttpResponseMessage response, int status, string code)
    {
        var body = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"{(int)response.StatusCode} instead of {status}: {body}");
        var error = JsonDocument.Parse(body).RootElement.GetProperty("error");
        Assert.Equal(code, error.GetProperty("code").GetString());
        Assert.NotEqual("", error.GetProperty("message").GetString());
        Assert.NotEqual("", error.GetProperty("type").GetString());
        response.Dispose();
    }

    /// <summary>Holds the server to answering a sound request.</summary>
    public async Task AssertServesAsync()
    {
        using var response = await PostAsync(Question(Scene, maxTokens: 1));
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, body);
        Assert.Equal("tamx-maps/1", JsonDocument.Parse(body).RootElement.GetProperty("format").GetString());
    }

    /// <summary>Waits until something holds, for a bounded time.</summary>
    public static Task UntilAsync(Func<bool> holds, string what) => UntilAsync(() => Task.FromResult(holds()), what);

    /// <inheritdoc cref="UntilAsync(Func{bool}, string)"/>
    public static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        const double seconds = 60;
        for (var clock = Stopwatch.StartNew(); !await holds(); await Task.Delay(5))
        {
            Assert.True(clock.Elapsed.TotalSeconds < seconds, $"after {seconds} seconds still not: {what}");
        }
    }

    /// <summary>What the run under way is about, as in <c>progress</c> events; null if there is none.</summary>
    public async Task<string?> PhaseNowAsync()
    {
        using var runs = JsonDocument.Parse(await Client.GetStringAsync("/api/runs"));
        var under = runs
            .RootElement.EnumerateArray()
            .LastOrDefault(run => run.GetProperty("state").GetString() is "queued" or "running");
        return under.ValueKind == JsonValueKind.Object && under.TryGetProperty("phase", out var phase)
            ? phase.GetString()
            : null;
    }

    /// <summary>Requests that are read, wait or are worked on.</summary>
    public async Task<int> InProgressAsync()
    {
        using var health = JsonDocument.Parse(await Client.GetStringAsync("/health"));
        return health.RootElement.GetProperty("inProgress").GetInt32();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
    }

    public static ByteArrayContent JsonOf(object body)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }
}

/// <summary>One server with the demo model, for all tests that leave it as it is.</summary>
public sealed class SharedServer : IAsyncLifetime
{
    internal RunningServer Running { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Running = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => Running.DisposeAsync();
}

/// <summary>Tests that use the shared server run one after another, as do all that measure or kill.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class OneServer : ICollectionFixture<SharedServer>
{
    public const string Name = "server";
}
