using System.Collections.Concurrent;
using System.Text;
using Tamx.Web.Wire;

namespace Tamx.Web;

/// <summary>What has happened since the server started, as Prometheus reads it.</summary>
internal sealed class ServerMetrics
{
    private readonly ConcurrentDictionary<(string Route, int Status), long> _requests = new();
    private long _promptTokens;
    private long _answerTokens;
    private double _modelSeconds;

    public void AddRequest(string route, int status) =>
        _requests.AddOrUpdate((route, status), 1, (_, count) => count + 1);

    public void AddAnswer(DoneEvent done)
    {
        lock (_requests)
        {
            _promptTokens += done.PromptTokens;
            _answerTokens += done.AnswerTokens;
            _modelSeconds += done.Seconds.Values.Sum();
        }
    }

    /// <summary>The Prometheus text format, version 0.0.4.</summary>
    public string Write(int queued, bool isReady, int restarts)
    {
        var text = new StringBuilder();
        Head("tamx_http_requests_total", "counter", "Requests answered, by route and status.");
        foreach (var ((route, status), count) in _requests.OrderBy(entry => entry.Key))
        {
            Add($"tamx_http_requests_total{{route=\"{route}\",status=\"{status}\"}} {count}\n");
        }

        lock (_requests)
        {
            One("tamx_prompt_tokens_total", "counter", "Tokens of prompts, cells of pictures included.", _promptTokens);
            One("tamx_answer_tokens_total", "counter", "Tokens of answers.", _answerTokens);
            One("tamx_model_seconds_total", "counter", "Seconds that the model and the maps took.", _modelSeconds);
        }

        One("tamx_requests_in_progress", "gauge", "Requests being read, waiting or worked on.", queued);
        One("tamx_model_ready", "gauge", "Whether the model is loaded.", isReady ? 1 : 0);
        const string Restarts = "How often the model's process ended or could not load.";
        One("tamx_worker_restarts_total", "counter", Restarts, restarts);
        return text.ToString();

        void Head(string name, string type, string help) => Add($"# HELP {name} {help}\n# TYPE {name} {type}\n");

        void One(string name, string type, string help, double value)
        {
            Head(name, type, help);
            Add($"{name} {value}\n");
        }

        void Add(FormattableString line) => text.Append(FormattableString.Invariant(line));
    }
}
