using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Tamx.Testing;

namespace Tamx.Fuzz;

/// <summary>Requests as bytes on a connection, to the program as users start it.</summary>
internal sealed class HttpTarget : FuzzTarget
{
    private const int MostMegabytes = 300;
    private const int HealthEvery = 50;

    /// <summary>What the server may say, each documented or of HTTP itself. Never 500.</summary>
    private static readonly int[] Known = [200, 400, 403, 404, 405, 408, 409, 411, 413, 414, 415, 429, 431, 505];

    private static readonly string[] Paths =
    [
        "/",
        "/health",
        "/metrics",
        "/api/config",
        "/openapi.json",
        "/api/runs",
        "/v1/models",
        "/v1/models/x%2Fy",
        "/api/runs/0123456789abcdef0123456789abcdef/report.html",
        "/assets/app.js",
        "/assets/../x",
        "/%00",
        "/%ff%fe",
        "*",
        "http://localhost/health",
        "/health?x=%zz",
        "//health",
        "",
    ];

    private static readonly string[] Hosts =
    [
        "localhost",
        "127.0.0.1",
        "[::1]",
        "xn--a",
        "xn--localhost-",
        "localhost:99999",
        "a b",
        "",
        "localhost,evil",
        "%6c",
        "localhost.",
        "ÿ",
        "[",
        "0x7f.1",
        "evil.example",
    ];

    private static readonly string[] Headers =
    [
        "Origin: http://evil",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
        "Expect: 100-continue",
        "Expect: x",
        "Connection: upgrade",
        "Upgrade: h2c",
        "Accept: text/event-stream",
        "Accept: text/event-stream;q=0",
        "Accept: ;;;",
        "Content-Encoding: gzip",
        "Range: bytes=0-",
        "Cookie: a=b",
        "X: \u0001",
        "Authorization: Bearer x",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Content-Length: 0",
        "Content-Length: -1",
        "Content-Length: 99999999999999999999",
        "Content-Length: 31000000",
        "Content-Length: 5, 5",
        ": x",
        "X",
        "X : y",
    ];

    private static readonly string[] Sizes =
    [
        "0",
        "5",
        "ffffffff",
        "FFFFFFFFFFFFFFFF",
        "7fffffff",
        "-1",
        "0x5",
        "",
        "g",
        "5;x=y",
        "00000000005",
        " 5",
    ];

    private static readonly JsonNode?[] Values =
    [
        null,
        true,
        0,
        -1,
        1e308,
        long.MaxValue,
        "",
        "x",
        "upload:a",
        "upload:zz",
        "/etc/passwd",
        "\u0000",
        "\u00000",
        "data:image/png;base64,AAAA",
        "data:image/png;base64,!",
        "data:video/jpeg;base64,,,,",
        "http://127.0.0.1/",
        new string('x', 20_000),
        new JsonArray(),
        new JsonObject(),
        new JsonArray(1, "x", null),
        "=cmd|x",
        "\u202e",
    ];

    private readonly ServeProcess _server = new();
    private readonly string _picture =
        "data:image/png;base64," + Convert.ToBase64String(TestPictures.Gradient(32, 32).Encoded.Span);
    private int _count;
    private int _logged;

    [SetsRequiredMembers]
    public HttpTarget() => Name = "http";

    /// <summary>Each is a connection, and some get as far as the model.</summary>
    public override int UsualCount => 2000;

