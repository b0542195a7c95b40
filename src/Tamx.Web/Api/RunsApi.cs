using Microsoft.AspNetCore.Http;
using Tamx.Web.Worker;

namespace Tamx.Web.Api;

/// <summary><c>/api/runs</c>: what this server has answered, with the files, and stopping.</summary>
internal sealed class RunsApi(RunStore runs)
{
    public IResult List() => Results.Json(
        runs.List().Select(run => new
        {
            run = run.Id,
            created = run.Created,
            run.State,
            phase = run.IsOver ? null : run.Phase,
            run.Prompt,
            run.Answer,
            files = RunFiles.MediaTypes.Keys.Where(_ => run.IsOver).Select(name => $"/api/runs/{run.Id}/{name}").Order(),
        }),
        WireJson.Options);

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
            ? SendFileAsync(context, run, name)
            : throw new ApiException(404, "no_such_file", "the run has no such file (yet)");
    }

    /// <summary>Sends a file of a run. Its path is put together from the store's folder and a name of <see cref="RunFiles"/>; nothing of the client's is in it.</summary>
    public static async Task SendFileAsync(HttpContext context, Run run, string name)
    {
        FileStream file;
        try
        {
            file = new FileStream(Path.Combine(run.Folder, name), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16, useAsync: true);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw NotFound();
        }

        await using (file)
        {
            if (name == RunFiles.Report)
            {
                SecurityHeaders.AllowReport(context.Response);
            }

            context.Response.ContentType = RunFiles.MediaTypes[name];
            context.Response.ContentLength = file.Length;
            await file.CopyToAsync(context.Response.Body, context.RequestAborted);
        }
    }

    private Run Find(string id) => runs.Find(id) ?? throw NotFound();

    private static ApiException NotFound() => new(404, "no_such_run", "there is no such run (any more)");
}
