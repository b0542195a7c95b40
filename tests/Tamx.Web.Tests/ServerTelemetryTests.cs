using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Tamx.Web.Tests;

/// <summary>What OpenTelemetry, Prometheus and the log are told of the same requests.</summary>
[Collection(OneServer.Name)]
public sealed class ServerTelemetryTests
{
    [Fact]
    public async Task Requests_GoodAndBad_AreMeasuredOnceAndAlikeForAll()
    {
        var activities = new List<Activity>();
        var exported = new List<Metric>();
        using var traces = Sdk.CreateTracerProviderBuilder()
            .AddSource(TamxTelemetry.ActivitySourceName)
            .AddInMemoryExporter(activities)
            .Build();
        using var meters = Sdk.CreateMeterProviderBuilder()
            .AddMeter(TamxTelemetry.MeterName)
            .AddInMemoryExporter(exported)
            .Build();
        await using var server = await RunningServer.StartAsync();
        using var answer = await server.PostAsync(RunningServer.Question(RunningServer.Scene, maxTokens: 3));
        Assert.True(answer.IsSuccessStatusCode);
        await RunningServer.AssertErrorAsync(
            await server.PostAsync(RunningServer.Question("no picture"u8.ToArray())),
            400,
            "invalid_image"
        );
        var text = await server.Client.GetStringAsync("/metrics");
        traces.ForceFlush();
        meters.ForceFlush();

        var chats = activities.Where(activity => activity.DisplayName == "chat tamx-demo-grounded").ToList();
        Assert.Equal(2, chats.Count);
        var (good, bad) = (chats[0], chats[1]);
        Assert.Equal(3, good.GetTagItem("gen_ai.usage.output_tokens"));
        Assert.Equal(["length"], Assert.IsType<string[]>(good.GetTagItem("gen_ai.response.finish_reasons")));
        Assert.Equal((ActivityStatusCode.Error, "invalid_image"), (bad.Status, bad.GetTagItem("error.type")));

        var points = PointsOf(exported, "gen_ai.server.request.duration");
        Assert.Equal(2, points.Sum(point => point.Count));
        Assert.Single(points, point => point.Tags.Contains("error.type=invalid_image", StringComparison.Ordinal));
        Assert.Equal(1, PointsOf(exported, "gen_ai.server.time_to_first_token").Sum(point => point.Count));
        Assert.Equal(1, PointsOf(exported, "gen_ai.server.time_per_output_token").Sum(point => point.Count));
        foreach (
            var (kind, name) in new[] { ("input", "tamx_prompt_tokens_total"), ("output", "tamx_answer_tokens_total") }
        )
        {
            var usage = PointsOf(exported, "gen_ai.client.token.usage")
                .Single(point => point.Tags.Contains($"gen_ai.token.type={kind}", StringComparison.Ordinal));
            Assert.Equal(usage.Sum, ValueOf(text, name));
        }

        Assert.Equal(3, ValueOf(text, "tamx_answer_tokens_total"));
        Assert.Equal(1, ValueOf(text, "tamx_http_requests_total{route=\"/api/explain\",status=\"200\"}"));
        Assert.Equal(1, ValueOf(text, "tamx_http_requests_total{route=\"/api/explain\",status=\"400\"}"));
        Assert.Equal(1, ValueOf(text, "tamx_model_ready"));
        Assert.Equal(0, ValueOf(text, "tamx_worker_restarts_total"));
        Assert.True(ValueOf(text, "tamx_model_seconds_total") > 0);
    }

    [Fact]
    public async Task Log_OfAWorker_ComesAtItsLevels()
    {
        var log = new Log();
        await using (var server = await RunningServer.StartAsync(RunningServer.Options with { Logger = log }))
        {
            await server.AssertServesAsync();
        }

        string[] lines = [.. log.Lines];
        Assert.Contains(lines, line => Regex.IsMatch(line, "^Information worker \\d+: tamx-demo-grounded is loaded"));
        Assert.Contains(lines, line => Regex.IsMatch(line, "^Debug worker \\d+: llama.cpp: "));
        Assert.Contains(lines, line => Regex.IsMatch(line, "^Debug worker \\d+: maps of \\d tokens by engine "));
        Assert.DoesNotContain(lines, line => line.Contains("Describe", StringComparison.Ordinal));
    }

    private static double ValueOf(string text, string name) =>
        double.Parse(
            text.Split('\n').Single(line => line.StartsWith(name + " ", StringComparison.Ordinal)).Split(' ')[^1],
            CultureInfo.InvariantCulture
        );

    private static List<(string Tags, long Count, double Sum)> PointsOf(List<Metric> metrics, string name)
    {
        var points = new List<(string, long, double)>();
        // Each export has all since the beginning.
        foreach (var metric in metrics.Where(metric => metric.Name == name).TakeLast(1))
        {
            foreach (ref readonly var point in metric.GetMetricPoints())
            {
                var tags = new List<string>();
                foreach (var (key, value) in point.Tags)
                {
                    tags.Add($"{key}={value}");
                }

                points.Add((string.Join(' ', tags), point.GetHistogramCount(), point.GetHistogramSum()));
            }
        }

        return points;
    }

    /// <summary>Keeps all lines with their levels.</summary>
    private sealed class Log : ILogger
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<string> _lines = new();

        public IEnumerable<string> Lines => _lines;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        void ILogger.Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => _lines.Enqueue($"{logLevel} {formatter(state, exception)}");
    }
}
