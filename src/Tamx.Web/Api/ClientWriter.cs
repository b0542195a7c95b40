using Microsoft.AspNetCore.Http;

namespace Tamx.Web.Api;

/// <summary>Writes an answer's body piece by piece. A client that does not take a piece in time is ended.</summary>
/// <remarks>
/// The framework's own limit is a rate over all that was written: whoever took much quickly may then take nothing for
/// hours.
/// </remarks>
/// <param name="context">The request.</param>
/// <param name="patience">How long to wait for the client.</param>
internal sealed class ClientWriter(HttpContext context, TimeSpan patience)
{
    private const int PieceSize = 16 << 10;

    /// <exception cref="ClientStalledException">The client took nothing for too long; it is ended.</exception>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    public async Task WriteAsync(ReadOnlyMemory<byte> content)
    {
        for (; content.Length > PieceSize; content = content[PieceSize..])
        {
            await WritePieceAsync(content[..PieceSize]);
        }

        await WritePieceAsync(content);
    }

    /// <summary>Writes all of a stream.</summary>
    /// <inheritdoc cref="WriteAsync"/>
    public async Task CopyAsync(Stream content)
    {
        var buffer = new byte[PieceSize];
        while (await content.ReadAsync(buffer, context.RequestAborted) is > 0 and var count)
        {
            await WritePieceAsync(buffer.AsMemory(0, count));
        }
    }

    private async Task WritePieceAsync(ReadOnlyMemory<byte> piece)
    {
        var gone = context.RequestAborted;
        try
        {
            await context.Response.Body.WriteAsync(piece, gone).AsTask().WaitAsync(patience, gone);
            await context.Response.Body.FlushAsync(gone).WaitAsync(patience, gone);
        }
        catch (TimeoutException)
        {
            context.Abort();
            throw new ClientStalledException();
        }
    }
}

/// <summary>A client took nothing of its answer for too long, and was ended.</summary>
internal sealed class ClientStalledException() : IOException("the client took nothing of its answer for too long");
