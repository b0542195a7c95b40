using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tamx.Web.Runs;

namespace Tamx.Web.Api;

/// <summary>Which code answers which address, and what every request goes through first.</summary>
internal static partial class Routes
{
    public static void AddServices(IServiceCollection services) => services.AddRoutingCore().AddCors();

    public static void Map(
        WebApplication app,
        ServerOptions options,
        ModelWorker worker,
        ConnectionLimit connections,
        string runFolder
    )
    {
        var metrics = new ServerMetrics();
        var guard = new RequestGuard(options);
        var runs = new RunStore(runFolder, options.Limits);
        var service = new RunService(options, worker, runs, metrics);
        app.Use(
            async (context, next) =>
            {
                using var request = connections.BeginRequest(context);
                await next(context);
            }
        );
        app.Use((context, next) => AnswerAsync(context, next, guard, metrics, options.Logger));
        if (options.AllowedOrigins.Count > 0)
        {
            app.UseCors(policy => Cors.Allow(policy, options.AllowedOrigins));
        }

        app.Use(
            (context, next) =>
            {
                guard.CheckKey(context.Request);
                return next(context);
            }
        );
        app.UseRouting();

        var status = new StatusApi(options, worker, service, metrics);
        app.MapGet("/health", status.Health);
        app.MapGet("/metrics", status.Metrics);
        app.MapGet("/api/config", status.Config);
        app.MapGet("/openapi.json", StatusApi.OpenApi);

        app.MapPost("/api/explain", new ExplainApi(options, service).PostAsync);

        var chat = new ChatApi(options, worker, service);
        app.MapPost("/v1/chat/completions", chat.PostAsync);
        app.MapGet("/v1/models", chat.Models);
        app.MapGet("/v1/models/{**id}", chat.Model);

        var runsApi = new RunsApi(options, runs);
        app.MapGet("/api/runs", runsApi.List);
        app.MapGet("/api/runs/{id}/{name}", runsApi.GetFileAsync);
        app.MapPost("/api/runs/{id}/stop", runsApi.Stop);
        app.MapDelete("/api/runs/{id}", runsApi.Delete);

        var page = new PageFiles(options.Times.Client);
        app.MapGet("/", page.SendAsync);
        app.MapGet("/assets/{**path}", page.SendAsync);
    }

    /// <summary>The frame of every answer: headers, checks, and errors as JSON.</summary>
    private static async Task AnswerAsync(
        HttpContext context,
        RequestDelegate next,
        RequestGuard guard,
        ServerMetrics metrics,
        ILogger logger
    )
    {
        SecurityHeaders.Set(context.Response);
        try
        {
            guard.CheckSource(context.Request);
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: 404 or 405 })
            {
                throw context.Response.StatusCode == 405
                    ? new ApiException(405, "wrong_method", "this address does not take that method")
                    : PageFiles.NotFound();
            }
        }
        catch (ApiException e)
        {
            await SendErrorAsync(context, e);
        }
        catch (Exception e)
            when (e is ClientStalledException
                || (e is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
            )
        {
            // Nobody is there to be told. The count of requests shows it.
            if (!context.Response.HasStarted)
            {
                context.Response.StatusCode = 499;
            }
        }
        catch (BadHttpRequestException e)
        {
            await SendErrorAsync(context, new ApiException(e.StatusCode, "invalid_request", e.Message));
        }
        catch (Exception e)
        {
            LogFault(logger, e, context.Request.Path.Value ?? "");
            await SendErrorAsync(
                context,
                new ApiException(500, "internal_error", "the server made a mistake; its log says which")
            );
        }
        finally
        {
            var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "none";
            metrics.AddRequest(route, context.Response.StatusCode);
        }
    }

    private static async Task SendErrorAsync(HttpContext context, ApiException error)
    {
        if (context.Response.HasStarted)
        {
            // The answer cannot be taken back; ending it in the middle tells the client.
            context.Abort();
            return;
        }

        context.Response.Clear();
        SecurityHeaders.Set(context.Response);
        context.Response.StatusCode = error.Status;
        if (error.RetryAfterSeconds is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        if (error.Status == 401)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
        }

        try
        {
            context.Response.ContentType = "application/json; charset=utf-8";
            await context.Response.Body.WriteAsync(error.Body, CancellationToken.None);
        }
        catch (IOException)
        {
            // The client is gone.
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} failed")]
    private static partial void LogFault(ILogger logger, Exception fault, string path);
}
