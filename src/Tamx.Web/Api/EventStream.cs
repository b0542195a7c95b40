using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Tamx.Web.Api;

/// <summary>Server-sent events as the answer of a request.</summary>
internal static class EventStream
{
    /// <summary>Whether a client asks for events rather than for a document.</summary>
    public static bool IsWanted(HttpRequest request) =>
        request.GetTypedHeaders().Accept.Any(type => type.MediaType.Equals("text/event-stream", StringComparison.OrdinalIgnoreCase) && type.Quality is not 0);

    public static async Task StartAsync(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await context.Response.StartAsync(context.RequestAborted);
    }

    /// <summary>Writes an event.</summary>
    /// <param name="response">The answer.</param>
    /// <param name="name">The event's name; null for data alone.</param>
    /// <param name="json">One line of JSON.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    public static async Task WriteAsync(HttpResponse response, string? name, ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        var head = name is null ? "data: " : $"event: {name}\ndata: ";
        await response.Body.WriteAsync(Encoding.UTF8.GetBytes(head), cancellationToken);
        await response.Body.WriteAsync(json, cancellationToken);
        await response.Body.WriteAsync("\n\n"u8.ToArray(), cancellationToken);
        await response.Body.FlushAsync(cancellationToken);
    }
}
