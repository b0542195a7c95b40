using System.Net.Sockets;
using System.Text;

namespace Tamx.Web.Tests;

/// <summary>Who may talk to a server, and how long and how much.</summary>
[Collection(OneServer.Name)]
public sealed class AccessTests(SharedServer shared)
{
    private const string Key = "correct-horse-battery";

    private readonly RunningServer _server = shared.Running;

    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:8016")]
    [InlineData("localhost.evil.example")]
    [InlineData("127.0.0.1.nip.io")]
    [InlineData("169.254.169.254")]
    [InlineData("192.168.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("2130706433")]
    [InlineData("0x7f.1")]
    public async Task Host_OfAnotherName_IsRefused(string host)
    {
        foreach (var path in new[] { "/", "/health", "/api/config", "/api/runs" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Host = host;
            await RunningServer.AssertErrorAsync(await _server.Client.SendAsync(request), 403, "wrong_host");
        }
    }

    [Theory]
    [InlineData("localhost:1")]
    [InlineData("LOCALHOST")]
    [InlineData("127.0.0.1")]
    [InlineData("[::1]:8016")]
    public async Task Host_OfThisMachine_IsAnswered(string host)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health");
        request.Headers.Host = host;
        using var answer = await _server.Client.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode);
    }

    [Theory]
    [InlineData("http://evil.example", null)]
    [InlineData("null", null)]
    [InlineData("http://127.0.0.1:1", null)]
    [InlineData("https://127.0.0.1", null)]
    [InlineData("", null)]
    [InlineData(null, "cross-site")]
    [InlineData(null, "same-site")]
    public async Task Post_FromAnotherPage_IsRefused(string? origin, string? site)
    {
        using var content = new MultipartFormDataContent { { new StringContent("{}"), "request" } };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/explain") { Content = content };
        _ = origin is not null && request.Headers.TryAddWithoutValidation("Origin", origin);
        _ = site is not null && request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", site);
        using var answer = await _server.Client.SendAsync(request);
        Assert.DoesNotContain(
            answer.Headers,
            header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase)
        );
        await RunningServer.AssertErrorAsync(answer, 403, "wrong_origin");
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task Post_FromTheOwnPage_IsRead(string scheme)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/explain")
        {
            Content = RunningServer.JsonOf(new { }),
        };
        request.Headers.TryAddWithoutValidation("Origin", $"{scheme}://{_server.Server.Address.Authority}");
        request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", "same-origin");
        await RunningServer.AssertErrorAsync(await _server.Client.SendAsync(request), 400, "invalid_value");
    }

