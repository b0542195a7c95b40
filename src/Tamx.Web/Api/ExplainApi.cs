using Microsoft.AspNetCore.Http;
using Tamx.Web.Requests;
using Tamx.Web.Runs;
using Tamx.Web.Wire;

namespace Tamx.Web.Api;

/// <summary><c>POST /api/explain</c>: events while the answer is written, or the maps as one document.</summary>
internal sealed class ExplainApi(ServerOptions options, RunService service)
{
    /// <summary>The header that names the run where the answer is a document.</summary>
    public const string RunHeader = "Tamx-Run";

    public async Task PostAsync(HttpContext context)
    {
        using var place = service.Queue.Enter();
        ParsedRequest request;
        using (var body = await RequestBody.ReadAsync(context.Request, options.Limits, place, context.RequestAborted))
        {
            request = body.Interpret(ExplainRequestReader.Read, options.Limits);
        }

        if (EventStream.IsWanted(context.Request))
        {
            await StreamAsync(context, request, place);
            return;
        }

        var (run, _) = await service.RunAsync(request, place, (_, _) => Task.CompletedTask, context.RequestAborted);
        context.Response.Headers[RunHeader] = run.Id;
        await RunsApi.SendFileAsync(context, run, RunFiles.Maps, options.Times.Client);
    }

    private async Task StreamAsync(HttpContext context, ParsedRequest request, ModelQueue.Place place)
    {
        await using var events = new EventStream(context, options);
        try
        {
            var (run, done) = await service.RunAsync(request, place, SendAsync, context.RequestAborted);
            await SendAsync(
                "done",
                WireJson.Bytes(
                    new
                    {
                        run = run.Id,
                        done.Answer,
                        done.Thought,
                        done.StopReason,
                        done.WasStopped,
                        done.PromptTokens,
                        done.AnswerTokens,
                        done.Seconds,
                        done.Calibration,
                        done.RegionChanges,
                    }
                )
            );
        }
        catch (ApiException e)
        {
            await SendAsync("error", e.Body);
        }

        // A token's event comes with its maps.
        Task SendAsync(string name, byte[] json) =>
            name == "written" ? Task.CompletedTask : events.WriteAsync(name, json);
    }
}
