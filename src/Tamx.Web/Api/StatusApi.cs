using Microsoft.AspNetCore.Http;
using Tamx.Llama.Media;
using Tamx.Web.Runs;
using Tamx.Web.Wire;

namespace Tamx.Web.Api;

/// <summary>Whether the server is well, and what it offers.</summary>
internal sealed class StatusApi(ServerOptions options, ModelWorker worker, RunService service, ServerMetrics metrics)
{
    public IResult Health()
    {
        var model = worker.IsReady ? "ready" : "loading";
        return Results.Json(
            new
            {
                status = "ok",
                model,
                inProgress = service.Queue.Count,
            },
            WireJson.Options
        );
    }

    public IResult Metrics() => Results.Text(metrics.Write(), "text/plain; version=0.0.4; charset=utf-8");

    /// <summary>The API's description; a test holds it to the routes.</summary>
    public static IResult OpenApi() =>
        Results.Stream(typeof(StatusApi).Assembly.GetManifestResourceStream("openapi.json")!, "application/json");

    public IResult Config()
    {
        var standard = new ExplainOptions();
        var completion = standard.Completion;
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
                    maxTokens = Math.Min(completion.MaxNewTokens, limits.MaxAnswerTokens),
                    candidates = Math.Min(completion.CandidateCount, limits.MaxCandidates),
                    sampling = new
                    {
                        completion.Temperature,
                        completion.TopK,
                        completion.TopP,
                        completion.Seed,
                    },
                    fps = new VideoSampling().FramesPerSecond,
                    options = standard.Tam,
                    profiles = Enum.GetValues<TamProfile>()
                        .ToDictionary(profile => profile.ToString().ToLowerInvariant(), TamOptions.ForProfile),
                },
            },
            WireJson.Options
        );
    }
}