    public override byte[] Make(Random random)
    {
        var isPost = random.Next(4) != 0;
        var path = isPost ? Pick(["/api/explain", "/v1/chat/completions"]) : Pick(Paths);
        var (type, body) = isPost ? Body() : ("", []);
        List<string> headers = [$"Host: {(random.Next(6) == 0 ? Pick(Hosts) : "localhost")}"];
        if (isPost)
        {
            headers.Add(
                $"Content-Type: {(random.Next(15) == 0 ? Pick(["", "text/plain", "multipart/form-data", ";"]) : type)}"
            );
            if (random.Next(4) == 0)
            {
                headers.Add("Transfer-Encoding: chunked");
                body = Chunks(body);
            }
            else
            {
                headers.Add($"Content-Length: {body.Length + (random.Next(8) == 0 ? random.Next(-9, 10) : 0)}");
            }
        }

        for (var i = random.Next(4) == 0 ? random.Next(1, 4) : 0; i > 0; i--)
        {
            headers.Insert(random.Next(headers.Count + 1), Pick(Headers));
        }

        if (random.Next(20) == 0)
        {
            headers.Add("Y: " + new string('y', random.Next(40_000)));
        }

        var method =
            random.Next(10) == 0 ? Pick(["DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "PUT", "", "PRI"])
            : isPost ? "POST"
            : "GET";
        var version =
            random.Next(20) == 0 ? Pick(["HTTP/2.0", "HTTP/1.0", "HTTP/0.9", "HTTP/9", "", "http/1.1"]) : "HTTP/1.1";
        var head = $"{method} {path} {version}\r\n{string.Join("\r\n", headers)}\r\n\r\n";
        byte[] request = [.. Encoding.Latin1.GetBytes(head), .. body];
        return random.Next(4) switch
        {
            0 => ByteDamage.Apply(request, random, random.Next(2) == 0 ? 200 : int.MaxValue),
            1 when random.Next(3) == 0 => request[..random.Next(request.Length)],
            _ => request,
        };

        (string Type, byte[] Body) Body()
        {
            var isForm = random.Next(4) == 0;
            var json = Encoding.UTF8.GetBytes(Request(isForm).ToJsonString());
            if (random.Next(6) == 0)
            {
                json = ByteDamage.Apply(json, random);
            }

            return isForm ? ("multipart/form-data; boundary=B", Form(json)) : ("application/json", json);
        }

        JsonObject Request(bool isForm)
        {
            var content = new JsonArray(
                new JsonObject { ["type"] = "text", ["text"] = "x" },
                new JsonObject { ["type"] = "image", ["image"] = isForm ? "upload:a" : _picture }
            );
            var request = new JsonObject
            {
                ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = content }),
                [path == "/api/explain" ? "maxTokens" : "max_tokens"] = 1,
                ["options"] = new JsonObject { ["kernelSize"] = 3 },
            };
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                Damage(request);
            }

            return request;
        }

        void Damage(JsonObject root)
        {
            JsonNode at = root;
            for (var depth = random.Next(6); depth > 0; depth--)
            {
                at = at switch
                {
                    JsonObject { Count: > 0 } inner => inner.ElementAt(random.Next(inner.Count)).Value ?? at,
                    JsonArray { Count: > 0 } list => list[random.Next(list.Count)] ?? at,
                    _ => at,
                };
            }

            var value = Pick(Values)?.DeepClone();
            switch (at)
            {
                case JsonObject { Count: > 0 } inner when random.Next(3) != 0:
                    inner[inner.ElementAt(random.Next(inner.Count)).Key] = value;
                    break;
                case JsonObject inner:
                    inner[
                        Pick([
                            "stream",
                            "tools",
                            "n",
                            "answer",
                            "candidates",
                            "sampling",
                            "tamx",
                            "stop",
                            "fps",
                            "max_pixels",
                            "video",
                            "\u0001",
                            "logit_bias",
                            "temperature",
                            "seed",
                            "logprobs",
                            "top_logprobs",
                        ])
                    ] = value;
                    break;
                case JsonArray list:
                    list.Add(value);
                    break;
            }
        }

