using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Tamx.Web.Runs;

namespace Tamx.Web.Api;

/// <summary>Which code answers which address.</summary>
internal sealed class Routes(
    ServerOptions options,
    ModelWorker worker,
    RunStore runs,
    RunService service,
    ServerMetrics metrics,
    RequestFrame frame
)
{
    private const string Everything = "/{**path}";

    /// <summary>Maps all addresses below a path.</summary>
    /// <param name="endpoints">The application's.</param>
    /// <param name="prefix">The path: <c>/tamx</c>, or empty.</param>
    public RouteGroupBuilder Map(IEndpointRouteBuilder endpoints, string prefix)
    {
        var group = endpoints.MapGroup(prefix);
        var status = new StatusApi(options, worker, service, metrics);
        Add("GET", "/health", status.Health);
        Add("GET", "/metrics", status.Metrics);
        Add("GET", "/api/config", status.Config);
        Add("GET", "/openapi.json", StatusApi.OpenApi);

        Add("POST", "/api/explain", new ExplainApi(options, service).PostAsync);

        var chat = new ChatApi(options, worker, service);
        Add("POST", "/v1/chat/completions", chat.PostAsync);
        Add("GET", "/v1/models", chat.Models);
        Add("GET", "/v1/models/{**id}", chat.Model);

        var runsApi = new RunsApi(options, runs);
        Add("GET", "/api/runs", runsApi.List);
        Add("GET", "/api/runs/{id}/{name}", runsApi.GetFileAsync);
        Add("POST", "/api/runs/{id}/stop", runsApi.Stop);
        Add("DELETE", "/api/runs/{id}", runsApi.Delete);

        var page = new PageFiles(options.Times.Client);
        Add("GET", "/", page.SendAsync);
        Add("GET", "/assets/{**path}", page.SendAsync);

        // After all that the application has itself.
        var rest = group.Map(Everything, (Action)(() => throw PageFiles.NotFound()));
        rest.Add(endpoint => ((RouteEndpointBuilder)endpoint).Order = int.MaxValue);
        ((IEndpointConventionBuilder)group).Finally(endpoint =>
        {
            var pattern = ((RouteEndpointBuilder)endpoint).RoutePattern.RawText![prefix.Length..];
            endpoint.RequestDelegate = frame.Around(
                endpoint.RequestDelegate!,
                prefix,
                pattern == Everything ? "none" : pattern
            );
        });
        return group;

        // The framework's answer to a wrong method would be outside of the frame.
        void Add(string method, string pattern, Delegate handler)
        {
            group.MapMethods(pattern, [method], handler);
            group.Map(
                pattern,
                (Action)(() => throw new ApiException(405, "wrong_method", "this address does not take that method"))
            );
        }
    }
}
