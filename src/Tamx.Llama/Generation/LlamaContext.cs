using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LLama.Native;
using Tamx.Llama.Capture;
using Tamx.Llama.Interop;

namespace Tamx.Llama;

/// <summary>Which tokens of a decode get logits.</summary>
internal enum LogitRows
{
    /// <summary>None. With capture the graph then ends before the product with the output embedding.</summary>
    None,

    /// <summary>The last. (With capture all tokens are outputs of llama.cpp.)</summary>
    Last,

    /// <summary>All.</summary>
    All,
}

/// <summary>
/// A llama.cpp context: keys and values of one sequence, its next position, the last decode's logits.
/// </summary>
/// <remarks>
/// Used by one caller at a time. Another may dispose it; the call in progress then ends. Several contexts can compute
/// at once: nothing is locked for the whole process.
/// </remarks>
internal sealed unsafe class LlamaContext : IDisposable
{
    private readonly SafeLLamaContextHandle _handle;
    private readonly LlamaModel _model;
    private readonly GraphCapture? _capture;
    private UnmanagedState<int> _cancelled;
    private readonly int _batchSize;
    private int _blockStart;
    private int _logitRowCount;
    private bool _isCausal = true;

    /// <param name="model">The model.</param>
    /// <param name="contextSize">Tokens the sequence can have.</param>
    /// <param name="batchSize">Most tokens of a decode.</param>
    /// <param name="threadCount">Threads that compute.</param>
    /// <param name="isPrecise">Whether to keep keys and values in float32 and use plain attention.</param>
    /// <param name="captures">Whether decodes give hidden states.</param>
    /// <param name="cancelled">Not 0 to end the call in progress and every later one. Must outlive the context.</param>
    /// <param name="showsAttention">Whether the graph has attention weights to capture: no flash attention.</param>
    /// <exception cref="LlamaException">There is not enough memory.</exception>
    public LlamaContext(
        LlamaModel model,
        int contextSize,
        int batchSize,
        int threadCount,
        bool isPrecise,
        bool captures,
        UnmanagedState<int> cancelled,
        bool showsAttention = false
    )
    {
        // The model may be disposed meanwhile, and LLamaSharp refers to it only once the context is made.
        using var lease = new HandleLease(model.Handle);
        _model = model;
        Size = contextSize;
        _batchSize = Math.Min(batchSize, contextSize);
        _cancelled = cancelled;
        var parameters = LLamaContextParams.Default();
        parameters.n_ctx = (uint)contextSize;
        parameters.n_batch = (uint)_batchSize;
        parameters.n_ubatch = (uint)_batchSize; // one graph per decode, so one capture
        parameters.n_seq_max = 1;
        parameters.n_threads = threadCount;
        parameters.n_threads_batch = threadCount;
        parameters.llama_pooling_type = LLamaPoolingType.None;
        parameters.no_perf = true;
        delegate* unmanaged[Cdecl]<void*, byte> isCancelled = &IsCancelled;
        parameters.abort_callback = (nint)isCancelled;
        parameters.abort_callback_user_data = (nint)cancelled.Pointer;
        if (isPrecise)
        {
            parameters.type_k = GGMLType.GGML_TYPE_F32;
            parameters.type_v = GGMLType.GGML_TYPE_F32;
        }

        if (isPrecise || showsAttention)
        {
            parameters.llama_flash_attn_type = LLamaFlashAttentionType.LLAMA_FLASH_ATTENTION_TYPE_DISABLED;
        }

        _capture = captures ? new GraphCapture(model.HiddenSize, model.Handle.LayerCount) : null;
        _capture?.AddTo(ref parameters);
        using var errors = NativeLog.Listen();
        _handle = SafeLLamaContextHandle.Create(model.Handle, parameters);
        if (_handle.IsInvalid)
        {
            // LLamaSharp gave the invalid handle a reference to the model, and nothing releases it.
            model.Handle.DangerousRelease();
            _capture?.Dispose();
            throw new LlamaException($"no context of {contextSize} tokens could be made{errors.Because}");
        }
    }

    /// <summary>Tokens that it holds.</summary>
    public int Size { get; }

    /// <summary>The position that the next text token gets.</summary>
    public int NextPosition { get; private set; }

