using Tamx.Testing;
using Tamx.Web.Runs;

namespace Tamx.Web.Tests;

/// <summary>
/// The worker's end is a 503 for the request that it worked on, and nothing else. What it had not begun, the next does.
/// </summary>
[Collection(OneServer.Name)]
public sealed class WorkerDeathTests
{
    /// <summary>Each phase and signal three times.</summary>
    private const int Deaths = 24;

    private static readonly string[] Phases = ["load", "image", "prefill", "generate"];

    /// <summary>A random model does not end its answers: each phase lasts long enough to be met.</summary>
    private static readonly ServerOptions Options = RunningServer.Options with
    {
        Model = RunningServer.Options.Model with
        {
            ModelPath = TestModels.Qwen3Vl.ModelPath,
            ProjectorPath = TestModels.Qwen3Vl.ProjectorPath,
        },
        Limits = new RequestLimits { MaxRuns = 2 },
        WorkerCommand = AbortingWorker.Command,
    };

    private readonly byte[] _small = TestPictures.Gradient(64, 64).Encoded.ToArray();
    private readonly byte[] _large = TestPictures.Gradient(800, 800).Encoded.ToArray();

    [Fact]
    public async Task Worker_KilledInEachPhaseManyTimes_ServerGoesOnAndLeavesNothing()
    {
        var workers = new HashSet<int>();
        string folder;
        await using (var server = await RunningServer.StartAsync(Options))
        {
            folder = server.Server.FolderPath;
            for (var i = 0; i < Deaths; i++)
            {
                var phase = Phases[i % Phases.Length];
                if (phase == "load")
                {
                    // The death of an idle worker is nobody's error; the next one is met while it loads.
                    workers.Add(await KillAsync(server, Signals.Kill));
                }

                var asked = server.PostAsync(Body(phase));
                await RunningServer.UntilAsync(
                    async () => asked.IsCompleted || await server.PhaseNowAsync() == phase,
                    $"phase {phase}"
                );
                Assert.False(
                    asked.IsCompleted,
                    $"{phase} was over before it could be met: {(asked.IsCompleted ? await asked : null)}"
                );
                workers.Add(await KillAsync(server, i / Phases.Length % 2 == 0 ? Signals.Kill : Signals.VirtualAlarm));
                using var answer = await asked;
                if (phase == "load")
                {
                    Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
                    continue;
                }

                Assert.NotNull(answer.Headers.RetryAfter);
                await RunningServer.AssertErrorAsync(answer, 503, "model_died");

                using var next = await server.PostAsync(RunningServer.Question(_small, maxTokens: 1));
                Assert.True(next.IsSuccessStatusCode, await next.Content.ReadAsStringAsync());
            }

            Assert.Equal(2, Directory.GetDirectories(Path.Combine(folder, "runs")).Length);
            Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(folder, "tmp")));
            workers.Add(server.Server.WorkerId!.Value);
        }

        Assert.True(workers.Count > Deaths);
        Assert.DoesNotContain(workers, Signals.Exists);
        Assert.False(Directory.Exists(folder));
    }

    /// <summary>The server may not have seen yet that the worker is gone.</summary>
    [Fact]
    public async Task Worker_KilledJustBeforeARequest_IsNobodysError()
    {
        await using var server = await RunningServer.StartAsync(Options);
        for (var i = 0; i < 12; i++)
        {
            await RunningServer.UntilAsync(() => server.Server.WorkerId is not null, "a worker");
            Signals.Send(server.Server.WorkerId!.Value, Signals.Kill);
            using var answer = await server.PostAsync(RunningServer.Question(_small, maxTokens: 1));
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }
    }

    /// <summary>No request waits for ever for workers that end while they load.</summary>
    [Fact]
    public async Task Worker_KilledTwiceWhileItLoads_IsAnError()
    {
        await using var server = await RunningServer.StartAsync(Options);
        await KillAsync(server, Signals.Kill);
        var asked = server.PostAsync(RunningServer.Question(_small, maxTokens: 1));
        for (var i = 0; i < 2; i++)
        {
            await RunningServer.UntilAsync(
                async () => asked.IsCompleted || await server.PhaseNowAsync() == "load",
                "loading"
            );
            await KillAsync(server, Signals.Kill);
        }

        using var answer = await asked;
        await RunningServer.AssertErrorAsync(answer, 503, "model_died");
    }

    [Fact]
    public async Task Worker_ThatStandsStill_IsReplacedWhenTheClientGoes()
    {
        await using var server = await RunningServer.StartAsync(Options);
        var frozen = server.Server.WorkerId!.Value;
        using var patience = new CancellationTokenSource();
        var asked = server.Client.PostAsync(
            "/api/explain",
            System.Net.Http.Json.JsonContent.Create(Body("generate")),
            patience.Token
        );
        await RunningServer.UntilAsync(async () => await server.PhaseNowAsync() == "generate", "generating");
        Signals.Send(frozen, Signals.Freeze);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);

        using var next = await server.PostAsync(RunningServer.Question(_small, maxTokens: 1));
        Assert.True(next.IsSuccessStatusCode);
        Assert.NotEqual(frozen, server.Server.WorkerId);
        Assert.False(Signals.Exists(frozen));
    }

    /// <summary>A stream that has begun cannot have another status; the error is its last event but one.</summary>
    [Fact]
    public async Task Worker_KilledWhileAChatIsStreamed_EndsTheStreamWithTheError()
    {
        await using var server = await RunningServer.StartAsync(Options);
        var events = new List<System.Text.Json.JsonElement>();
        await foreach (
            var (_, data) in server.StreamAsync(
                new
                {
                    messages = new[] { RunningServer.Message("Describe this image.", _small) },
                    max_tokens = 1000,
                    stream = true,
                },
                "/v1/chat/completions"
            )
        )
        {
            events.Add(data);
            if (events.Count == 3)
            {
                await KillAsync(server, Signals.Kill);
            }
        }

        Assert.Equal(System.Text.Json.JsonValueKind.Undefined, events[^1].ValueKind);
        Assert.Equal("model_died", events[^2].GetProperty("error").GetProperty("code").GetString());
        Assert.True(events[1].TryGetProperty("choices", out _));
    }

    [Fact]
    public async Task Server_ClosedWhileTheModelWorks_LeavesNothing()
    {
        var server = await RunningServer.StartAsync(Options);
        var worker = server.Server.WorkerId!.Value;
        var asked = server.PostAsync(Body("generate"));
        await RunningServer.UntilAsync(async () => await server.PhaseNowAsync() == "generate", "generating");
        await server.Server.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(async () => (await asked).EnsureSuccessStatusCode());
        Assert.False(Signals.Exists(worker));
        Assert.False(Directory.Exists(server.Server.FolderPath));
        server.Client.Dispose();
    }

    [Fact]
    public async Task Start_ModelThatCannotBeLoaded_IsRefusedAndLeavesNothing()
    {
        var folder = Path.Combine(UserFolder.Parent, "tamx-serve");
        var before = Directory.Exists(folder) ? Directory.GetDirectories(folder) : [];
        var options = Options with { Model = Options.Model with { ModelPath = "missing.gguf" } };
        var message = (await Assert.ThrowsAsync<InvalidInputException>(() => TamxServer.StartAsync(options))).Message;
        Assert.Equal("missing.gguf: no such file", message);
        Assert.Equal(before.Order(), Directory.GetDirectories(folder).Order());
    }

    /// <summary>Ends the worker there is, and waits until it is gone.</summary>
    private static async Task<int> KillAsync(RunningServer server, int signal)
    {
        await RunningServer.UntilAsync(() => server.Server.WorkerId is not null, "a worker");
        var worker = server.Server.WorkerId!.Value;
        Signals.Send(worker, signal);
        await RunningServer.UntilAsync(() => server.Server.WorkerId != worker, "the worker's end");
        return worker;
    }

    private static object Asking(object message) => new { messages = new[] { message }, maxTokens = 1 };

    private object Body(string phase) =>
        phase switch
        {
            "image" => Asking(RunningServer.Message("Compare.", [.. Enumerable.Repeat(_large, 8)])),
            "prefill" => Asking(
                RunningServer.Message(string.Concat(Enumerable.Repeat("what colour is the cross ", 600)), _small)
            ),
            "generate" => new { messages = new[] { RunningServer.Message("Tell.", _small) }, maxTokens = 1024 },
            _ => RunningServer.Question(_small, maxTokens: 1),
        };
}
