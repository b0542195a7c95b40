using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>Traces, metrics and logs of runs, as OpenTelemetry and a logger receive them.</summary>
[Collection(nameof(TelemetryTests))]
[CollectionDefinition(nameof(TelemetryTests), DisableParallelization = true)]
public sealed class TelemetryTests
{
    private const string Question = "Which shape is unmistakable here?";

    private static readonly ExplainOptions Options = new()
    {
        Completion = new CompletionOptions { MaxNewTokens = 3, LogitBias = new Dictionary<int, float>() },
    };

    [Fact]
    public async Task Explain_Run_IsAnActivityWithItsUsageAndOneOfMaps()
    {
        var (activities, metrics, explanation) = await ObserveAsync(
            async (model, engine) => await Explainer.ExplainAsync(model, Messages, Options, engine)
        );
        var chat = activities.Single(activity => activity.DisplayName.StartsWith("chat ", StringComparison.Ordinal));
        Assert.Equal("chat", chat.GetTagItem("gen_ai.operation.name"));
        Assert.Equal(chat.DisplayName["chat ".Length..], chat.GetTagItem("gen_ai.request.model"));
        Assert.Equal(3, chat.GetTagItem("gen_ai.request.max_tokens"));
        var answered = explanation!.Maps.Answer.Count;
        Assert.Equal(answered, chat.GetTagItem("gen_ai.usage.output_tokens"));
        Assert.Equal(explanation.Trace.TokenIds.Length - answered, chat.GetTagItem("gen_ai.usage.input_tokens"));
        var reason = explanation.StopReason == StopReason.MaxNewTokens ? "length" : "stop";
        Assert.Equal([reason], Assert.IsType<string[]>(chat.GetTagItem("gen_ai.response.finish_reasons")));
        Assert.Equal(ActivityStatusCode.Unset, chat.Status);
        var maps = activities.Single(activity => activity.DisplayName == "tamx.maps");
        Assert.Equal("reference", maps.GetTagItem("tamx.engine"));
        Assert.Equal(chat.ParentSpanId, maps.ParentSpanId);
        Assert.DoesNotContain(
            activities.SelectMany(activity => activity.TagObjects),
            tag => tag.Value is string text && text.Contains("unmistakable", StringComparison.Ordinal)
        );

        Assert.Equal(1, CountOf(metrics, "gen_ai.client.operation.duration"));
        Assert.Equal(2, CountOf(metrics, "gen_ai.client.token.usage"));
        Assert.Equal(1, CountOf(metrics, "gen_ai.server.time_to_first_token"));
        Assert.Equal(answered > 1 ? 1 : 0, CountOf(metrics, "gen_ai.server.time_per_output_token"));
        Assert.Equal(1, CountOf(metrics, "tamx.maps.duration"));
    }