        byte[] Form(byte[] json)
        {
            var name = random.Next(6) == 0 ? Pick(["", "request", "a\"b", "é", new string('n', 300)]) : "a";
            var start = random.Next(8) == 0 ? Pick(["--B", "--", "--C\r\n", "\r\n\r\n--B\r\n"]) : "--B\r\n";
            var disposition =
                random.Next(8) == 0
                    ? Pick(["Content-Disposition: x\r\n", "", "Content-Disposition\r\n"])
                    : "Content-Disposition: form-data; ";
            return
            [
                .. Encoding.UTF8.GetBytes($"{start}Content-Disposition: form-data; name=\"request\"\r\n\r\n"),
                .. json,
                .. Encoding.UTF8.GetBytes($"\r\n--B\r\n{disposition}name=\"{name}\"; filename=\"x\"\r\n\r\n"),
                .. TestPictures.Gradient(32, 32).Encoded.Span,
                .. Encoding.UTF8.GetBytes(random.Next(6) == 0 ? "\r\n--B" : "\r\n--B--\r\n"),
            ];
        }

        byte[] Chunks(byte[] content)
        {
            var chunks = new List<byte>();
            for (var at = 0; at < content.Length; )
            {
                var length = Math.Min(content.Length - at, random.Next(1, 2000));
                var size = random.Next(20) == 0 ? Pick(Sizes) : length.ToString("x", CultureInfo.InvariantCulture);
                chunks.AddRange(Encoding.ASCII.GetBytes($"{size}\r\n"));
                chunks.AddRange(content.AsSpan(at, length));
                chunks.AddRange("\r\n"u8);
                at += length;
            }

            chunks.AddRange(
                Encoding.ASCII.GetBytes(random.Next(8) == 0 ? Pick(["", "0\r\n", "0\r\nX: y\r\n\r\n"]) : "0\r\n\r\n")
            );
            return [.. chunks];
        }

        T Pick<T>(T[] from) => from[random.Next(from.Length)];
    }

    public override bool Take(byte[] input)
    {
        var answer = SendAsync(input).GetAwaiter().GetResult();
        var status = 0;
        if (answer.Length > 0)
        {
            if (
                answer.Length < 12
                || !int.TryParse(answer.AsSpan(9, 3), out status)
                || !(Known.Contains(status) || status == 100)
            )
            {
                throw new InvalidDataException($"answered {answer[..Math.Min(answer.Length, 300)]}");
            }
        }

        if (
            answer.Contains("HTTP/1.1 500", StringComparison.Ordinal)
            || answer.Contains("internal_error", StringComparison.Ordinal)
        )
        {
            throw new InvalidDataException($"answered 500: {answer}");
        }

        if (++_count % HealthEvery == 0)
        {
            Check();
        }

        return status == 200;
    }

    protected override void Dispose(bool disposing)
    {
        _server.Dispose();
        base.Dispose(disposing);
    }

    private void Check()
    {
        // A worker that takes long to end what a client left is ended itself, and another is started.
        var clock = Stopwatch.StartNew();
        string health;
        while (
            !(health = _server.Client.GetStringAsync("/health").GetAwaiter().GetResult()).Contains(
                "\"ready\"",
                StringComparison.Ordinal
            )
        )
        {
            if (clock.Elapsed > TimeSpan.FromSeconds(60))
            {
                throw new InvalidDataException($"/health: {health}");
            }

            Thread.Sleep(100);
        }

        var log = _server.LogFrom(_logged);
        _logged += log.Length;
        if (Array.Find(log, line => line.StartsWith("   at ", StringComparison.Ordinal)) is { } fault)
        {
            throw new InvalidDataException($"logged {OutsideText.Part(fault)}");
        }

        if (_server.PeakMegabytes > MostMegabytes)
        {
            throw new InvalidDataException($"the server has {_server.PeakMegabytes} MB");
        }
    }

    private async Task<string> SendAsync(byte[] input)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(50));
        using var socket = new TcpClient();
        await socket.ConnectAsync(_server.Address.Host, _server.Address.Port, patience.Token);
        try
        {
            var stream = socket.GetStream();
            await stream.WriteAsync(input, patience.Token);
            socket.Client.Shutdown(SocketShutdown.Send);
            using var reader = new StreamReader(stream, Encoding.Latin1);
            return await reader.ReadToEndAsync(patience.Token);
        }
        catch (IOException)
        {
            // The server closed it before all was sent.
            return "";
        }
    }
}
