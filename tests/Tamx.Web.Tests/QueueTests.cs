using System.Text.Json;
using Tamx.Testing;

namespace Tamx.Web.Tests;

/// <summary>One model, one queue; stopping and going away.</summary>
[Collection(OneServer.Name)]
public sealed class QueueTests
{
    private const int Long = 8000;

    private static readonly ServerOptions Options = RunningServer.Options with
    {
        Model = RunningServer.Options.Model with
        {
            ModelPath = TestModels.Qwen3Vl.ModelPath,
            ProjectorPath = TestModels.Qwen3Vl.ProjectorPath,
        },
        QueueLength = 2,

        // Long enough for whatever a busy machine does meanwhile; tests stop such an answer.
        Limits = new RequestLimits { MaxAnswerTokens = Long },
    };

    private readonly byte[] _picture = TestPictures.Gradient(64, 64).Encoded.ToArray();

    [Fact]
    public async Task Queue_WhenFull_AnswersWith429AndServesTheRestInOrder()
    {
        await using var server = await RunningServer.StartAsync(Options);
        var ended = new List<int>();
        var positions = new List<(int Request, int Position)>();
        var begun = new TaskCompletionSource();
        var first = RunAsync(0, Long);
        await begun.Task;
        var second = RunAsync(1, 1);
        await RunningServer.UntilAsync(async () => await server.InProgressAsync() == 2, "the second request's wait");
        var third = RunAsync(2, 1);
        await RunningServer.UntilAsync(
            () =>
            {
                lock (ended)
                {
                    return positions.Contains((2, 2));
                }
            },
            "the third request's wait"
        );

        using var refused = await server.PostAsync(RunningServer.Question(_picture));
        Assert.NotNull(refused.Headers.RetryAfter);
        await RunningServer.AssertErrorAsync(refused, 429, "queue_full");

        await StopFirstAsync(server);
        await Task.WhenAll(first, second, third);
        Assert.Equal([0, 1, 2], ended);
        Assert.Equal([(1, 1), (2, 2), (2, 1)], positions.OrderBy(entry => entry.Request));
        Assert.Equal(0, await server.InProgressAsync());

        async Task RunAsync(int request, int maxTokens)
        {
            var question = RunningServer.Question(_picture, maxTokens: maxTokens);
            await foreach (var (name, data) in server.StreamAsync(question))
            {
                lock (ended)
                {
                    _ = name == "token" && begun.TrySetResult();
                    if (name == "queued")
                    {
                        positions.Add((request, data.GetProperty("position").GetInt32()));
                    }
                    else if (name == "done")
                    {
                        ended.Add(request);
                    }
                }
            }
        }
    }

    [Fact]
    public async Task Stop_WhileTokensCome_FinishesWithThoseThereAre()
    {
        await using var server = await RunningServer.StartAsync(Options);
        var worker = server.Server.WorkerId;
        var count = 0;
        JsonElement done = default;
        await foreach (var (name, data) in server.StreamAsync(RunningServer.Question(_picture, maxTokens: 1024)))
        {
            if (name == "token" && ++count == 3)
            {
                await StopFirstAsync(server);
            }

            done = data;
        }

        Assert.True(done.GetProperty("wasStopped").GetBoolean());
        Assert.Equal(count, done.GetProperty("answerTokens").GetInt32());
        Assert.InRange(count, 3, 1023);
        var run = done.GetProperty("run").GetString();
        using var maps = JsonDocument.Parse(await server.Client.GetStringAsync($"/api/runs/{run}/maps.json"));
        Assert.Equal(count, maps.RootElement.GetProperty("answer").GetArrayLength());
        Assert.Equal(worker, server.Server.WorkerId);
    }

    [Fact]
    public async Task Stop_WhileWaitingOrBeforeAToken_EndsTheRun()
    {
        await using var server = await RunningServer.StartAsync(Options);
        var first = server.StreamAsync(RunningServer.Question(_picture, maxTokens: 1024)).GetAsyncEnumerator();
        await RunningServer.UntilAsync(
            async () => await first.MoveNextAsync() && first.Current.Name == "token",
            "a token of the first request"
        );
        await foreach (var (name, data) in server.StreamAsync(RunningServer.Question(_picture, maxTokens: 1)))
        {
            if (name == "run")
            {
                using var stopped = await server.Client.PostAsync(
                    $"/api/runs/{data.GetProperty("run").GetString()}/stop",
                    null
                );
                Assert.True(stopped.IsSuccessStatusCode);
            }

            if (name == "error")
            {
                Assert.Equal("stopped", data.GetProperty("error").GetProperty("code").GetString());
                break;
            }

            Assert.NotEqual("done", name);
        }

        await StopFirstAsync(server);
        await RunningServer.UntilAsync(
            async () => await first.MoveNextAsync() && first.Current.Name == "done",
            "the first request's end"
        );
        await first.DisposeAsync();
    }

