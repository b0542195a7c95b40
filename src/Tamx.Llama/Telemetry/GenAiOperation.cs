using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Tamx.Llama;

/// <summary>An answer as telemetry sees it: an activity, and measurements at its end. No text is told.</summary>
internal sealed class GenAiOperation : IDisposable
{
    private readonly long _begin = Stopwatch.GetTimestamp();
    private readonly GenAiInstruments _instruments;
    private readonly Histogram<double> _duration;
    private readonly Activity? _activity;
    private readonly TagList _tags;
    private long _first;
    private long _last;
    private int _count;
    private int _isOver;

    /// <param name="instruments">Where it is measured.</param>
    /// <param name="duration">The one of them that gets its duration.</param>
    /// <param name="model">The model's name.</param>
    /// <param name="options">How the answer is generated.</param>
    public GenAiOperation(
        GenAiInstruments instruments,
        Histogram<double> duration,
        string model,
        CompletionOptions options
    )
    {
        _instruments = instruments;
        _duration = duration;
        _tags =
        [
            new("gen_ai.operation.name", "chat"),
            new("gen_ai.provider.name", "tamx"),
            new("gen_ai.request.model", model),
        ];

        // It ends elsewhere, so it is not what the caller does next.
        var current = Activity.Current;
        _activity = LibraryTelemetry.Source.StartActivity($"chat {model}", ActivityKind.Internal);
        Activity.Current = current;
        if (_activity is { IsAllDataRequested: true })
        {
            Tag(_tags);
            _activity.SetTag("gen_ai.request.max_tokens", options.MaxNewTokens);
            _activity.SetTag("gen_ai.request.temperature", (double)options.Temperature);
            _activity.SetTag("gen_ai.request.top_p", (double)options.TopP);
            _activity.SetTag("gen_ai.request.top_k", options.TopK);
            _activity.SetTag("gen_ai.request.seed", (long)options.Seed);
            _activity.SetTag("gen_ai.request.presence_penalty", (double)options.PresencePenalty);
            _activity.SetTag("gen_ai.request.frequency_penalty", (double)options.FrequencyPenalty);
        }
    }

    /// <summary>Whether its end is known.</summary>
    public bool IsOver => Volatile.Read(ref _isOver) != 0;

    /// <summary>Seconds since it began.</summary>
    public double Seconds => Stopwatch.GetElapsedTime(_begin).TotalSeconds;

    /// <summary>A token of the answer is there.</summary>
    public void NoteToken()
    {
        _last = Stopwatch.GetTimestamp();
        if (_count++ == 0)
        {
            _first = _last;
        }
    }

    /// <summary>The answer is there.</summary>
    public void End(int promptTokens, int answerTokens, StopReason reason)
    {
        if (Interlocked.Exchange(ref _isOver, 1) != 0)
        {
            return;
        }

        _duration.Record(Seconds, _tags);
        _instruments.TokenUsage.Record(promptTokens, With("gen_ai.token.type", "input"));
        _instruments.TokenUsage.Record(answerTokens, With("gen_ai.token.type", "output"));
        if (_count > 0)
        {
            _instruments.TimeToFirstToken.Record(Stopwatch.GetElapsedTime(_begin, _first).TotalSeconds, _tags);
        }

        if (_count > 1)
        {
            var rest = Stopwatch.GetElapsedTime(_first, _last).TotalSeconds;
            _instruments.TimePerOutputToken.Record(rest / (_count - 1), _tags);
        }

        if (reason != StopReason.None)
        {
            var isCut = reason is StopReason.MaxNewTokens or StopReason.ContextFull;
            _activity?.SetTag("gen_ai.response.finish_reasons", (string[])[isCut ? "length" : "stop"]);
        }

        _activity?.SetTag("gen_ai.usage.input_tokens", promptTokens);
        _activity?.SetTag("gen_ai.usage.output_tokens", answerTokens);
        _activity?.Dispose();
    }

    /// <summary>There will be no answer.</summary>
    /// <param name="type">Why: one of few words, or the name of an exception's type.</param>
    public void Fail(string type)
    {
        if (Interlocked.Exchange(ref _isOver, 1) == 0)
        {
            _duration.Record(Seconds, With("error.type", type));
            _activity?.SetTag("error.type", type);
            _activity?.SetStatus(ActivityStatusCode.Error);
            _activity?.Dispose();
        }
    }

    /// <summary>Nobody waits for the answer any more.</summary>
    public void Dispose() => Fail("abandoned");

    private TagList With(string key, string value)
    {
        var tags = _tags;
        tags.Add(key, value);
        return tags;
    }

    private void Tag(TagList tags)
    {
        foreach (var (key, value) in tags)
        {
            _activity!.SetTag(key, value);
        }
    }
}
