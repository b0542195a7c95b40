namespace Tamx.Llama;

/// <summary>
/// Keeps what the last completion computed of its prompt, for the next: where both prompts begin the same (the same
/// text, then the same pictures), only the rest is computed. Several questions about one picture, one after another,
/// then cost its encoding and decoding once.
/// </summary>
/// <remarks>
/// <para>
/// Completions whose <see cref="CompletionOptions.PromptCache"/> it is take from it when they compute their prompt, and
/// leave theirs when they are disposed. What they give is bit for bit what it is without. Prompts are shared by whole
/// chunks: the text up to a picture, a picture, a video's temporal patch; never the text after the last of them. Model,
/// batches, precision and what is captured must be the same. Pictures are the same if their pixels are.
/// </para>
/// <para>
/// It holds the keys and values of one context and the hidden states of one prompt, until it is disposed. Safe to use
/// from several threads: of two completions at once one finds nothing. Models whose layers have a recurrent state
/// (Qwen3.5) cannot go back in it, so that their prompts are computed whole.
/// </para>
/// </remarks>
public sealed class PromptCache : IDisposable
{
    private KeptPrompt? _kept;
    private volatile bool _disposed;

    /// <summary>Frees what it holds. Completions that use it go on, and leave nothing any more.</summary>
    public void Dispose()
    {
        _disposed = true;
        Take()?.Dispose();
    }

    /// <summary>What the last completion left, which is then the caller's.</summary>
    internal KeptPrompt? Take() => Interlocked.Exchange(ref _kept, null);

    /// <summary>Takes over what a completion leaves, in the place of what was there.</summary>
    internal void Keep(KeptPrompt kept)
    {
        Interlocked.Exchange(ref _kept, kept)?.Dispose();
        if (_disposed)
        {
            Take()?.Dispose();
        }
    }
}
