using System.Runtime.InteropServices;

namespace Tamx.Llama;

/// <summary>A part of the prompt that is decoded by itself.</summary>
internal abstract record PromptChunk
{
    /// <summary>Tokens of the chunk: text tokens, or cells.</summary>
    public abstract int TokenCount { get; }
}

/// <summary>A run of text tokens.</summary>
internal sealed record TextChunk : PromptChunk
{
    /// <summary>Their ids.</summary>
    public List<int> Tokens { get; } = [];

    /// <inheritdoc/>
    public override int TokenCount => Tokens.Count;
}

/// <summary>The cells of one temporal patch: of a picture, which is one, or of a video.</summary>
/// <param name="Width">Width of a frame in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Columns">Cells per row.</param>
/// <param name="Rows">Rows of cells.</param>
/// <param name="Time">Where it lies on M-RoPE's time axis, from the start of its block, whose first patch is at 0.</param>
/// <param name="EndsBlock">Whether it is the last of its block.</param>
internal sealed record PatchChunk(int Width, int Height, int Columns, int Rows, int Time, bool EndsBlock) : PromptChunk
{
    /// <inheritdoc/>
    public override int TokenCount => Columns * Rows;
}

/// <summary>The prompt as a sequence of chunks: text, and the temporal patches of pictures and videos, in order.</summary>
internal sealed class PromptChunks
{
    private readonly List<PromptChunk> _chunks = [];

    public int Count => _chunks.Count;

    public PromptChunk this[int index] => _chunks[index];

    /// <summary>Adds text. Text next to text is one chunk, as if it had been added at once.</summary>
    public void AddText(ReadOnlySpan<int> tokens)
    {
        if (tokens.IsEmpty)
        {
            return;
        }

        if (_chunks is not [.., TextChunk last])
        {
            last = new TextChunk();
            _chunks.Add(last);
        }

        last.Tokens.AddRange(tokens);
    }

    /// <summary>Adds a vision block with the markers around it.</summary>
    /// <param name="width">Width of its frames in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="grid">The cells and markers of a patch of that size.</param>
    /// <param name="times">Where each temporal patch lies on M-RoPE's time axis: strictly ascending from 0.</param>
    public void AddBlock(int width, int height, VisionGrid grid, ReadOnlySpan<int> times)
    {
        AddText(grid.Before);
        for (var i = 0; i < times.Length; i++)
        {
            _chunks.Add(new PatchChunk(width, height, grid.Columns, grid.Rows, times[i], EndsBlock: i == times.Length - 1));
        }

        AddText(grid.After);
    }

    /// <summary>A part of a text chunk's ids.</summary>
    public static ReadOnlySpan<int> Slice(TextChunk chunk, int first, int count) => CollectionsMarshal.AsSpan(chunk.Tokens).Slice(first, count);
}
