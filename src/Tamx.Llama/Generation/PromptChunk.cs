namespace Tamx.Llama;

/// <summary>A part of the prompt that is decoded by itself.</summary>
/// <param name="TokenCount">Tokens of the chunk: text tokens, or cells.</param>
internal abstract record PromptChunk(int TokenCount);

/// <summary>A run of text tokens, as long as can be: text next to text is one chunk.</summary>
/// <param name="TokenCount">How many.</param>
internal sealed record TextChunk(int TokenCount) : PromptChunk(TokenCount);

/// <summary>The cells of one temporal patch, of a picture (which is one patch) or of a video.</summary>
/// <param name="Width">Width of a frame in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Columns">Cells per row.</param>
/// <param name="Rows">Rows of cells.</param>
/// <param name="Time">Its place on M-RoPE's time axis. The first patch of a block is at 0.</param>
/// <param name="EndsBlock">Whether it is the last of its block.</param>
/// <param name="UsesMrope">
/// Whether its cells lie on M-RoPE's axes; else each has the position after the one before it.
/// </param>
/// <param name="IsCausal">
/// Whether a cell sees those before it alone; else all see each other, and are decoded together.
/// </param>
/// <param name="HasRowEnds">Whether a token that is no cell follows each row but the last.</param>
internal sealed record PatchChunk(
    int Width,
    int Height,
    int Columns,
    int Rows,
    int Time,
    bool EndsBlock,
    bool UsesMrope = true,
    bool IsCausal = true,
    bool HasRowEnds = false
) : PromptChunk((Columns * Rows) + (HasRowEnds ? Rows - 1 : 0));
