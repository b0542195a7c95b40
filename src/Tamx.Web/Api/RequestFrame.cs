using System.Globalization;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Tamx.Web.Api;

/// <summary>The frame of every answer: headers, checks, and errors as JSON.</summary>
internal sealed partial class RequestFrame(
    ServerOptions options,
    RequestGuard guard,
    ServerMetrics metrics,
    ICorsService cors,
    ILoggerFactory loggers
)
{
    private readonly ILogger _logger = loggers.CreateLogger(LogCategories.Server);

    private readonly CorsPolicy? _crossOrigin =
        options.AllowedOrigins.Count > 0 ? Cors.PolicyFor(options.AllowedOrigins) : null;

    /// <summary>What answers a request, with what every request goes through first.</summary>
    /// <param name="answer">What answers it.</param>
    /// <param name="prefix">The path that comes before the routes. Within the frame it belongs to the base.</param>
    /// <param name="route">The route's name among the metrics.</param>
    public RequestDelegate Around(RequestDelegate answer, string prefix, string route) =>
        async context =>
        {
            var request = context.Request;
            var (path, pathBase) = (request.Path, request.PathBase);
            request.PathBase = pathBase.Add(path.Value![..prefix.Length]);
            request.Path = path.Value[prefix.Length..];
            SecurityHeaders.Set(context.Response);
            try
            {
                if (!Admit(context))
                {
                    await answer(context);
                }
            }
            catch (ApiException e)
            {
                await SendErrorAsync(context, e);
            }
            catch (Exception e)
                when (e is ClientStalledException
                    || (
                        e is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested
                    )
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
                LogFault(_logger, e, path.Value);
                await SendErrorAsync(
                    context,
                    new ApiException(500, "internal_error", "the server made a mistake; its log says which")
                );
            }
            finally
            {
                metrics.AddRequest(route, context.Response.StatusCode);
                (request.Path, request.PathBase) = (path, pathBase);
            }
        };

    /// <summary>Refuses who may not ask.</summary>
    /// <returns>Whether it is answered already: a browser's question before a request of another page.</returns>
    /// <exception cref="ApiException">401 or 403.</exception>
    private bool Admit(HttpContext context)
    {
        guard.CheckSource(context.Request);
        if (_crossOrigin is not null)
        {
            var result = cors.EvaluatePolicy(context, _crossOrigin);
            if (result.IsPreflightRequest)
            {
                cors.ApplyResult(result, context.Response);
                context.Response.StatusCode = StatusCodes.Status204NoContent;
                return true;
            }

            // An error's answer begins anew.
            context.Response.OnStarting(() =>
            {
                cors.ApplyResult(result, context.Response);
                return Task.CompletedTask;
            });
        }

        guard.CheckKey(context.Request);
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = options.Limits.MaxBodyBytes;
        }

        return false;
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

    [LoggerMessage(EventId = 1, EventName = "RequestFailed", Level = LogLevel.Error, Message = "{Path} failed")]
    private static partial void LogFault(ILogger logger, Exception fault, string path);
}
