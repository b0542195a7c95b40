using Tamx.Web.Wire;

namespace Tamx.Web.Worker;

/// <summary>Sends the tokens of an answer while it is written.</summary>
internal static class TokenFrames
{
    /// <summary>Follows an answer to its end, or until no more tokens are wanted.</summary>
    /// <param name="frames">Where it says that it was stopped.</param>
    /// <param name="tokens">The answer.</param>
    /// <param name="write">Sends a token.</param>
    /// <param name="cancel">Cancelled when nothing at all is wanted.</param>
    /// <returns>Whether it was stopped after its first token.</returns>
    public static async Task<bool> FollowAsync<T>(
        this FrameStream frames,
        IAsyncEnumerable<T> tokens,
        Action<T> write,
        CancellationToken cancel
    )
    {
        var hasTokens = false;
        try
        {
            await foreach (var token in tokens)
            {
                write(token);
                hasTokens = true;
            }

            return false;
        }
        catch (OperationCanceledException) when (hasTokens && !cancel.IsCancellationRequested)
        {
            frames.Write(FrameKind.Stopped, WireJson.Bytes(true));
            return true;
        }
    }
}
