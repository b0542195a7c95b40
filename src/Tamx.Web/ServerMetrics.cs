using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;
using Tamx.Llama;
using Tamx.Web.Runs;
using Tamx.Web.Wire;

namespace Tamx.Web;

/// <summary>
/// What has happened since the server started: instruments, for whoever listens, and the same as Prometheus reads it.
/// </summary>
internal sealed class ServerMetrics : IDisposable
{
    /// <summary>What an instrument is called in Prometheus' text, in its order.</summary>
    private static readonly Shown[] Texts =
    [
        new("tamx.http.requests", "tamx_http_requests_total", "counter", "Requests answered, by route and status."),
        new(
            GenAiInstruments.TokenUsageName,
            "tamx_prompt_tokens_total",
            "counter",
            "Tokens of prompts, cells of pictures included.",
            "input"
        ),
        new(GenAiInstruments.TokenUsageName, "tamx_answer_tokens_total", "counter", "Tokens of answers.", "output"),
        new("tamx.model.time", "tamx_model_seconds_total", "counter", "Seconds that the model and the maps took."),
        new(
            "tamx.requests.in_progress",
            "tamx_requests_in_progress",
            "gauge",
            "Requests being read, waiting or worked on."
        ),
        new("tamx.model.ready", "tamx_model_ready", "gauge", "Whether the model is loaded."),
        new(
            "tamx.worker.restarts",
            "tamx_worker_restarts_total",
            "counter",
            "How often the model's process ended or could not load."
        ),
    ];

    private readonly ConcurrentDictionary<Key, double> _values = new();
    private readonly Meter _meter;
    private readonly MeterListener _listener = new();
    private readonly GenAiInstruments _genAi;
    private readonly Counter<long> _requests;
    private readonly Counter<double> _modelTime;

    public ServerMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(TamxTelemetry.MeterName);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter, _meter) && Texts.Any(text => text.Instrument == instrument.Name))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.Start();
        _requests = _meter.CreateCounter<long>("tamx.http.requests", "{request}", "Requests answered.");
        _modelTime = _meter.CreateCounter<double>("tamx.model.time", "s", "Time that the model and the maps took.");
        _genAi = new GenAiInstruments(_meter);
    }

    public void Dispose() => _listener.Dispose();

    /// <summary>Has the present state measured whenever somebody asks.</summary>
    public void Observe(ModelQueue queue, ModelWorker worker)
    {
        _meter.CreateObservableUpDownCounter("tamx.requests.in_progress", () => queue.Count, "{request}");
        _meter.CreateObservableGauge("tamx.model.ready", () => worker.IsReady ? 1 : 0);
        _meter.CreateObservableCounter("tamx.worker.restarts", () => worker.RestartCount, "{restart}");
    }

    public void AddRequest(string route, int status) =>
        _requests.Add(1, new("http.route", route), new("http.response.status_code", status));

    /// <summary>A request to the model begins.</summary>
    public GenAiOperation Begin(string model, CompletionOptions options) =>
        new(_genAi, _genAi.RequestDuration, model, options);

    public void AddAnswer(DoneEvent done) => _modelTime.Add(done.Seconds.Values.Sum());

    /// <summary>The Prometheus text format, version 0.0.4.</summary>
    public string Write()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var shown in Texts)
        {
            Add($"# HELP {shown.Name} {shown.Help}\n# TYPE {shown.Name} {shown.Type}\n");
            var values = _values
                .Where(entry => entry.Key.Instrument == shown.Instrument && entry.Key.Kind == shown.Kind)
                .OrderBy(entry => entry.Key.Labels, StringComparer.Ordinal)
                .ToList();
            foreach (var (key, value) in values)
            {
                Add($"{shown.Name}{key.Labels} {value}\n");
            }

            if (values.Count == 0 && shown.Instrument != "tamx.http.requests")
            {
                Add($"{shown.Name} 0\n");
            }
        }

        return text.ToString();

        void Add(FormattableString line) => text.Append(FormattableString.Invariant(line));
    }

    private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var (labels, kind) = ("", "");
        foreach (var (name, tag) in tags)
        {
            (labels, kind) = name switch
            {
                "http.route" => ($"{{route=\"{tag}\"", kind),
                "http.response.status_code" => (FormattableString.Invariant($"{labels},status=\"{tag}\"}}"), kind),
                "gen_ai.token.type" => (labels, (string)tag!),
                _ => (labels, kind),
            };
        }

        var key = new Key(instrument.Name, kind, labels);
        _ = instrument.IsObservable
            ? _values[key] = value
            : _values.AddOrUpdate(key, value, (_, before) => before + value);
    }

    /// <param name="Instrument">The instrument.</param>
    /// <param name="Name">Its name in the text.</param>
    /// <param name="Type">Its type in the text.</param>
    /// <param name="Help">What it counts.</param>
    /// <param name="Kind">Which tokens, where it counts them.</param>
    private sealed record Shown(string Instrument, string Name, string Type, string Help, string Kind = "");

    private readonly record struct Key(string Instrument, string Kind, string Labels);
}
