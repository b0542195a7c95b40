using Microsoft.AspNetCore.Http;
using Tamx.Web.Runs;
using Tamx.Web.Wire;

namespace Tamx.Web.Api;

/// <summary><c>/api/runs</c>: lists what this server has answered, sends its files, stops and deletes it.</summary>
internal sealed class RunsApi(ServerOptions options, RunStore runs)
{
    public IResult List(HttpRequest request) =>
        Results.Json(
            runs.List()
                .Select(run => new
                {
                    run = run.Id,
                    created = run.Created,
                    run.State,
                    phase = run.IsOver ? null : run.Phase,
                    run.Prompt,
                    run.Answer,
                    files = RunFiles
                        .MediaTypes.Keys.Where(_ => run.IsOver)
                        .Select(name => $"{request.PathBase}/api/runs/{run.Id}/{name}")
                        .Order(),
                }),
            WireJson.Options
        );

    public IResult Stop(string id)
    {
        Find(id).Stop();
        return Results.Accepted();
    }

    public IResult Delete(string id)
    {
        _ = Find(id);
        runs.Remove(id);
        return Results.NoContent();
    }

    public Task GetFileAsync(HttpContext context, string id, string name)
    {
        var run = Find(id);
        return run.IsOver && RunFiles.MediaTypes.ContainsKey(name)
            ? SendFileAsync(context, run, name, options.Times.Client)
            : throw new ApiException(404, "no_such_file", "the run has no such file (yet)");
    }

    /// <summary>Sends a file of a run.</summary>
    /// <param name="context">The request.</param>
    /// <param name="run">The run.</param>
    /// <param name="name">One of <see cref="RunFiles.MediaTypes"/>.</param>
    /// <param name="patience">How long to wait for the client.</param>
    public static async Task SendFileAsync(HttpContext context, Run run, string name, TimeSpan patience)
    {
        await using var file = run.Files.Open(name) ?? throw NotFound();
        if (name == RunFiles.Report)
        {
            SecurityHeaders.AllowReport(context.Response);
        }

        context.Response.ContentType = RunFiles.MediaTypes[name];
        context.Response.ContentLength = file.Length;
        await new ClientWriter(context, patience).CopyAsync(file);
    }

    private Run Find(string id) => runs.Find(id) ?? throw NotFound();

    public static ApiException NotFound() => new(404, "no_such_run", "there is no such run (any more)");
}
