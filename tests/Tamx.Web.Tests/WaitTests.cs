using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Tamx.Web.Runs;

namespace Tamx.Web.Tests;

/// <summary>Nobody is waited for without a limit.</summary>
[Collection(OneServer.Name)]
public sealed class WaitTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(200);

    [Theory]
    [InlineData("/api/explain", "")]
    [InlineData("/v1/chat/completions", ",\"stream\":true,\"tamx\":{\"maps\":true,\"candidates\":10}")]
    public async Task Client_ThatTakesNoEvents_IsEndedAndTheNextIsServed(string path, string rest)
    {
        var logger = new KeepingLogger();
        await using var server = await StartAsync(new ServerTimes { Client = Short }, logger: logger);
        using var stalled = await StallAsync(server, path, rest);
        await RunningServer.UntilAsync(async () => await server.InProgressAsync() == 1, "the stalled request's begin");
        await server.AssertServesAsync();
        await RunningServer.UntilAsync(async () => await server.InProgressAsync() == 0, "the stalled request's end");
        Assert.Empty(logger.Faults);
    }

    [Fact]
    public async Task Run_ThatIsDeletedWhileItsClientStalls_GivesTheModelBack()
    {
        // The client would be waited for; who deletes its run is not.
        await using var server = await StartAsync(new ServerTimes { Client = TimeSpan.FromHours(1) });
        using var stalled = await StallAsync(server, "/api/explain", "");
        await RunningServer.UntilAsync(async () => await server.PhaseNowAsync() == "generate", "tokens");
        using var runs = JsonDocument.Parse(await server.Client.GetStringAsync("/api/runs"));
        var id = runs.RootElement[0].GetProperty("run").GetString();
        using var deleted = await server.Client.DeleteAsync($"/api/runs/{id}");
        Assert.True(deleted.IsSuccessStatusCode);
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task Worker_ThatGivesNoSignWhileItLoads_IsKilled()
    {
        await using var worker = WorkerProcess.Start(["sleep", "1000"], Path.GetTempPath(), NullLogger.Instance);
        var options = RunningServer.Options;
        var fault = await Assert.ThrowsAsync<WorkerDiedException>(() =>
            worker.LoadAsync(options.Model, options.Engine, Short)
        );
        Assert.Contains("no sign for 0.2 seconds", fault.Message, StringComparison.Ordinal);
        await worker.Exited.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Start_WithAWorkerThatGivesNoSign_SaysSo()
    {
        var options = RunningServer.Options with
        {
            WorkerCommand = ["sleep", "1000"],
            Times = new ServerTimes { Loading = Short },
        };
        var fault = await Assert.ThrowsAsync<InvalidInputException>(() => TamxServer.StartAsync(options));
        Assert.Contains("no sign for 0.2 seconds", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_WhileAWorkerDoesNotComeUp_IsRefusedInTime()
    {
        // The first worker is one, the second never answers.
        using var folder = new Testing.TemporaryFolder();
        var script = $"if mkdir '{folder.File("begun")}'; then exec \"$@\"; else exec sleep 1000; fi";
        await using var server = await StartAsync(
            new ServerTimes { Worker = Short },
            ["sh", "-c", script, "sh", .. AbortingWorker.Command]
        );
        await server.AssertServesAsync();
        var first = server.Server.WorkerId!.Value;
        Signals.Send(first, Signals.Kill);
        await RunningServer.UntilAsync(
            () => server.Server.WorkerId is { } second && second != first,
            "the second worker"
        );
        await RunningServer.AssertErrorAsync(
            await server.PostAsync(RunningServer.Question(RunningServer.Scene, maxTokens: 1)),
            503,
            "model_unavailable"
        );
        Assert.Contains("loading", await server.Client.GetStringAsync("/health"), StringComparison.Ordinal);
        Assert.Equal(0, await server.InProgressAsync());
    }

    [Fact]
    public async Task Connection_WithoutARequest_IsClosed()
    {
        await using var server = await StartAsync(new ServerTimes { Idle = Short });
        string[] beginnings = ["", "GET /health HT", "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"];
        foreach (var beginning in beginnings)
        {
            using var socket = await ConnectAsync(server);
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(beginning));
            using var reader = new StreamReader(socket.GetStream());
            await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
        }
    }

    [Fact]
    public async Task Connections_MoreThanThereMayBe_KeepNobodyOut()
    {
        await using var server = await StartAsync(new ServerTimes());
        var idle = new List<TcpClient>();
        try
        {
            var kept = server.Client.GetAsync("/health");
            for (var i = 0; i < 250; i++)
            {
                idle.Add(await ConnectAsync(server));
            }

            await server.AssertServesAsync();
            using var health = await server.Client.GetAsync("/health");
            Assert.True(health.IsSuccessStatusCode);
            Assert.True((await kept).IsSuccessStatusCode);

            // The oldest went, the newest are there.
            await RunningServer.UntilAsync(() => idle[0].Client.Poll(0, SelectMode.SelectRead), "the oldest one's end");
            await idle[^1].GetStream().WriteAsync("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
            Assert.Equal(1, await idle[^1].GetStream().ReadAsync(new byte[1]));
        }
        finally
        {
            idle.ForEach(socket => socket.Dispose());
        }
    }

    private static Task<RunningServer> StartAsync(
        ServerTimes times,
        IReadOnlyList<string>? worker = null,
        ILogger? logger = null
    ) =>
        RunningServer.StartAsync(
            RunningServer.Options with
            {
                Times = times,
                WorkerCommand = worker ?? RunningServer.Options.WorkerCommand,
                Logger = logger ?? NullLogger.Instance,
            }
        );

    private static async Task<TcpClient> ConnectAsync(RunningServer server)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(server.Server.Address.Host, server.Server.Address.Port);
        return socket;
    }

    /// <summary>Asks for more events than sockets hold, and takes none.</summary>
    private static async Task<TcpClient> StallAsync(RunningServer server, string path, string rest)
    {
        var picture = RunningServer.DataUrl(RunningServer.Scene);
        var answer = string.Join(' ', Enumerable.Repeat("red circle blue", 600));
        var body = Encoding.UTF8.GetBytes(
            $$$"""
            {"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"{{{picture}}}"}},
            {"type":"text","text":"x"}]},{"role":"assistant","content":"{{{answer}}}"}]{{{rest}}}}
            """
        );
        var socket = new TcpClient { ReceiveBufferSize = 2048 };
        await socket.ConnectAsync(server.Server.Address.Host, server.Server.Address.Port);
        var head =
            $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + $"Accept: text/event-stream\r\nContent-Length: {body.Length}\r\n\r\n";
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head));
        await socket.GetStream().WriteAsync(body);
        return socket;
    }

    private sealed class KeepingLogger : ILogger
    {
        private readonly List<string> _faults = [];

        public IReadOnlyList<string> Faults
        {
            get
            {
                lock (_faults)
                {
                    return [.. _faults];
                }
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            lock (_faults)
            {
                _faults.AddRange(IsEnabled(logLevel) ? [$"{formatter(state, exception)} {exception}"] : []);
            }
        }
    }
}
