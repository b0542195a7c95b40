using System.Runtime.CompilerServices;
using Tamx.Llama.Chat;
using Tamx.Llama.Interop;

namespace Tamx.Llama;

/// <summary>How far the computation of a prompt has come.</summary>
/// <param name="Stage"><c>encode</c> (pictures) or <c>prefill</c> (prompt tokens).</param>
/// <param name="Done">Units done.</param>
/// <param name="Total">Units in all.</param>
public readonly record struct CompletionProgress(string Stage, int Done, int Total);

/// <summary>One answer of a model: prompt, generation, and the hidden state of every position.</summary>
/// <remarks>
/// Used by one caller at a time. May be disposed at any time, also while it generates: the enumeration then ends with
/// <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed partial class Completion : IDisposable
{
    private readonly VisionLanguageModel _model;
    private readonly CompletionOptions _options;
    private readonly PromptHandle _prompt;
    private readonly List<Chunk> _chunks = [];
    private readonly List<PromptVision> _vision = [];
    private readonly List<PromptPicture> _pictures = [];
    private readonly int _contextSize;
    private readonly int _hiddenSize;
    private readonly int[] _givenAnswer;
    private readonly int[] _tokenIds;
    private float[] _hiddenStates;
    private ContextHandle? _context;
    private int _computedAnswer;
    private int _computedCount;
    private int _batchStart;
    private int _started;
    private int _busy;
    private volatile bool _disposed;

    internal Completion(VisionLanguageModel model, IReadOnlyList<ChatMessage> messages, IReadOnlyList<int>? givenAnswer, CompletionOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxNewTokens);
        ArgumentOutOfRangeException.ThrowIfNegative(options.ContextSize);
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxContextSize);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchSize, 2);
        ArgumentOutOfRangeException.ThrowIfNegative(options.CandidateCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.CandidateCount, model.Facts.VocabularySize);
        _model = model;
        _options = options;
        _hiddenSize = model.Facts.HiddenSize;
        (model.Vision is { } vision
            ? NativeMethods.CreatePrompt(model.Model, vision, out _prompt)
            : NativeMethods.CreateTextPrompt(model.Model, 0, out _prompt)).ThrowIfFailed();
        try
        {
            _prompt.KeepAlive(model.Vision is null ? [model.Model] : [model.Model, model.Vision]);
            _givenAnswer = givenAnswer?.ToArray() ?? [];
            WritePrompt(messages);
            _tokenIds = ReadPrompt();
            PromptTokenCount = _tokenIds.Length;
            _contextSize = ChooseContextSize();
            Capacity = Math.Min(PromptTokenCount + MaxAnswerTokens, _contextSize + 1);
            Array.Resize(ref _tokenIds, Capacity);
            _givenAnswer.CopyTo(_tokenIds, PromptTokenCount);
            _hiddenStates = [];
            TokenCount = PromptTokenCount;
        }
        catch
        {
            _prompt.Dispose();
            throw;
        }
    }

    /// <summary>Tokens of the prompt, cells of pictures included.</summary>
    public int PromptTokenCount { get; }

    /// <summary>Tokens of the prompt and of the answer so far.</summary>
    public int TokenCount { get; private set; }

    /// <summary>
    /// Token ids of the prompt and of the answer so far [S]; cells of pictures carry the id of <c>&lt;|image_pad|&gt;</c>, those of videos of <c>&lt;|video_pad|&gt;</c>.
    /// </summary>
    public ReadOnlySpan<int> TokenIds => _tokenIds.AsSpan(0, TokenCount);

    /// <summary>
    /// Rows of <see cref="HiddenStates"/>: the prompt's tokens and all of the answer's but the last, whose successor nobody asked for.
    /// </summary>
    /// <remarks>0 where <see cref="CompletionOptions.CaptureHiddenStates"/> is off.</remarks>
    public int HiddenRowCount => _options.CaptureHiddenStates ? _computedCount : 0;

    /// <summary>Hidden states after the final norm, [<see cref="HiddenRowCount"/>, hidden size] row-major; row p predicts token p + 1.</summary>
    public ReadOnlyMemory<float> HiddenStates => _hiddenStates.AsMemory(0, HiddenRowCount * _hiddenSize);

    /// <summary>The prompt's pictures, and the temporal patches of its videos, in order.</summary>
    public IReadOnlyList<PromptPicture> Pictures => _pictures;

    /// <summary>Context size in tokens.</summary>
    public int ContextSize => _contextSize;

    /// <summary>Why the answer ended.</summary>
    public StopReason StopReason { get; private set; }

    /// <summary>Most tokens the answer can have: as many as were asked for, or those of a given answer.</summary>
    public int MaxAnswerTokens => _givenAnswer.Length > 0 ? _givenAnswer.Length : _options.MaxNewTokens;

    /// <summary>Most tokens that prompt and answer can have together.</summary>
    private int Capacity { get; }

    /// <summary>
    /// Generates the answer token by token, after computing the prompt if <see cref="PrefillAsync"/> has not. A given answer is read
    /// instead, as if the model had written it.
    /// </summary>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    /// <exception cref="InvalidOperationException">The answer was generated before, or is being generated.</exception>
    /// <exception cref="InvalidInputException">A picture cannot be encoded.</exception>
    /// <exception cref="LlamaException">llama.cpp failed.</exception>
    /// <exception cref="ObjectDisposedException">The completion was disposed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async IAsyncEnumerable<GeneratedToken> GenerateAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _started, 1) != 0)
        {
            throw new InvalidOperationException("the answer was generated before, or is being generated; make a new completion for another");
        }

        if (_context is null)
        {
            await PrefillAsync(null, cancellationToken).ConfigureAwait(false);
        }

        var decoder = new Utf8TokenDecoder();
        for (var index = 0; ; index++)
        {
            if (index == MaxAnswerTokens)
            {
                StopReason = _givenAnswer.Length > 0 ? StopReason.AnswerGiven : StopReason.MaxNewTokens;
                yield break;
            }

            if (TokenCount == Capacity)
            {
                StopReason = StopReason.ContextFull;
                yield break;
            }

            var token = await Task.Run(() => Step(index, decoder, cancellationToken), CancellationToken.None).ConfigureAwait(false);
            if (token is null)
            {
                StopReason = StopReason.ContextFull;
                yield break;
            }

            yield return token;
            if (token.EndsAnswer)
            {
                StopReason = StopReason.EndToken;
                yield break;
            }
        }
    }

    /// <summary>Computes the prompt alone: afterwards <see cref="HiddenStates"/> holds a row for each of its tokens.</summary>
    /// <param name="progress">Told how far it has come.</param>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    /// <exception cref="InvalidOperationException">The prompt was computed before, or is being computed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public Task PrefillAsync(IProgress<CompletionProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Task.Run(() => Prefill(progress, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        if (_context is { } context)
        {
            // The handle's memory is freed when the call in progress has returned.
            EndCall(context);
            context.Dispose();
        }

        _prompt.Dispose();
    }

    /// <summary>Lets the native call in progress, and every later one, end as cancelled.</summary>
    private static void EndCall(ContextHandle context)
    {
        try
        {
            NativeMethods.CancelContext(context);
        }
        catch (ObjectDisposedException)
        {
            // Another thread disposed it: there is no call to end.
        }
    }

    /// <summary>Logits of the last token computed, [vocabulary]. For tests: the product of output embedding and hidden state equals them.</summary>
    internal float[] GetLogits()
    {
        var logits = new float[_model.Facts.VocabularySize];
        NativeMethods.GetLogits(_context!, logits).ThrowIfFailed();
        return logits;
    }

    /// <summary>llama.cpp's own embeddings output for a row of the last decode. For tests: captured rows equal it.</summary>
    internal float[] GetEmbedding(int indexInLastDecode)
    {
        var row = new float[_hiddenSize];
        NativeMethods.GetEmbedding(_context!, indexInLastDecode, row).ThrowIfFailed();
        return row;
    }

    /// <summary>The M-RoPE position that the next text token gets. For tests: it tells how vision blocks are placed.</summary>
    internal int GetNextPosition()
    {
        NativeMethods.GetNextPosition(_context!, out var position).ThrowIfFailed();
        return position;
    }

    private void Prefill(IProgress<CompletionProgress>? progress, CancellationToken cancellationToken)
    {
        Exclusively(() =>
        {
            if (_context is not null)
            {
                throw new InvalidOperationException("the prompt was computed before");
            }

            LlamaRuntime.RequireContextMemory(_model.Options, _model.Facts, _contextSize, _options.PreciseCache);
            var status = NativeMethods.CreateContext(
                _model.Model, _contextSize, _options.BatchSize, _model.Options.ThreadCount, _options.PreciseCache ? 1 : 0,
                _options.CaptureHiddenStates ? 1 : 0, out var context);
            if (status == NativeStatus.OutOfMemory)
            {
                throw new LlamaException(NativeStatusExtensions.LastError() + LlamaRuntime.DescribeGpuMemory(_model.Options));
            }

            status.ThrowIfFailed(cancellationToken);
            context.KeepAlive(_model.Model);
            _context = context;
            NativeMethods.SetSampling(context, _options.Temperature, _options.TopK, _options.TopP, _options.Seed).ThrowIfFailed(cancellationToken);
            _hiddenStates = _options.CaptureHiddenStates ? new float[checked(Capacity * _hiddenSize)] : [];
            using var cancellation = cancellationToken.Register(() => EndCall(context));
            using var patches = ReadPatches(cancellationToken).GetEnumerator();
            var patchCount = 0;
            for (var i = 0; i < _chunks.Count; i++)
            {
                var chunk = _chunks[i];
                if (chunk.IsVision && patches.MoveNext())
                {
                    progress?.Report(new CompletionProgress("encode", patchCount++, _pictures.Count));
                    var (first, second) = patches.Current;
                    NativeMethods.EncodePatch(context, _prompt, i, first.Pixels, second is null ? default : second.Pixels).ThrowIfFailed(cancellationToken);
                }

                DecodeChunk(context, i, chunk, isLast: i == _chunks.Count - 1, progress, cancellationToken);
            }

            return true;
        }, cancellationToken);
    }

    private void DecodeChunk(
        ContextHandle context, int index, Chunk chunk, bool isLast, IProgress<CompletionProgress>? progress, CancellationToken cancellationToken)
    {
        // Only the answer's first step needs logits, and with capture the vocabulary product is as large as the batch: the prompt's end goes by itself.
        // It is some tokens long, since a pass over all weights for two of them costs more than the vocabulary product of a question.
        const int EndLength = 32;
        var batchSize = Math.Min(_options.BatchSize, _contextSize);
        var lastTokens = _options.CaptureHiddenStates ? Math.Min(EndLength, batchSize) : batchSize;
        for (var first = 0; first < chunk.TokenCount;)
        {
            var left = chunk.TokenCount - first;
            var isLastBatch = isLast && left <= lastTokens;
            var count = isLast && !isLastBatch ? Math.Min(batchSize, left - lastTokens) : Math.Min(batchSize, left);
            NativeMethods.DecodeChunk(context, _prompt, index, first, count, isLastBatch ? 1 : 0, NextRows(count)).ThrowIfFailed(cancellationToken);
            _computedCount += count;
            first += count;
            progress?.Report(new CompletionProgress("prefill", _computedCount, PromptTokenCount));
        }
    }

    /// <summary>The next token of the answer; null if the context is full.</summary>
    private GeneratedToken? Step(int index, Utf8TokenDecoder decoder, CancellationToken cancellationToken) => Exclusively(() =>
    {
        var context = _context!;
        using var cancellation = cancellationToken.Register(() => EndCall(context));
        if (!ComputeBefore(context, index, cancellationToken))
        {
            return null;
        }

        var position = TokenCount;
        if (_givenAnswer.Length == 0)
        {
            NativeMethods.Sample(context, out _tokenIds[position]).ThrowIfFailed(cancellationToken);
        }

        var id = _tokenIds[position];
        var ids = new int[_options.CandidateCount];
        var logits = new float[ids.Length];
        var row = index == 0 ? -1 : index - 1 - _batchStart;
        NativeMethods.Rank(context, row, id, ids.Length, out var logit, out var logSum, ids, logits).ThrowIfFailed(cancellationToken);
        var candidates = new TokenCandidate[ids.Length];
        for (var i = 0; i < ids.Length; i++)
        {
            candidates[i] = new TokenCandidate(ids[i], logits[i], (float)Math.Exp(logits[i] - logSum));
        }

        TokenCount++;
        var ends = _givenAnswer.Length == 0 && _model.Vocabulary.EndsAnswer(id);
        return new GeneratedToken
        {
            Index = index,
            Position = position,
            Id = id,
            Text = ends ? decoder.Flush() : decoder.Decode(_model.Vocabulary.GetBytes(id)),
            Logit = logit,
            LogProbability = logit - logSum,
            Candidates = candidates,
            EndsAnswer = ends,
        };
    }, cancellationToken);

    /// <summary>
    /// Computes the answer's tokens before one, as far as that has not happened: the one just written, or a batch of a given answer.
    /// </summary>
    /// <returns>False if the context is full.</returns>
    private bool ComputeBefore(ContextHandle context, int index, CancellationToken cancellationToken)
    {
        if (index <= _computedAnswer)
        {
            return true;
        }

        var count = _givenAnswer.Length == 0 ? 1 : Math.Min(_options.BatchSize, _givenAnswer.Length - 1 - _computedAnswer);
        var tokens = _tokenIds.AsSpan(PromptTokenCount + _computedAnswer, count);
        var status = NativeMethods.DecodeTokens(context, tokens, count, 1, NextRows(count));
        if (status == NativeStatus.ContextFull)
        {
            return false;
        }

        status.ThrowIfFailed(cancellationToken);
        _computedCount += count;
        _batchStart = _computedAnswer;
        _computedAnswer += count;
        return true;
    }

    private Span<float> NextRows(int count) =>
        _options.CaptureHiddenStates ? _hiddenStates.AsSpan(_computedCount * _hiddenSize, count * _hiddenSize) : [];

    /// <summary>Runs native work with no other beside it, and gives disposal and cancellation their own exceptions.</summary>
    private T Exclusively<T>(Func<T> work, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _busy, 1) != 0)
        {
            throw new InvalidOperationException("the completion is already at work; use it from one caller at a time");
        }

        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            cancellationToken.ThrowIfCancellationRequested();
            return work();
        }
        catch (OperationCanceledException) when (_disposed && !cancellationToken.IsCancellationRequested)
        {
            throw new ObjectDisposedException(nameof(Completion));
        }
        finally
        {
            if (_disposed)
            {
                // Disposed while the context was being made: nobody else knows of it.
                _context?.Dispose();
            }

            Volatile.Write(ref _busy, 0);
        }
    }

    private readonly record struct Chunk(int TokenCount, bool IsVision);
}