    [Fact]
    public async Task Preflight_OfAnotherPage_GetsNothing()
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/api/explain");
        request.Headers.TryAddWithoutValidation("Origin", "http://evil.example");
        request.Headers.TryAddWithoutValidation("Access-Control-Request-Method", "POST");
        await RunningServer.AssertErrorAsync(await _server.Client.SendAsync(request), 403, "wrong_origin");
    }

    [Fact]
    public async Task Method_ThatAnAddressDoesNotTake_IsRefused()
    {
        await RunningServer.AssertErrorAsync(await _server.Client.GetAsync("/api/explain"), 405, "wrong_method");
        await RunningServer.AssertErrorAsync(await _server.Client.GetAsync("/nothing"), 404, "no_such_page");
    }

    [Fact]
    public async Task ApiKey_MissingOrWrong_IsRefusedWhereverThereIsSomethingToHave()
    {
        await using var server = await RunningServer.StartAsync(RunningServer.Options with { ApiKey = Key });
        await server.AssertServesAsync();
        string?[] wrong =
        [
            null,
            "",
            "Bearer",
            "Bearer ",
            "Bearer wrong-key-wrong",
            $"Basic {Key}",
            Key,
            $"Bearer {Key}x",
            $"Bearer {Key[..^1]}",
            $"Bearer {Key.ToUpperInvariant()}",
        ];
        server.Client.DefaultRequestHeaders.Authorization = null;
        foreach (var header in wrong)
        {
            foreach (var path in new[] { "/api/runs", "/api/runs/x/report.html", "/v1/models", "/metrics" })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path);
                _ = header is not null && request.Headers.TryAddWithoutValidation("Authorization", header);
                using var answer = await server.Client.SendAsync(request);
                Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.Single().Scheme);
                await RunningServer.AssertErrorAsync(answer, 401, "wrong_api_key");
            }
        }

        await RunningServer.AssertErrorAsync(await server.PostAsync(new { }), 401, "wrong_api_key");
        foreach (var path in new[] { "/", "/health", "/api/config" })
        {
            using var answer = await server.Client.GetAsync(path);
            Assert.True(answer.IsSuccessStatusCode);
        }
    }

    [Theory]
    [InlineData("0.0.0.0", null, "ApiKey")]
    [InlineData("::", null, "ApiKey")]
    [InlineData("192.168.1.5", null, "ApiKey")]
    [InlineData("example.org", null, "IP address")]
    [InlineData("127.0.0.1", "short", "8 characters")]
    [InlineData("127.0.0.1", "with space in it", "printable")]
    public void Options_ThatAreUnsafe_AreRefused(string host, string? key, string message) =>
        Assert.Contains(
            message,
            Assert
                .Throws<InvalidInputException>(() =>
                    (RunningServer.Options with { Host = host, ApiKey = key }).Validate()
                )
                .Message,
            StringComparison.Ordinal
        );

    [Fact]
    public async Task Host_OfAServerForOthers_IsAnAddressOrAnAllowedName()
    {
        await using var server = await RunningServer.StartAsync(
            RunningServer.Options with
            {
                Host = "0.0.0.0",
                ApiKey = Key,
                AllowedHosts = ["tamx.example.org"],
            }
        );
        var address = new Uri($"http://127.0.0.1:{server.Server.Address.Port}/health");
        (string, int)[] hosts =
        [
            ("tamx.example.org", 200),
            ("10.1.2.3", 200),
            ("evil.example", 403),
            ("localhost", 200),
        ];
        foreach (var (host, status) in hosts)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            request.Headers.Host = host;
            using var answer = await server.Client.SendAsync(request);
            Assert.Equal((host, status), (host, (int)answer.StatusCode));
        }
    }

    [Fact]
    public async Task Body_TooLarge_IsRefusedAnnouncedOrNot()
    {
        await using var server = await RunningServer.StartAsync(
            RunningServer.Options with
            {
                Limits = new RequestLimits { MaxBodyBytes = 100_000 },
            }
        );
        var announced = await SendAsync(server, "Content-Type: application/json\r\nContent-Length: 100001\r\n\r\n", 0);
        Assert.Contains("413", announced, StringComparison.Ordinal);
        Assert.Contains("body_too_large", announced, StringComparison.Ordinal);
        var chunked = await SendAsync(
            server,
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n30D40\r\n",
            120_000
        );
        Assert.Contains("body_too_large", chunked, StringComparison.Ordinal);
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task Body_TooSlow_IsRefusedAndGivesItsPlaceBack()
    {
        var options = RunningServer.Options with
        {
            QueueLength = 0,
            Limits = new RequestLimits { MaxBodySeconds = 3 },
        };
        await using var server = await RunningServer.StartAsync(options);
        var slow = SendAsync(server, "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", 0);
        await RunningServer.UntilAsync(async () => await server.InProgressAsync() == 1, "the slow request's begin");
        await RunningServer.AssertErrorAsync(
            await server.PostAsync(RunningServer.Question(RunningServer.Scene)),
            429,
            "queue_full"
        );
        Assert.Contains("body_timeout", await slow, StringComparison.Ordinal);
        await RunningServer.UntilAsync(async () => await server.InProgressAsync() == 0, "the place's return");
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task Connections_ThatSayNothing_DoNotHinderOthers()
    {
        var idle = new List<TcpClient>();
        try
        {
            for (var i = 0; i < 100; i++)
            {
                var socket = new TcpClient();
                await socket.ConnectAsync(_server.Server.Address.Host, _server.Server.Address.Port);
                await socket.GetStream().WriteAsync("POST /api/explain HTTP/1.1\r\nHost: localhost\r\nX: "u8.ToArray());
                idle.Add(socket);
            }

            await _server.AssertServesAsync();
        }
        finally
        {
            idle.ForEach(socket => socket.Dispose());
        }
    }

    private static async Task<string> SendAsync(RunningServer server, string rest, int count)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(server.Server.Address.Host, server.Server.Address.Port);
        using var stream = socket.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"POST /api/explain HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{rest}")
        );
        await stream.WriteAsync(new byte[count]);
        var answer = new byte[4096];
        var length = await stream.ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false);
        return Encoding.UTF8.GetString(answer, 0, length);
    }
}