    /// <summary>Decodes text tokens.</summary>
    /// <param name="tokens">Their ids: at least one, at most a batch.</param>
    /// <param name="logits">Which of them get logits.</param>
    /// <param name="rows">Receives their hidden states [tokens, hidden size]; empty without capture.</param>
    /// <param name="targets">What else of the graph is captured.</param>
    /// <returns>False if the context is full; what was decoded before is still there.</returns>
    /// <exception cref="LlamaException">llama.cpp failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public bool TryDecode(
        ReadOnlySpan<int> tokens,
        LogitRows logits,
        Span<float> rows,
        IReadOnlyList<CaptureTarget>? targets = null
    )
    {
        foreach (var token in tokens)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(token, nameof(tokens));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(token, _model.VocabularySize, nameof(tokens));
        }

        var positions = new int[tokens.Length];
        for (var i = 0; i < positions.Length; i++)
        {
            positions[i] = NextPosition + i;
        }

        fixed (int* ids = tokens)
        {
            var batch = new LLamaNativeBatch { n_tokens = tokens.Length, tokens = (LLamaToken*)ids };
            if (!TryDecode(batch, positions, logits, rows, targets ?? []))
            {
                return false;
            }
        }

        NextPosition += tokens.Length;
        return true;
    }

    /// <summary>Decodes cells of a temporal patch, in order.</summary>
    /// <param name="patch">The patch; its block starts where the text before it ended.</param>
    /// <param name="embeddings">The embeddings of all its cells.</param>
    /// <param name="first">The first of the cells to decode.</param>
    /// <param name="count">How many.</param>
    /// <param name="rows">Receives their hidden states [count, hidden size]; empty without capture.</param>
    /// <param name="targets">What else of the graph is captured.</param>
    /// <returns>False if the context is full.</returns>
    /// <exception cref="LlamaException">llama.cpp failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public bool TryDecode(
        PatchChunk patch,
        ReadOnlySpan<float> embeddings,
        int first,
        int count,
        Span<float> rows,
        IReadOnlyList<CaptureTarget>? targets = null
    )
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, patch.TokenCount - count);
        if (first == 0 && patch.Time == 0)
        {
            _blockStart = NextPosition;
        }

        if (!patch.IsCausal)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(count, patch.TokenCount);
        }

        var width = embeddings.Length / patch.TokenCount;
        fixed (float* values = embeddings.Slice(first * width, count * width))
        {
            var batch = new LLamaNativeBatch { n_tokens = count, embd = values };
            var positions = PositionsOf(patch, first, count);
            SetCausal(patch.IsCausal);
            try
            {
                if (!TryDecode(batch, positions, LogitRows.None, rows, targets ?? []))
                {
                    return false;
                }
            }
            finally
            {
                SetCausal(true);
            }
        }

        if (patch.EndsBlock && first + count == patch.TokenCount)
        {
            NextPosition =
                _blockStart
                + (patch.UsesMrope ? Math.Max(Math.Max(patch.Columns, patch.Rows), patch.Time + 1) : patch.TokenCount);
        }

        return true;
    }

    /// <summary>Gives the context to another user, or to nobody.</summary>
    /// <param name="cancelled">As in the constructor; null if nothing is decoded before the next user comes.</param>
    public void Attach(UnmanagedState<int>? cancelled)
    {
        delegate* unmanaged[Cdecl]<void*, byte> isCancelled = cancelled is null ? null : &IsCancelled;
        NativeApi.llama_set_abort_callback(_handle, (nint)isCancelled, cancelled is null ? 0 : (nint)cancelled.Pointer);
        _cancelled = cancelled ?? _cancelled;
    }

    /// <summary>Forgets what was decoded from some token on.</summary>
    /// <param name="nextPosition">What <see cref="NextPosition"/> was before it.</param>
    /// <param name="firstPosition">Its position.</param>
    /// <returns>False if the context cannot go back. A recurrent state does not.</returns>
    public bool TryGoBack(int nextPosition, int firstPosition)
    {
        using var lease = new HandleLease(_handle);

        // Where something before has been let go, it would have to be computed again.
        if (
            (int)_handle.MemorySequenceMinPosition(default) != 0
            || LlamaApi.Remove(LlamaApi.GetMemory(_handle), 0, firstPosition, -1) == 0
        )
        {
            return false;
        }

        NextPosition = nextPosition;
        _blockStart = nextPosition;
        _logitRowCount = 0;
        return true;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _handle.MemoryClear(data: true);
        NextPosition = 0;
        _logitRowCount = 0;
    }

    /// <summary>Whether the last decode made logits, and those of its last token are finite.</summary>
    public bool HasFiniteLogits()
    {
        using var lease = new HandleLease(_handle);
        return _logitRowCount > 0 && TensorPrimitives.IsFiniteAll(GetLogits(-1));
    }

    private void SetCausal(bool isCausal)
    {
        if (_isCausal != isCausal)
        {
            LlamaApi.SetCausal(_handle, isCausal ? (byte)1 : (byte)0);
            _isCausal = isCausal;
        }
    }

    private int[] PositionsOf(PatchChunk patch, int first, int count)
    {
        if (!patch.UsesMrope)
        {
            return [.. Enumerable.Range(_blockStart + first, count)];
        }

        // M-RoPE takes four positions per cell, laid out axis by axis: time, row, column, unused.
        var positions = new int[4 * count];
        for (var i = 0; i < count; i++)
        {
            var (row, column) = Math.DivRem(first + i, patch.Columns);
            positions[i] = _blockStart + patch.Time;
            positions[i + count] = _blockStart + row;
            positions[i + (2 * count)] = _blockStart + column;
        }

        return positions;
    }

    /// <summary>Chooses the next token from the logits of the last decode's last token.</summary>
    public int Sample(TokenSampler sampler)
    {
        using var lease = new HandleLease(_handle);
        return sampler.Sample(GetLogits(-1));
    }

    /// <summary>How likely a token was after a row of the last decode, and which tokens were the likeliest.</summary>
    /// <param name="row">The row; -1 for the last.</param>
    /// <param name="token">The token.</param>
    /// <param name="candidateCount">How many of the best tokens are wanted.</param>
    public TokenRanking Rank(int row, int token, int candidateCount)
    {
        using var lease = new HandleLease(_handle);
        return TokenRanking.Of(GetLogits(row), token, candidateCount);
    }

    /// <summary>The logits of a row of the last decode.</summary>
    /// <param name="row">The row; -1 for the last.</param>
    public float[] CopyLogits(int row = -1)
    {
        using var lease = new HandleLease(_handle);
        return GetLogits(row).ToArray();
    }

    /// <summary>llama.cpp's own embeddings output for a row of the last decode.</summary>
    public float[] CopyEmbedding(int row)
    {
        using var lease = new HandleLease(_handle);
        var values = LlamaApi.GetEmbeddings(_handle, row);
        return values != null
            ? new ReadOnlySpan<float>(values, _model.HiddenSize).ToArray()
            : throw new ArgumentOutOfRangeException(nameof(row), row, "the last decode has no such row");
    }

    public void Dispose()
    {
        _handle.Dispose();
        _capture?.Dispose();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte IsCancelled(void* data) => Volatile.Read(ref *(int*)data) != 0 ? (byte)1 : (byte)0;

    private ReadOnlySpan<float> GetLogits(int row)
    {
        var values = _logitRowCount > 0 && row >= -1 && row < _logitRowCount ? LlamaApi.GetLogits(_handle, row) : null;
        return values != null
            ? new ReadOnlySpan<float>(values, _model.VocabularySize)
            : throw new InvalidOperationException($"the last decode made no logits for row {row}");
    }

    private bool TryDecode(
        LLamaNativeBatch batch,
        ReadOnlySpan<int> positions,
        LogitRows logits,
        Span<float> rows,
        IReadOnlyList<CaptureTarget> targets
    )
    {
        var count = batch.n_tokens;
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count, "tokens");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _batchSize, "tokens");
        if (rows.Length != (_capture is null ? 0 : count * _model.HiddenSize))
        {
            throw new ArgumentException(
                $"{rows.Length} values are no room for the hidden states of {count} tokens",
                nameof(rows)
            );
        }

        // With capture every token is an output.
        var outputs = new byte[count];
        outputs.AsSpan().Fill(_capture is not null || logits == LogitRows.All ? (byte)1 : (byte)0);
        outputs[^1] = _capture is not null || logits != LogitRows.None ? (byte)1 : (byte)0;
        var sequenceCounts = new int[count];
        sequenceCounts.AsSpan().Fill(1);
        LLamaSeqId sequence = default;
        var sequencePointers = new nint[count];
        sequencePointers.AsSpan().Fill((nint)(&sequence));

        using var cancelledLease = new HandleLease(_cancelled);
        if (IsCancelled())
        {
            throw new OperationCanceledException();
        }

        using var errors = NativeLog.Listen();
        _logitRowCount = 0;
        int code;
        fixed (int* places = positions)
        fixed (int* counts = sequenceCounts)
        fixed (nint* sequenceIds = sequencePointers)
        fixed (byte* output = outputs)
        fixed (float* destination = rows)
        {
            batch.pos = (LLamaPos*)places;
            batch.n_seq_id = counts;
            batch.seq_id = (LLamaSeqId**)sequenceIds;
            batch.logits = output;
            code = Decode(batch, destination, targets, endsGraph: logits == LogitRows.None);
        }

        if (IsCancelled())
        {
            throw new OperationCanceledException();
        }

        const int NoRoom = 1;
        if (code == NoRoom)
        {
            return false;
        }

        if (code != 0)
        {
            throw new LlamaException($"llama_decode gave {code}{errors.Because}");
        }

        _capture?.Verify(targets);
        _logitRowCount = logits == LogitRows.None ? 0 : count;
        return true;
    }

    private int Decode(LLamaNativeBatch batch, float* rows, IReadOnlyList<CaptureTarget> targets, bool endsGraph)
    {
        if (_capture is null)
        {
            return LlamaApi.Decode(_handle, batch);
        }

        using var lease = _capture.Use();
        var pins = new MemoryHandle[targets.Count];
        try
        {
            for (var i = 0; i < pins.Length; i++)
            {
                pins[i] = targets[i].Destination.Pin();
                _capture.Want(targets[i], (float*)pins[i].Pointer);
            }

            _capture.Begin(rows, batch.n_tokens, endsGraph);
            return LlamaApi.Decode(_handle, batch);
        }
        finally
        {
            _capture.Finish();
            foreach (var pin in pins)
            {
                pin.Dispose();
            }
        }
    }

    private bool IsCancelled() => Volatile.Read(ref *_cancelled.Pointer) != 0;
}
