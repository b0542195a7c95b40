using System.Net;
using System.Net.Sockets;
using Tamx.Testing;

namespace Tamx.Web.Tests;

/// <summary>Pages of other origins, where the one who runs the server lets them in.</summary>
public sealed class CorsTests(Chromium browser) : IClassFixture<Chromium>
{
    private const string Key = "correct-horse-battery";
    private const string App = "https://app.example.org";

    /// <summary>What browsers ask for on behalf of OpenAI's client.</summary>
    private const string AskedHeaders =
        "authorization,content-type,x-stainless-arch,x-stainless-lang,x-stainless-os,x-stainless-runtime";

    [Fact]
    public async Task AllowedOrigin_MayAskWithTheKeyAndReadTheAnswer()
    {
        await using var server = await StartAsync(App, "http://localhost:5173");
        foreach (var origin in (string[])[App, "http://localhost:5173"])
        {
            using var preflight = await PreflightAsync(server, origin);
            Assert.Equal(HttpStatusCode.NoContent, preflight.StatusCode);
            Assert.Equal(origin, AllowedOriginOf(preflight));
            Assert.Equal(AskedHeaders, string.Join(',', preflight.Headers.GetValues("Access-Control-Allow-Headers")));
            Assert.Contains(
                "POST",
                string.Join(',', preflight.Headers.GetValues("Access-Control-Allow-Methods")),
                StringComparison.Ordinal
            );

            using var answer = await AskAsync(server, origin);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(origin, AllowedOriginOf(answer));
            Assert.Contains("Origin", answer.Headers.Vary);
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
        }
    }

    /// <summary>An error without these headers would be "network error" to the page.</summary>
    [Fact]
    public async Task AllowedOrigin_IsToldWhatIsWrong()
    {
        await using var server = await StartAsync(App);
        using var faulty = await AskAsync(server, App, "{}");
        Assert.Equal(App, AllowedOriginOf(faulty));
        await RunningServer.AssertErrorAsync(faulty, 400, "invalid_value");

        server.Client.DefaultRequestHeaders.Authorization = null;
        using var keyless = await AskAsync(server, App);
        Assert.Equal(App, AllowedOriginOf(keyless));
        await RunningServer.AssertErrorAsync(keyless, 401, "wrong_api_key");
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("http://app.example.org")]
    [InlineData("https://app.example.org:8443")]
    [InlineData("https://app.example.org.evil.example")]
    [InlineData("null")]
    public async Task OtherOrigin_GetsNothing(string origin)
    {
        await using var server = await StartAsync(App);
        using var preflight = await PreflightAsync(server, origin);
        using var answer = await AskAsync(server, origin);
        foreach (var response in (HttpResponseMessage[])[preflight, answer])
        {
            Assert.Null(AllowedOriginOf(response));
            await RunningServer.AssertErrorAsync(response, 403, "wrong_origin");
        }
    }

    [Fact]
    public async Task AnyOrigin_IsAllowedByAStarButNoOtherHost()
    {
        await using var server = await StartAsync("*");
        foreach (var origin in (string[])["https://evil.example", "null"])
        {
            using var preflight = await PreflightAsync(server, origin);
            Assert.Equal("*", AllowedOriginOf(preflight));
            using var answer = await AskAsync(server, origin);
            Assert.Equal("*", AllowedOriginOf(answer));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        // A name that leads here is how a page gets around the browser's rules; that is another matter than CORS.
        using var rebound = Preflight("https://evil.example");
        rebound.Headers.Host = "evil.example";
        await RunningServer.AssertErrorAsync(await server.Client.SendAsync(rebound), 403, "wrong_host");
    }

    [Theory]
    [InlineData("https://app.example.org/", "https://app.example.org")]
    [InlineData("https://APP.example.org", "https://app.example.org")]
    [InlineData("https://app.example.org:443", "https://app.example.org")]
    [InlineData("https://app.example.org/page", "scheme, host and port")]
    [InlineData("app.example.org", "scheme, host and port")]
    [InlineData("null", "scheme, host and port")]
    [InlineData("", "scheme, host and port")]
    [InlineData("https://*.example.org", "")]
    public void Options_OriginAsNoBrowserSendsIt_IsRefused(string origin, string message)
    {
        var options = RunningServer.Options with { AllowedOrigins = [origin] };

        var exception = Assert.Throws<InvalidInputException>(options.Validate);
        Assert.Contains("AllowedOrigins", exception.Message, StringComparison.Ordinal);
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }

    /// <summary>A real page of another origin, in a real browser.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Browser_PageOfAnotherOrigin_GetsTheAnswerWhereItIsAllowed(bool isAllowed)
    {
        await using var context = await browser.NewContextAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var origin = $"http://{listener.LocalEndpoint}";
        await using var server = await StartAsync(isAllowed ? origin : App);
        var page = await context.NewPageAsync();
        var opened = page.GotoAsync(origin);
        await ServePageAsync(listener);
        await opened;

        var got = await page.EvaluateAsync<string>(
            """
            async ([address, key]) => {
              try {
                const answer = await fetch(`${address}v1/chat/completions`, {
                  method: "POST",
                  headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", "X-Stainless-OS": "x" },
                  body: JSON.stringify({ messages: [{ role: "user", content: "Hi" }], max_tokens: 1 }),
                });
                return (await answer.json()).object;
              } catch (error) {
                return error.name;
              }
            }
            """,
            new[] { server.Server.Address.AbsoluteUri, Key }
        );

        Assert.Equal(isAllowed ? "chat.completion" : "TypeError", got);
    }

    private static async Task ServePageAsync(TcpListener listener)
    {
        using var client = await listener.AcceptTcpClientAsync();
        await using var stream = client.GetStream();
        await stream.ReadAtLeastAsync(new byte[1 << 16], 1);
        await stream.WriteAsync(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 10\r\nConnection: close\r\n\r\n<p>App</p>"u8.ToArray()
        );
    }

    private static Task<RunningServer> StartAsync(params string[] origins) =>
        RunningServer.StartAsync(RunningServer.Options with { ApiKey = Key, AllowedOrigins = origins });

    private static string? AllowedOriginOf(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Access-Control-Allow-Origin", out var values) ? values.Single() : null;

    private static HttpRequestMessage Preflight(string origin)
    {
        var request = new HttpRequestMessage(HttpMethod.Options, "/v1/chat/completions");
        request.Headers.TryAddWithoutValidation("Origin", origin);
        request.Headers.TryAddWithoutValidation("Access-Control-Request-Method", "POST");
        request.Headers.TryAddWithoutValidation("Access-Control-Request-Headers", AskedHeaders);
        request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", "cross-site");
        return request;
    }

    /// <summary>As a browser does it: without the key.</summary>
    private static async Task<HttpResponseMessage> PreflightAsync(RunningServer server, string origin)
    {
        using var browser = new HttpClient { BaseAddress = server.Client.BaseAddress };
        using var request = Preflight(origin);
        return await browser.SendAsync(request);
    }

    private static async Task<HttpResponseMessage> AskAsync(
        RunningServer server,
        string origin,
        string json = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":1}"
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(json, System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation("Origin", origin);
        request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", "cross-site");
        return await server.Client.SendAsync(request);
    }
}