    [Fact]
    public async Task Explain_Cancelled_IsAnError()
    {
        using var cancel = new CancellationTokenSource();
        var (activities, metrics, _) = await ObserveAsync(
            async (model, engine) =>
            {
                using var live = await Explainer.StartAsync(model, Messages, Options, engine);
                await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
                {
                    await foreach (var token in live.ReadAsync(cancel.Token))
                    {
                        await cancel.CancelAsync();
                    }
                });
                return null;
            }
        );
        var chat = activities.Single(activity => activity.DisplayName.StartsWith("chat ", StringComparison.Ordinal));
        Assert.Equal(ActivityStatusCode.Error, chat.Status);
        Assert.Equal("cancelled", chat.GetTagItem("error.type"));
        Assert.Equal(1, CountOf(metrics, "gen_ai.client.operation.duration"));
        Assert.Equal(0, CountOf(metrics, "gen_ai.client.token.usage"));
    }

    [Fact]
    public async Task Log_OfAModelAndItsAnswers_HasNoText()
    {
        var log = new Log();
        var explanation = await WithModelAsync(
            log,
            async (model, engine) => await Explainer.ExplainAsync(model, Messages, Options, engine)
        );
        Assert.Equal(
            ["1 ModelLoaded Information", "2 AnswerBegun Debug", "3 AnswerEnded Debug"],
            log.Lines.Where(line => line.Category == "Tamx.Llama").Select(line => line.Event)
        );
        Assert.Equal(
            ["2 MapsComputed Debug"],
            log.Lines.Where(line => line.Category == "Tamx").Select(line => line.Event)
        );
        Assert.Contains(log.Lines, line => line.Category == "Tamx.Llama.Native");
        Assert.DoesNotContain(
            log.Lines,
            line =>
                line.Text.Contains("unmistakable", StringComparison.Ordinal)
                || (explanation!.Answer.Length > 3 && line.Text.Contains(explanation.Answer, StringComparison.Ordinal))
        );
    }

    [Fact]
    public async Task NativeLog_OfAModelWithoutALog_IsTheProcesss()
    {
        var (own, process) = (new Log(), new Log());
        var before = LlamaRuntime.Logger;
        LlamaRuntime.Logger = process.CreateLogger("process");
        try
        {
            await WithModelAsync(own, (_, _) => Task.FromResult<Explanation?>(null));
            var count = process.Lines.Count;
            Assert.NotEmpty(own.Lines);
            await WithModelAsync(null, (_, _) => Task.FromResult<Explanation?>(null));
            Assert.True(process.Lines.Count > count);
        }
        finally
        {
            LlamaRuntime.Logger = before;
        }
    }

    private static ChatTurn[] Messages => [new(TurnRole.User, [TestPictures.Gradient(64, 64), new TextPart(Question)])];

    private static long CountOf(List<Metric> metrics, string name)
    {
        var count = 0L;
        // Each export has all since the beginning.
        foreach (var metric in metrics.Where(metric => metric.Name == name).TakeLast(1))
        {
            foreach (ref readonly var point in metric.GetMetricPoints())
            {
                count += point.GetHistogramCount();
            }
        }

        return count;
    }

    private static async Task<(List<Activity> Activities, List<Metric> Metrics, Explanation? Explanation)> ObserveAsync(
        Func<VisionLanguageModel, ITamEngine, Task<Explanation?>> work
    )
    {
        var activities = new List<Activity>();
        var metrics = new List<Metric>();
        using var traces = Sdk.CreateTracerProviderBuilder()
            .AddSource(TamxTelemetry.ActivitySourceName)
            .AddInMemoryExporter(activities)
            .Build();
        using var meters = Sdk.CreateMeterProviderBuilder()
            .AddMeter(TamxTelemetry.MeterName)
            .AddInMemoryExporter(metrics)
            .Build();
        var explanation = await WithModelAsync(null, work);
        traces.ForceFlush();
        meters.ForceFlush();
        return (activities, metrics, explanation);
    }

    private static async Task<Explanation?> WithModelAsync(
        Log? log,
        Func<VisionLanguageModel, ITamEngine, Task<Explanation?>> work
    )
    {
        var files = TestModels.Qwen3Vl;
        var options = new ModelOptions
        {
            ModelPath = files.ModelPath,
            ProjectorPath = files.ProjectorPath,
            ThreadCount = 1,
        };
        using var model = await VisionLanguageModel.LoadAsync(
            log is null ? options : options with { LoggerFactory = log },
            null,
            TestContext.Current.CancellationToken
        );
        using var engine = new ReferenceEngine();
        return await work(model, engine);
    }

    /// <summary>Keeps all lines.</summary>
    private sealed class Log : ILoggerFactory
    {
        private readonly List<(string Category, string Event, string Text)> _lines = [];

        public IReadOnlyList<(string Category, string Event, string Text)> Lines
        {
            get
            {
                lock (_lines)
                {
                    return [.. _lines];
                }
            }
        }

        public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

        public void AddProvider(ILoggerProvider provider) { }

        public void Dispose() { }

        private sealed class Category(Log log, string name) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            void ILogger.Log<TState>(
                LogLevel logLevel,
                EventId eventId,
                TState state,
                Exception? exception,
                Func<TState, Exception?, string> formatter
            )
            {
                lock (log._lines)
                {
                    log._lines.Add((name, $"{eventId.Id} {eventId.Name} {logLevel}", formatter(state, exception)));
                }
            }
        }
    }
}