    [Fact]
    public async Task Client_ThatGoesAway_EndsItsRunAndNotTheWorker()
    {
        await using var server = await RunningServer.StartAsync(Options);
        var worker = server.Server.WorkerId;
        await foreach (var (name, _) in server.StreamAsync(RunningServer.Question(_picture, maxTokens: 1024)))
        {
            if (name == "token")
            {
                break;
            }
        }

        await RunningServer.UntilAsync(async () => await server.InProgressAsync() == 0, "the run's end");
        Assert.Equal("[]", await server.Client.GetStringAsync("/api/runs"));
        Assert.Empty(Directory.GetDirectories(Path.Combine(server.Server.FolderPath, "runs")));
        using var next = await server.PostAsync(RunningServer.Question(_picture, maxTokens: 1));
        Assert.True(next.IsSuccessStatusCode);
        Assert.Equal(worker, server.Server.WorkerId);
    }

    [Fact]
    public async Task Stream_WithNothingToTell_IsKeptAlive()
    {
        await using var server = await RunningServer.StartAsync(
            Options with
            {
                LongestSilence = TimeSpan.FromMilliseconds(20),
            }
        );
        var first = server.StreamAsync(RunningServer.Question(_picture, maxTokens: 1024)).GetAsyncEnumerator();
        await RunningServer.UntilAsync(
            async () => await first.MoveNextAsync() && first.Current.Name == "token",
            "a token of the first request"
        );
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/explain")
        {
            Content = RunningServer.JsonOf(RunningServer.Question(_picture, maxTokens: 1)),
        };
        request.Headers.Accept.ParseAdd("text/event-stream");

        // It waits in the queue, so there is nothing to tell of it.
        using var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var comments = 0;
        while (comments < 3)
        {
            var line = await reader.ReadLineAsync() ?? throw new EndOfStreamException("the stream ended");
            comments += line.StartsWith(':') ? 1 : 0;
        }

        await StopFirstAsync(server);
        await first.DisposeAsync();
        Assert.Contains("event: done\n", await reader.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_ThatTakesTooLong_IsEnded()
    {
        await using var server = await RunningServer.StartAsync(
            Options with
            {
                Limits = new RequestLimits { MaxSeconds = 0.2 },
            }
        );
        await RunningServer.AssertErrorAsync(
            await server.PostAsync(RunningServer.Question(_picture, maxTokens: 1024)),
            504,
            "time_limit"
        );
    }

    [Fact]
    public async Task Runs_BeyondTheLimit_GoOldestFirst()
    {
        await using var server = await RunningServer.StartAsync(
            Options with
            {
                Limits = new RequestLimits { MaxRuns = 2 },
            }
        );
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            using var response = await server.PostAsync(RunningServer.Question(_picture, maxTokens: 1));
            ids.Add(response.Headers.GetValues("Tamx-Run").Single());
        }

        using var runs = JsonDocument.Parse(await server.Client.GetStringAsync("/api/runs"));
        Assert.Equal(
            [ids[2], ids[1]],
            runs.RootElement.EnumerateArray().Select(run => run.GetProperty("run").GetString())
        );
        Assert.Equal(2, Directory.GetDirectories(Path.Combine(server.Server.FolderPath, "runs")).Length);
    }

    private static async Task StopFirstAsync(RunningServer server)
    {
        using var runs = JsonDocument.Parse(await server.Client.GetStringAsync("/api/runs"));
        var first = runs.RootElement.EnumerateArray().Last(run => run.GetProperty("state").GetString() == "running");
        using var stopped = await server.Client.PostAsync(
            $"/api/runs/{first.GetProperty("run").GetString()}/stop",
            null
        );
        Assert.True(stopped.IsSuccessStatusCode);
    }
}
