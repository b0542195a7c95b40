using Microsoft.AspNetCore.Http;
using Tamx.Web.Worker;

namespace Tamx.Web.Api;

/// <summary>How the server is, and what it offers.</summary>
internal sealed class StatusApi(ServerOptions options, ModelWorker worker, RunService service, ServerMetrics metrics)
{
    public IResult Health() => Results.Json(
        new { status = "ok", model = worker.IsReady ? "ready" : "loading", inProgress = service.Queue.Count }, WireJson.Options);

    public IResult Metrics() => Results.Text(
        metrics.Write(service.Queue.Count, worker.IsReady, worker.RestartCount), "text/plain; version=0.0.4; charset=utf-8");

    /// <summary>The API's description; a test holds it to the routes.</summary>
    public static IResult OpenApi() => Results.Stream(typeof(StatusApi).Assembly.GetManifestResourceStream("openapi.json")!, "application/json");

    public IResult Config()
    {
        var standard = new ExplainOptions();
        var limits = options.Limits;
        return Results.Json(
            new
            {
                model = worker.Model,
                keyNeeded = options.ApiKey is not null,
                limits = new
                {
                    limits.MaxBodyBytes,
                    limits.MaxPictureBytes,
                    limits.MaxPicturePixels,
                    limits.MaxPictures,
                    limits.MaxFrames,
                    limits.MaxTextCharacters,
                    limits.MaxAnswerTokens,
                    limits.MaxContextTokens,
                    limits.MaxCandidates,
                    limits.MaxSeconds,
                    queueLength = options.QueueLength,
                },
                defaults = new
                {
                    maxTokens = Math.Min(standard.Completion.MaxNewTokens, limits.MaxAnswerTokens),
                    candidates = Math.Min(standard.Completion.CandidateCount, limits.MaxCandidates),
                    sampling = new { standard.Completion.Temperature, standard.Completion.TopK, standard.Completion.TopP, standard.Completion.Seed },
                    fps = new Llama.Media.VideoSampling().FramesPerSecond,
                    options = standard.Tam,
                    profiles = Enum.GetValues<TamProfile>().ToDictionary(profile => profile.ToString().ToLowerInvariant(), TamOptions.ForProfile),
                },
            },
            WireJson.Options);
    }
}
