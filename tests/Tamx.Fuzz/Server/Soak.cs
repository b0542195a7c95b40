using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;

namespace Tamx.Fuzz;

/// <summary>
/// A server under mixed requests for some minutes, and a server whose worker is killed again and again. Both say their
/// figures, and fail if the server did not do as it should.
/// </summary>
internal static class Soak
{
    /// <summary>Where in a worker's life it is killed.</summary>
    private static readonly string[] Moments = ["load", "image", "prefill", "generate", "report", "idle"];

    private static readonly byte[] Scene = File.ReadAllBytes(
        Path.Combine(AppContext.BaseDirectory, "demo", "scene.jpg")
    );
    private static readonly string[] Questions =
    [
        "Describe this image.",
        "What colour is the cross?",
        "Where is the heart?",
    ];

    /// <summary><c>soak MINUTES</c></summary>
    public static async Task<int> RunAsync(double minutes)
    {
        using var server = new ServeProcess();
        var worker = server.WorkerId;
        var differing = await CompareAsync(server);
        Say($"8 x 25 requests in parallel: {differing} answers differ from those one after another");
        using var end = new CancellationTokenSource(TimeSpan.FromMinutes(minutes));
        var outcomes = new ConcurrentDictionary<string, int>();
        var waits = new List<double>();
        var samples = new List<(long Server, long Worker)>();
        await Task.WhenAll([
            .. Enumerable.Range(0, 3).Select(i => LoopAsync("question", () => QuestionAsync(server, i))),
            LoopAsync("damaged picture", () => server.AskAsync(Damaged(), "x", mayFail: true)),
            LoopAsync("cut off", () => CutOffAsync(server)),
            LoopAsync("large", () => LargeAsync(server)),
            HealthAsync(),
            SampleAsync(),
        ]);
        foreach (var (name, count) in outcomes.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            Say($"{name}: {count}");
        }

        waits.Sort();
        Say($"/health, {waits.Count} times: p99 {waits[(int)(waits.Count * 0.99)]:F0} ms, at most {waits[^1]:F0} ms");
        for (var third = 0; third < 3; third++)
        {
            var part = samples.Skip(third * samples.Count / 3).Take(samples.Count / 3).ToList();
            Say($"third {third + 1}: server {part.Average(s => s.Server):F0} MB, at most {part.Max(s => s.Server)}");
            Say($"third {third + 1}: worker {part.Average(s => s.Worker):F0} MB, at most {part.Max(s => s.Worker)}");
        }

        Say(
            $"the server's peak: {server.PeakMegabytes} MB; the worker is {(worker == server.WorkerId ? "the same" : "another")}"
        );
        await server.AskAsync(Scene, Questions[0]);
        return differing == 0 && !server.LogFrom(0).Any(line => line.StartsWith("   at ", StringComparison.Ordinal))
            ? 0
            : 1;

        async Task LoopAsync(string name, Func<Task<string>> request)
        {
            while (!end.IsCancellationRequested)
            {
                var outcome = await request();
                outcomes.AddOrUpdate(
                    $"{name}: {(outcome.Length == 3 ? outcome : "served")}",
                    1,
                    (_, count) => count + 1
                );
            }
        }

        async Task HealthAsync()
        {
            while (!end.IsCancellationRequested)
            {
                var clock = Stopwatch.StartNew();
                await server.Client.GetStringAsync("/health");
                waits.Add(clock.Elapsed.TotalMilliseconds);
                await Task.Delay(50);
            }
        }

        async Task SampleAsync()
        {
            while (!end.IsCancellationRequested)
            {
                samples.Add((server.Megabytes, server.WorkerMegabytes));
                await Task.Delay(500);
            }
        }
    }

    /// <summary><c>kills COUNT</c>: of each moment so many.</summary>
    public static async Task<int> KillAsync(int count)
    {
        using var server = new ServeProcess();
        var clock = Stopwatch.StartNew();
        foreach (var moment in Moments)
        {
            var hit = 0;
            for (var i = 0; i < count; i++)
            {
                hit += await KillAtAsync(server, moment) ? 1 : 0;

                // The next request is served, whatever happened.
                await server.AskAsync(Scene, Questions[0]);
            }

            Say($"{moment}: {count} kills, of which {hit} ended a request; each next request was served");
        }

        Say($"{clock.Elapsed.TotalSeconds:F0} s; the server has {server.Megabytes} MB");
        return server.LogFrom(0).Any(line => line.StartsWith("   at ", StringComparison.Ordinal)) ? 1 : 0;
    }

