using Tamx.Llama.Interop;

namespace Tamx.Llama;

/// <summary>Decodes a prompt and its answer in batches, and keeps the hidden state of each position.</summary>
/// <remarks>Used by one caller at a time. The hidden states outlive disposal.</remarks>
internal sealed class SequenceDecoder : IDisposable
{
    private readonly int _contextSize;
    private readonly int _hiddenSize;
    private readonly bool _captures;
    private readonly float[] _hiddenStates;

    /// <param name="model">The model.</param>
    /// <param name="options">Batches and capture.</param>
    /// <param name="contextSize">Tokens that the context holds.</param>
    /// <param name="capacity">Most tokens that are decoded.</param>
    /// <param name="cancelled">The call in progress, and every later one, ends when it is not 0.</param>
    /// <exception cref="LlamaException">There is not enough memory.</exception>
    public SequenceDecoder(
        VisionLanguageModel model,
        CompletionOptions options,
        int contextSize,
        int capacity,
        UnmanagedState<int> cancelled
    )
    {
        LlamaRuntime.RequireContextMemory(model.Options, model.Facts, contextSize, options.PreciseCache);
        _contextSize = contextSize;
        _captures = options.CaptureHiddenStates;
        _hiddenSize = model.Facts.HiddenSize;
        _hiddenStates = _captures ? new float[checked(capacity * _hiddenSize)] : [];
        BatchSize = Math.Min(options.BatchSize, contextSize);
        try
        {
            Context = new LlamaContext(
                model.Model,
                contextSize,
                BatchSize,
                model.Options.ThreadCount,
                options.PreciseCache,
                _captures,
                cancelled
            );
        }
        catch (LlamaException e) when (LlamaRuntime.DescribeGpuMemory(model.Options) is { Format.Length: > 0 } memory)
        {
            throw LlamaException.Naming($"{e.Message}{memory}", e);
        }
    }

    /// <summary>The context, with the logits of the last decode.</summary>
    public LlamaContext Context { get; }

    /// <summary>Most tokens of a decode.</summary>
    public int BatchSize { get; }

    /// <summary>Tokens decoded so far.</summary>
    public int Count { get; private set; }

    /// <summary>Rows of <see cref="HiddenStates"/>: one for each token decoded, or none without capture.</summary>
    public int RowCount => _captures ? Count : 0;

    /// <summary>Hidden states [<see cref="RowCount"/>, hidden size].</summary>
    public ReadOnlyMemory<float> HiddenStates => _hiddenStates.AsMemory(0, RowCount * _hiddenSize);

    /// <summary>Decodes the cells of a temporal patch.</summary>
    /// <param name="patch">The patch.</param>
    /// <param name="embeddings">Its cells' embeddings.</param>
    /// <param name="onBatch">Called after each batch.</param>
    /// <exception cref="InvalidInputException">The context is full.</exception>
    public void Decode(PatchChunk patch, ReadOnlySpan<float> embeddings, Action onBatch)
    {
        for (var first = 0; first < patch.TokenCount; )
        {
            var count = Math.Min(BatchSize, patch.TokenCount - first);
            RequireRoom(Context.TryDecode(patch, embeddings, first, count, NextRows(count)));
            first += count;
            Count += count;
            onBatch();
        }
    }

    /// <summary>Decodes text of the prompt.</summary>
    /// <param name="tokens">Its token ids.</param>
    /// <param name="endsPrompt">Whether the prompt ends with it; its last token then gets logits.</param>
    /// <param name="onBatch">Called after each batch.</param>
    /// <exception cref="InvalidInputException">The context is full.</exception>
    public void Decode(ReadOnlySpan<int> tokens, bool endsPrompt, Action onBatch)
    {
        // Only the answer's first step needs logits. With capture, the product with the output embedding is as large as
        // the batch, so the prompt's end goes by itself. It is some tokens long: a pass over all weights for two tokens
        // costs more than that product for a question.
        const int EndLength = 32;
        var endLength = _captures ? Math.Min(EndLength, BatchSize) : BatchSize;
        while (!tokens.IsEmpty)
        {
            var isEnd = endsPrompt && tokens.Length <= endLength;
            var count = Math.Min(BatchSize, endsPrompt && !isEnd ? tokens.Length - endLength : tokens.Length);
            RequireRoom(TryDecode(tokens[..count], isEnd ? LogitRows.Last : LogitRows.None));
            tokens = tokens[count..];
            onBatch();
        }
    }

    /// <summary>Decodes one batch of text tokens.</summary>
    /// <param name="tokens">Their ids.</param>
    /// <param name="logits">Which of them get logits.</param>
    /// <returns>False if the context is full.</returns>
    public bool TryDecode(ReadOnlySpan<int> tokens, LogitRows logits)
    {
        if (!Context.TryDecode(tokens, logits, NextRows(tokens.Length)))
        {
            return false;
        }

        Count += tokens.Length;
        return true;
    }

    public void Dispose() => Context.Dispose();

    private Span<float> NextRows(int count) =>
        _captures ? _hiddenStates.AsSpan(Count * _hiddenSize, count * _hiddenSize) : [];

    private void RequireRoom(bool hasRoom)
    {
        if (!hasRoom)
        {
            throw InvalidInputException.Naming(
                $"the context of {_contextSize} tokens is full; use a larger context ({Settings.ContextSize})"
            );
        }
    }
}
