using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Tamx.Web.Api;

/// <summary>
/// A request's answer as server-sent events. It begins with the first of them. After a while without one it writes a
/// comment, so that no proxy takes it for dead.
/// </summary>
internal sealed class EventStream : IAsyncDisposable
{
    private const string MediaType = "text/event-stream";

    private readonly HttpContext _context;
    private readonly ClientWriter _client;
    private readonly PeriodicTimer _timer;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly Task _keepingAlive;
    private bool _hasWritten;

    /// <param name="context">The request.</param>
    /// <param name="options">After how long without an event a comment is written; how long a client may take none.</param>
    public EventStream(HttpContext context, ServerOptions options)
    {
        _context = context;
        _client = new ClientWriter(context, options.Times.Client);
        _timer = new PeriodicTimer(options.LongestSilence);
        _keepingAlive = KeepAliveAsync();
    }

    /// <summary>Whether a client asks for events rather than for a document.</summary>
    public static bool IsWanted(HttpRequest request) =>
        request
            .GetTypedHeaders()
            .Accept.Any(type =>
                type.MediaType.Equals(MediaType, StringComparison.OrdinalIgnoreCase) && type.Quality is not 0
            );

    /// <summary>Writes an event.</summary>
    /// <param name="name">The event's name; null for data alone.</param>
    /// <param name="json">One line of JSON.</param>
    /// <exception cref="ClientStalledException">The client took nothing for too long; it is ended.</exception>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    public Task WriteAsync(string? name, ReadOnlyMemory<byte> json)
    {
        _hasWritten = true;
        var head = name is null ? "data: " : $"event: {name}\ndata: ";
        return SendAsync([Encoding.UTF8.GetBytes(head), json, "\n\n"u8.ToArray()]);
    }

    /// <summary>Ends a stream that has not begun, so that the request can be answered otherwise.</summary>
    /// <returns>False if it has begun.</returns>
    public async Task<bool> TryWithdrawAsync()
    {
        _timer.Dispose();
        await _keepingAlive;
        return !_context.Response.HasStarted;
    }

    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _keepingAlive;
        _writing.Dispose();
    }

    private async Task SendAsync(ReadOnlyMemory<byte>[] parts)
    {
        var gone = _context.RequestAborted;
        await _writing.WaitAsync(gone);
        try
        {
            if (!_context.Response.HasStarted)
            {
                _context.Response.ContentType = MediaType;
                _context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
                await _context.Response.StartAsync(gone);
            }

            foreach (var part in parts)
            {
                await _client.WriteAsync(part);
            }
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task KeepAliveAsync()
    {
        try
        {
            while (await _timer.WaitForNextTickAsync(_context.RequestAborted))
            {
                if (!Interlocked.Exchange(ref _hasWritten, false))
                {
                    await SendAsync([": still there\n\n"u8.ToArray()]);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client is gone. The next event that is written finds out.
        }
    }
}