    /// <summary>Ends the worker at a moment.</summary>
    /// <returns>Whether a request ended by it.</returns>
    private static async Task<bool> KillAtAsync(ServeProcess server, string moment)
    {
        if (moment is "load" or "idle")
        {
            Kill(server);
            if (moment == "idle")
            {
                return false;
            }

            // The next one is killed while it starts or loads.
            while (server.WorkerId is null)
            {
                await Task.Delay(1);
            }

            await Task.Delay(Random.Shared.Next(400));
            Kill(server);
            return false;
        }

        var url = "data:image/jpeg;base64," + Convert.ToBase64String(Scene);
        object[] content =
        [
            .. Enumerable.Repeat(new { type = "image", image = url }, 4),
            new { type = "text", text = "x" },
        ];
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/explain")
        {
            Content = JsonContent.Create(
                new
                {
                    messages = new[] { new { role = "user", content } },
                    answer = moment is "generate" or "report"
                        ? string.Join(' ', Enumerable.Repeat("red circle", 40))
                        : null,
                    maxTokens = 40,
                }
            ),
        };
        request.Headers.Accept.ParseAdd("text/event-stream");
        using var answer = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        var isKilled = false;
        var wasHit = false;
        while (await reader.ReadLineAsync() is { } line)
        {
            if (!isKilled && line.Contains($"\"phase\":\"{moment}\"", StringComparison.Ordinal))
            {
                isKilled = true;
                Kill(server);
            }

            wasHit |= line.Contains("model_died", StringComparison.Ordinal);
        }

        return wasHit;
    }

    private static void Kill(ServeProcess server)
    {
        if (server.WorkerId is { } id)
        {
            try
            {
                using var worker = Process.GetProcessById(id);
                worker.Kill();
                worker.WaitForExit();
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException)
            {
                // It ended by itself.
            }
        }
    }

    private static async Task<int> CompareAsync(ServeProcess server)
    {
        var alone = new List<string>();
        foreach (var question in Questions)
        {
            alone.Add(await server.AskAsync(Scene, question, 4));
        }

        var differing = 0;
        await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(async client =>
                {
                    for (var i = 0; i < 25; i++)
                    {
                        var index = (client + i) % Questions.Length;
                        if (await server.AskAsync(Scene, Questions[index], 4) != alone[index])
                        {
                            Interlocked.Increment(ref differing);
                        }
                    }
                })
        );
        return differing;
    }

    private static Task<string> QuestionAsync(ServeProcess server, int index) =>
        server.AskAsync(Scene, Questions[index], 8, mayFail: true);

    /// <summary>A picture that ends somewhere, or has damage somewhere.</summary>
    private static byte[] Damaged() =>
        Random.Shared.Next(2) == 0 ? Scene[..Random.Shared.Next(Scene.Length)] : ByteDamage.Apply(Scene, Random.Shared);

    /// <summary>A client that goes in the middle of its request, or of its answer.</summary>
    private static async Task<string> CutOffAsync(ServeProcess server)
    {
        await Task.Delay(Random.Shared.Next(300));
        var url = "data:image/jpeg;base64," + Convert.ToBase64String(Scene);
        var body =
            $$$"""{"messages":[{"role":"user","content":[{"type":"image","image":"{{{url}}}"}]}],"answer":"a b c d e f"}""";
        var head =
            "POST /api/explain HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + $"Accept: text/event-stream\r\nContent-Length: {body.Length}\r\n\r\n";
        var bytes = Encoding.ASCII.GetBytes(head + body);
        using var socket = new TcpClient();
        await socket.ConnectAsync(server.Address.Host, server.Address.Port);
        var stream = socket.GetStream();
        var cut = Random.Shared.Next(2) == 0 ? Random.Shared.Next(bytes.Length) : bytes.Length;
        await stream.WriteAsync(bytes.AsMemory(0, cut));
        if (cut == bytes.Length)
        {
            _ = await stream.ReadAsync(new byte[Random.Shared.Next(1, 4000)]);
        }

        return "gone";
    }

    private static async Task<string> LargeAsync(ServeProcess server)
    {
        await Task.Delay(Random.Shared.Next(4000));
        var large = new byte[9_800_000];
        Scene.CopyTo(large, 0);
        try
        {
            return await server.AskAsync(large, "x", mayFail: true);
        }
        catch (HttpRequestException)
        {
            return "429";
        }
    }

    private static void Say(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
