using Tamx.Llama.Capture;
using Tamx.Llama.Gguf;
using Tamx.Llama.Interop;

namespace Tamx.Llama;

/// <summary>Decodes a prompt and its answer in batches, and keeps the hidden state of each position.</summary>
/// <remarks>Used by one caller at a time. The hidden states outlive disposal.</remarks>
internal sealed class SequenceDecoder : IDisposable
{
    /// <summary>Bytes of attention that one decode may capture.</summary>
    private const long MaxAttentionBytes = 256 << 20;

    private readonly int _contextSize;
    private readonly int _hiddenSize;
    private readonly bool _captures;
    private readonly float[] _hiddenStates;
    private readonly VisionLanguageModel _model;
    private readonly int _promptLength;
    private readonly Dictionary<int, float[]> _residuals;
    private readonly DecoderShape _shape;
    private readonly List<DecodedChunk> _chunks = [];

    /// <summary>What an earlier prompt left, for as long as this one begins the same.</summary>
    private KeptPrompt? _kept;
    private int _released;

    /// <param name="model">The model.</param>
    /// <param name="options">Batches and capture.</param>
    /// <param name="contextSize">Tokens that the context holds.</param>
    /// <param name="promptLength">Tokens of the prompt. Its last predicts the answer's first.</param>
    /// <param name="capacity">Most tokens that are decoded.</param>
    /// <param name="cancelled">The call in progress, and every later one, ends when it is not 0.</param>
    /// <param name="kept">What an earlier prompt left, which goes with the decoder; null for nothing.</param>
    /// <exception cref="LlamaException">There is not enough memory.</exception>
    public SequenceDecoder(
        VisionLanguageModel model,
        CompletionOptions options,
        int contextSize,
        int promptLength,
        int capacity,
        UnmanagedState<int> cancelled,
        KeptPrompt? kept = null
    )
    {
        _captures = options.CaptureHiddenStates;
        BatchSize = Math.Min(_captures ? CapturingBatchSize(model, options.BatchSize) : options.BatchSize, contextSize);
        _shape = new DecoderShape(
            model,
            BatchSize,
            options.PreciseCache,
            _captures,
            options.CaptureAttention,
            string.Join(',', options.Layers)
        );
        if (kept is null || !kept.Serves(_shape, contextSize))
        {
            // There may be no room for two contexts.
            kept?.Dispose();
            kept = null;
            LlamaRuntime.RequireContextMemory(model.Options, model.Facts, contextSize, options.PreciseCache);
        }

        RequireCaptureMemory(model.Facts, options, capacity);
        _model = model;
        _promptLength = promptLength;
        _contextSize = contextSize;
        _hiddenSize = model.Facts.HiddenSize;
        _hiddenStates = _captures ? new float[checked(capacity * _hiddenSize)] : [];
        _residuals = (_captures ? options.Layers : []).ToDictionary(
            layer => layer,
            _ => new float[checked(capacity * _hiddenSize)]
        );
        Attention = _captures && options.CaptureAttention ? new CapturedAttention(model.Facts, capacity) : null;
        if (kept is not null)
        {
            _kept = kept;
            Context = kept.Context;
            Context.Attach(cancelled);
            return;
        }

        var mostTogether = model.Vision is { IsCausal: false }
            ? model.Options.ImageTokenBounds(model.Projector!).Most
            : 0;
        try
        {
            Context = new LlamaContext(
                model.Model,
                contextSize,
                Math.Max(BatchSize, mostTogether),
                model.Options.ThreadCount,
                options.PreciseCache,
                _captures,
                cancelled,
                Attention is not null
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

    /// <summary>Tokens of the prompt that an earlier one left.</summary>
    public int TakenOverCount { get; private set; }

    /// <summary>Rows of <see cref="HiddenStates"/>: one for each token decoded, or none without capture.</summary>
    public int RowCount => _captures ? Count : 0;

    /// <summary>Hidden states [<see cref="RowCount"/>, hidden size].</summary>
    public ReadOnlyMemory<float> HiddenStates => _hiddenStates.AsMemory(0, RowCount * _hiddenSize);

    /// <summary>What attention read; null where it is not captured.</summary>
    public CapturedAttention? Attention { get; }

    /// <summary>The residual stream after a layer that is captured [<see cref="RowCount"/>, hidden size].</summary>
    public ReadOnlyMemory<float> ResidualOf(int layer) => _residuals[layer].AsMemory(0, RowCount * _hiddenSize);

    /// <summary>Most tokens of a given answer that are decoded together: their attention takes memory.</summary>
    public int AnswerBatchSize =>
        Attention is null
            ? BatchSize
            : (int)Math.Clamp(MaxAttentionBytes / CapturedAttention.RowBytes(_model.Facts, Count), 1, BatchSize);

    /// <summary>Begins a chunk of the prompt. It need not be decoded if an earlier prompt left it.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="digest">Tells its text or pixels from others (<see cref="DecodedChunk.DigestOf"/>).</param>
    /// <param name="endsPrompt">Whether it is the last, which needs logits.</param>
    /// <returns>Whether it is there, rows and all.</returns>
    public bool TryTakeOver(PromptChunk chunk, string digest, bool endsPrompt)
    {
        var index = _chunks.Count;
        var there = index < _kept?.Chunks.Count ? _kept.Chunks[index] : null;
        if (there is not null && !endsPrompt && there.Chunk == chunk && there.Digest == digest)
        {
            foreach (var (own, kept) in Rows().Zip(_kept!.Rows))
            {
                kept.Values.AsSpan(Count * own.Size, chunk.TokenCount * own.Size)
                    .CopyTo(own.Values.AsSpan(Count * own.Size));
            }

            _chunks.Add(there);
            Count += chunk.TokenCount;
            TakenOverCount = Count;
            return true;
        }

        _kept = null;
        if (there is not null && !Context.TryGoBack(there.NextPosition, there.FirstPosition))
        {
            throw new LlamaException("the context that was kept cannot go back to where the prompts differ");
        }

        _chunks.Add(new DecodedChunk(chunk, digest, Context.NextPosition));
        return false;
    }

    /// <summary>Gives the context away, and what it holds of the prompt.</summary>
    /// <returns>Null if it was given away or disposed before, or if it is of no use any more.</returns>
    public KeptPrompt? Release()
    {
        if (Interlocked.Exchange(ref _released, 1) != 0)
        {
            return null;
        }

        if (!Context.HasFiniteLogits())
        {
            // What is not finite would reach later answers from behind the mask: 0 times infinity is no number.
            Context.Dispose();
            return null;
        }

        // The last chunk is never taken over. A recurrent state cannot go back.
        Context.Attach(null);
        var last = _chunks[^1];
        IReadOnlyList<DecodedChunk> chunks = _chunks[..^1];
        if (!Context.TryGoBack(last.NextPosition, last.FirstPosition))
        {
            Context.Clear();
            chunks = [];
        }

        return new KeptPrompt(Context, _shape, Context.Size, chunks, [.. Rows()]);
    }

    /// <summary>Decodes the cells of a temporal patch.</summary>
    /// <param name="patch">The patch.</param>
    /// <param name="embeddings">Its cells' embeddings.</param>
    /// <param name="onBatch">Called after each batch.</param>
    /// <exception cref="InvalidInputException">The context is full.</exception>
    public void Decode(PatchChunk patch, ReadOnlySpan<float> embeddings, Action onBatch)
    {
        for (var first = 0; first < patch.TokenCount; )
        {
            var count = patch.IsCausal ? Math.Min(BatchSize, patch.TokenCount - first) : patch.TokenCount;
            var targets = TargetsOf(count, predicting: null);
            RequireRoom(Context.TryDecode(patch, embeddings, first, count, NextRows(count), targets));
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
        var predicting = PredictingRows(tokens);
        if (!Context.TryDecode(tokens, logits, NextRows(tokens.Length), TargetsOf(tokens.Length, predicting)))
        {
            return false;
        }

        Count += tokens.Length;
        if (predicting is not null)
        {
            foreach (var (layer, residual) in _residuals)
            {
                // The graph's tensor went to the rows of all positions.
                residual
                    .AsSpan(predicting.FirstPosition * _hiddenSize, predicting.Count * _hiddenSize)
                    .CopyTo(predicting.Residuals[layer]);
            }

            Attention!.Add(predicting);
        }

        return true;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _released, 1) == 0)
        {
            Context.Dispose();
        }
    }

    /// <summary>All that is captured of every position.</summary>
    private IEnumerable<PositionRows> Rows() =>
        _captures
            ?
            [
                new PositionRows(_hiddenStates, _hiddenSize),
                .. _residuals.Values.Select(residual => new PositionRows(residual, _hiddenSize)),
                .. Attention?.ValueRows ?? [],
            ]
            : [];

    /// <summary>Room for the attention of those of the next tokens that predict one of the answer.</summary>
    private AttentionRows? PredictingRows(ReadOnlySpan<int> tokens)
    {
        var first = Math.Max(Count, _promptLength - 1);
        var count = Count + tokens.Length - first;
        return Attention is null || count <= 0
            ? null
            : new AttentionRows(_model.Facts, first, count, _model.InputEmbedding.Read(tokens[^count..]));
    }

    private List<CaptureTarget> TargetsOf(int count, AttentionRows? predicting)
    {
        List<CaptureTarget> targets = [];
        foreach (var (layer, rows) in _residuals)
        {
            var next = rows.AsMemory(Count * _hiddenSize, count * _hiddenSize);
            targets.Add(new CaptureTarget(LayerTensor.Residual, layer, next, 0, _hiddenSize));
        }

        targets.AddRange(
            (Attention?.TargetsOf(Count, count, predicting) ?? []).Where(target =>
                target.Tensor != LayerTensor.Residual || !_residuals.ContainsKey(target.Layer)
            )
        );
        return targets;
    }

    private static void RequireCaptureMemory(ModelFacts facts, CompletionOptions options, int capacity)
    {
        var captured = MemoryEstimate.CaptureBytes(facts, options, capacity);
        var machine = MemoryEstimate.MachineBytes;
        if (captured > machine / 4 * 3)
        {
            throw InvalidInputException.Naming(
                $"the layers captured of {capacity} tokens take {captured / 1e6:F0} MB, and there are {machine / 1_000_000} here; capture fewer layers ({Settings.Layers}) or use a smaller context ({Settings.ContextSize})"
            );
        }
    }

    /// <summary>
    /// With capture every token is an output, and llama.cpp keeps the logits of all, twice, though the graph ends
    /// before them. On the CPU more than some 32 tokens at a time gain little over what that memory costs.
    /// </summary>
    private static int CapturingBatchSize(VisionLanguageModel model, int most)
    {
        const int LeastTokens = 32;
        const long MostLogitBytes = 32 << 20;
        var tokenBytes = 2L * sizeof(float) * model.Facts.VocabularySize;
        return model.Options.LayersOnGpu(model.Facts) > 0
            ? most
            : (int)Math.Min(most, Math.Max(LeastTokens, MostLogitBytes / tokenBytes));
    }

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
