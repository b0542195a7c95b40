using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Tamx.Llama.Capture;
using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;
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
    private readonly HandleReference _modelReference;
    private readonly HandleReference? _projectorReference;
    private readonly UnmanagedState<int> _cancelled = new();
    private readonly Prompt _prompt;
    private readonly int[] _givenAnswer;
    private readonly int[] _tokenIds;
    private GenAiOperation? _operation;
    private SequenceDecoder? _decoder;
    private TokenSampler? _sampler;
    private RegionSteering? _steering;
    private int _computedAnswer;
    private int _batchStart;
    private int _started;
    private int _busy;
    private bool _isPromptWhole;
    private bool _hasFailed;
    private volatile bool _disposed;

    internal Completion(
        VisionLanguageModel model,
        IEnumerable<PromptPiece> prompt,
        IReadOnlyList<int>? givenAnswer,
        CompletionOptions options
    )
    {
        options.Validate();
        if (options.CandidateCount > model.Facts.VocabularySize)
        {
            throw InvalidInputException.Naming(
                $"{options.CandidateCount} candidates ({Settings.CandidateCount}): the vocabulary of {model.Facts.Path} has {model.Facts.VocabularySize} tokens"
            );
        }

        RequireTokens(options.LogitBias, model.Vocabulary.Count);
        RequireLayers(options.Layers, model.Facts, Settings.Layers);
        if (options.CaptureAttention && model.Facts.HasAttentionPostNorms)
        {
            throw new InvalidInputException(
                $"{model.Facts.Family} has no evidence maps: each layer scales what its attention wrote from all "
                    + "positions together, so that no position has a share of its own; the other maps need none"
            );
        }

        if (options.Region is { Steers: true } region)
        {
            int[] layers = region.Layer < 0 ? [] : [region.Layer];
            RequireLayers(layers, model.Facts, Settings.Region);
            options = options with { CaptureHiddenStates = true, Layers = [.. options.Layers.Union(layers)] };
        }

        _model = model;
        _options = options;
        _modelReference = new HandleReference(model.Model.Handle);
        _projectorReference = model.Vision is { } vision ? new HandleReference(vision.Handle) : null;
        try
        {
            _givenAnswer = givenAnswer?.ToArray() ?? [];
            _prompt = PromptBuilder.Build(model, prompt, ContextSizing.Limit(options, model.Facts));
            PromptTokenCount = _prompt.TokenIds.Length;
            TokenCount = PromptTokenCount;
            ContextSize = ContextSizing.Choose(options, model.Facts, _prompt, _givenAnswer.Length);
            var capacity = Math.Min((long)PromptTokenCount + MaxAnswerTokens, ContextSize + 1L);
            _tokenIds = new int[capacity];
            _prompt.TokenIds.CopyTo(_tokenIds, 0);
            _givenAnswer.CopyTo(_tokenIds, PromptTokenCount);
        }
        catch
        {
            ReleaseNative();
            throw;
        }
    }

    /// <summary>Tokens of the prompt, cells of pictures included.</summary>
    public int PromptTokenCount { get; }

    /// <summary>
    /// Tokens of the prompt that were not computed, since <see cref="CompletionOptions.PromptCache"/> had them.
    /// </summary>
    public int CachedTokenCount => _decoder?.TakenOverCount ?? 0;

    /// <summary>Tokens of the prompt and of the answer so far.</summary>
    public int TokenCount { get; private set; }

    /// <summary>
    /// Token ids of the prompt and of the answer so far [S]. Cells of pictures carry the id of the family's pad token
    /// (<c>&lt;|image_pad|&gt;</c>), those of videos that of another (<c>&lt;|video_pad|&gt;</c>).
    /// </summary>
    public ReadOnlySpan<int> TokenIds => _tokenIds.AsSpan(0, TokenCount);

    /// <summary>
    /// Rows of <see cref="HiddenStates"/>: the prompt's tokens and all of the answer's but the last, whose successor
    /// nobody asked for. A given answer or a stop text may have more: it is computed ahead of the answer's tokens.
    /// </summary>
    /// <remarks>0 where <see cref="CompletionOptions.CaptureHiddenStates"/> is off.</remarks>
    public int HiddenRowCount => _decoder?.RowCount ?? 0;

    /// <summary>
    /// Hidden states after the final norm, [<see cref="HiddenRowCount"/>, hidden size] row-major; row p predicts token
    /// p + 1.
    /// </summary>
    public ReadOnlyMemory<float> HiddenStates => _decoder?.HiddenStates ?? default;

    /// <summary>
    /// What attention read; null where <see cref="CompletionOptions.CaptureAttention"/> is off, or before the prompt is
    /// computed.
    /// </summary>
    public CapturedAttention? Attention => _decoder?.Attention;

    /// <summary>
    /// The residual stream after one of <see cref="CompletionOptions.Layers"/>, before any norm,
    /// [<see cref="HiddenRowCount"/>, hidden size] row-major. <see cref="OutputNorm"/> makes hidden states of it.
    /// </summary>
    /// <param name="layer">The layer, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The layer is not captured.</exception>
    public ReadOnlyMemory<float> ResidualOf(int layer)
    {
        if (!_options.Layers.Contains(layer))
        {
            throw new ArgumentOutOfRangeException(nameof(layer), layer, "the layer is not captured");
        }

        return _decoder?.ResidualOf(layer) ?? default;
    }

    /// <summary>The prompt's pictures, and the temporal patches of its videos, in order.</summary>
    public IReadOnlyList<PromptPicture> Pictures => _prompt.Pictures;

    /// <summary>Context size in tokens.</summary>
    public int ContextSize { get; }

    /// <summary>Why the answer ended.</summary>
    public StopReason StopReason { get; private set; }

    /// <summary>Most tokens the answer can have: as many as were asked for, or those of a given answer.</summary>
    public int MaxAnswerTokens => _givenAnswer.Length > 0 ? _givenAnswer.Length : _options.MaxNewTokens;

    /// <summary>
    /// Computes the prompt, unless <see cref="PrefillAsync"/> did, and generates the answer token by token. A given
    /// answer is read instead, as if the model had written it.
    /// </summary>
    /// <remarks>
    /// Tokens that may be the beginning of a stop text come once that is decided. Those of a stop text do not come. A
    /// token that holds the end of the answer's text and the beginning of a stop text comes with the former alone.
    /// </remarks>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    /// <exception cref="InvalidOperationException">The answer was generated before, or is being generated.</exception>
    /// <exception cref="InvalidInputException">A picture cannot be encoded.</exception>
    /// <exception cref="LlamaException">llama.cpp failed.</exception>
    /// <exception cref="ObjectDisposedException">The completion was disposed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async IAsyncEnumerable<GeneratedToken> GenerateAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        if (Interlocked.Exchange(ref _started, 1) != 0)
        {
            throw new InvalidOperationException(
                "the answer was generated before, or is being generated; make a new completion for another"
            );
        }

        using var thread = new ComputeThread();
        if (_decoder is null)
        {
            await ObserveAsync(thread.RunAsync(() => Prefill(null, cancellationToken))).ConfigureAwait(false);
        }

        var isGiven = _givenAnswer.Length > 0;
        var filter = new StopTextFilter(isGiven ? [] : _options.StopTexts);
        for (var index = 0; StopReason == StopReason.None; index++)
        {
            IReadOnlyList<GeneratedToken> tokens;
            if (index == MaxAnswerTokens)
            {
                StopReason = isGiven ? StopReason.AnswerGiven : StopReason.MaxNewTokens;
                tokens = filter.ReleaseAll();
            }
            else if (
                PromptTokenCount + index == _tokenIds.Length
                || await ObserveAsync(thread.RunAsync(() => Step(index, cancellationToken))).ConfigureAwait(false)
                    is not { } token
            )
            {
                StopReason = StopReason.ContextFull;
                tokens = filter.ReleaseAll();
            }
            else if (token.EndsAnswer)
            {
                StopReason = StopReason.EndToken;
                tokens = filter.AddEnd(token);
            }
            else
            {
                tokens = filter.Add(token, _model.Vocabulary.GetBytes(token.Id));
                StopReason = filter.IsMet ? StopReason.StopText : StopReason.None;
            }

            foreach (var ready in tokens)
            {
                TokenCount++;
                _operation!.NoteToken();
                if (StopReason != StopReason.None && ReferenceEquals(ready, tokens[^1]))
                {
                    End();
                }

                yield return ready;
            }
        }

        End();
    }

    /// <summary>Computes the prompt alone. <see cref="HiddenStates"/> then has a row for each of its tokens.</summary>
    /// <param name="progress">Told how far it has come.</param>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    /// <exception cref="InvalidOperationException">The prompt was computed before, or is being computed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task PrefillAsync(
        IProgress<CompletionProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        using var thread = new ComputeThread();
        await ObserveAsync(thread.RunAsync(() => Prefill(progress, cancellationToken))).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _operation?.Dispose();
        LeavePrompt();
        EndCall();
        ReleaseNative();
    }

    /// <summary>Waits for a part of the answer, as telemetry sees it.</summary>
    private async Task<T> ObserveAsync<T>(Task<T> work)
    {
        _operation ??= Begin();
        try
        {
            return await work.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _operation.Fail(e is OperationCanceledException ? "cancelled" : e.GetType().Name);
            throw;
        }
    }

    private GenAiOperation Begin()
    {
        LogBegin(_model.Logger, _model.Name, PromptTokenCount, Pictures.Count);
        var instruments = LibraryTelemetry.Instruments;
        return new GenAiOperation(instruments, instruments.OperationDuration, _model.Name, _options);
    }

    private void End()
    {
        var count = TokenCount - PromptTokenCount;
        if (!_operation!.IsOver)
        {
            LogEnd(_model.Logger, _model.Name, count, _operation.Seconds, StopReason);
        }

        _operation.End(PromptTokenCount, count, StopReason);
    }

    /// <summary>Leaves the context to the next completion, unless something failed or is at work.</summary>
    private void LeavePrompt()
    {
        if (_options.PromptCache is not { } cache || Interlocked.Exchange(ref _busy, 1) != 0)
        {
            return;
        }

        if (_isPromptWhole && !_hasFailed && _decoder!.Release() is { } kept)
        {
            cache.Keep(kept);
        }

        Volatile.Write(ref _busy, 0);
    }

    /// <summary>Makes the native call in progress, and every later one, end as cancelled.</summary>
    private unsafe void EndCall()
    {
        try
        {
            using var lease = new HandleLease(_cancelled);
            Volatile.Write(ref *_cancelled.Pointer, 1);
        }
        catch (ObjectDisposedException)
        {
            // Another thread disposed it, so there is no call to end.
        }
    }

    /// <summary>Frees native memory as soon as the call in progress has returned.</summary>
    private void ReleaseNative()
    {
        _decoder?.Dispose();
        _sampler?.Dispose();
        _cancelled.Dispose();
        _projectorReference?.Dispose();
        _modelReference.Dispose();
    }

    /// <summary>
    /// For tests: logits of the last token [vocabulary]. Output embedding times hidden state equals them.
    /// </summary>
    internal float[] GetLogits() => _decoder!.Context.CopyLogits();

    /// <summary>
    /// For tests: llama.cpp's own embedding for a row of the last decode. The captured row equals it.
    /// </summary>
    internal float[] GetEmbedding(int indexInLastDecode) => _decoder!.Context.CopyEmbedding(indexInLastDecode);

    /// <summary>For tests: the position of the next text token. It tells how vision blocks are placed.</summary>
    internal int GetNextPosition() => _decoder!.Context.NextPosition;

    private RegionSteering Steer(PictureRegion region, SequenceDecoder decoder, CancellationToken cancellationToken)
    {
        var picture = Pictures
            .Where(one => one is { VideoIndex: null, TileColumns: 1, TileRows: 1 })
            .ElementAt(region.PictureIndex);
        var size = _model.Facts.HiddenSize;
        var (first, length) = (picture.FirstPosition * size, picture.TokenCount * size);
        var cells = decoder.HiddenStates.Slice(first, length);
        if (region.Layer >= 0)
        {
            var states = new float[length];
            _model.OutputNorm.Apply(decoder.ResidualOf(region.Layer).Span.Slice(first, length), states);
            cells = states;
        }

        return RegionSteering.Of(region, picture, cells.Span, _model.OutputEmbedding, cancellationToken);
    }

    private static void RequireLayers(IReadOnlyList<int> layers, ModelFacts facts, Setting setting)
    {
        foreach (var layer in layers)
        {
            if (layer < 0 || layer >= facts.LayerCount)
            {
                throw InvalidInputException.Naming(
                    $"layer {layer} ({setting}): {facts.Path} has layers 0 to {facts.LayerCount - 1}"
                );
            }
        }
    }

    private static void RequireTokens(IReadOnlyDictionary<int, float> biases, int tokenCount)
    {
        foreach (var id in biases.Keys)
        {
            if (id < 0 || id >= tokenCount)
            {
                throw InvalidInputException.Naming(
                    $"token {id} ({Settings.LogitBias}) is not in the model's vocabulary (0 to {tokenCount - 1})"
                );
            }
        }
    }

    private bool Prefill(IProgress<CompletionProgress>? progress, CancellationToken cancellationToken) =>
        Exclusively(
            () =>
            {
                if (_decoder is not null)
                {
                    throw new InvalidOperationException("the prompt was computed before");
                }

                _decoder = NewDecoder();
                _sampler = new TokenSampler(_options, _model.Vocabulary.Count, _tokenIds.Length);
                using var cancellation = cancellationToken.Register(EndCall);
                using var patches = _prompt.ReadPatches(cancellationToken).GetEnumerator();
                var patchCount = 0;
                var allPatches = _prompt.Chunks.Count(chunk => chunk is PatchChunk);
                for (var i = 0; i < _prompt.Chunks.Count; i++)
                {
                    var endsPrompt = i == _prompt.Chunks.Count - 1;
                    switch (_prompt.Chunks[i])
                    {
                        case PatchChunk patch when patches.MoveNext():
                            var patchIndex = patchCount++;
                            var (first, second) = patches.Current;
                            if (IsThere(patch, first.Pixels, second is null ? default : second.Pixels, endsPrompt))
                            {
                                ReportBatch();
                                break;
                            }

                            progress?.Report(new CompletionProgress("encode", patchIndex, allPatches));
                            var embeddings = _model.Vision!.Encode(
                                patch.Width,
                                patch.Height,
                                patch.TokenCount,
                                first.Pixels,
                                second is null ? default : second.Pixels,
                                _cancelled
                            );
                            _decoder.Decode(patch, embeddings, ReportBatch);
                            break;
                        case TextChunk text:
                            var tokens = _tokenIds.AsSpan(_decoder.Count, text.TokenCount);
                            if (IsThere(text, MemoryMarshal.AsBytes(tokens), default, endsPrompt))
                            {
                                ReportBatch();
                                break;
                            }

                            _decoder.Decode(tokens, endsPrompt, ReportBatch);
                            break;
                    }
                }

                _steering = _options.Region is { Steers: true } region
                    ? Steer(region, _decoder, cancellationToken)
                    : null;
                _isPromptWhole = true;
                return true;

                void ReportBatch() =>
                    progress?.Report(new CompletionProgress("prefill", _decoder.Count, PromptTokenCount));
            },
            cancellationToken
        );

    private SequenceDecoder NewDecoder()
    {
        var kept = _options.PromptCache?.Take();
        try
        {
            return new SequenceDecoder(
                _model,
                _options,
                ContextSize,
                PromptTokenCount,
                _tokenIds.Length,
                _cancelled,
                kept
            );
        }
        catch
        {
            kept?.Dispose();
            throw;
        }
    }

    /// <summary>Whether an earlier prompt left a chunk of this one. Without a cache nothing is compared.</summary>
    private bool IsThere(PromptChunk chunk, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, bool endsPrompt) =>
        _options.PromptCache is not null
        && _decoder!.TryTakeOver(chunk, DecodedChunk.DigestOf(first, second), endsPrompt);

    /// <summary>The next token of the answer, without its text; null if the context is full.</summary>
    private GeneratedToken? Step(int index, CancellationToken cancellationToken) =>
        Exclusively(
            () =>
            {
                var decoder = _decoder!;
                using var cancellation = cancellationToken.Register(EndCall);
                if (!ComputeBefore(decoder, index))
                {
                    return null;
                }

                var position = PromptTokenCount + index;
                var row = index == 0 ? -1 : index - 1 - _batchStart;
                var steered = _steering?.Apply(
                    decoder.Context.CopyLogits(row),
                    _tokenIds.AsSpan(PromptTokenCount, index)
                );
                if (_givenAnswer.Length == 0)
                {
                    _tokenIds[position] = steered is null
                        ? decoder.Context.Sample(_sampler!)
                        : _sampler!.Sample(steered);
                }

                var id = _tokenIds[position];
                var ranking = decoder.Context.Rank(row, id, _options.CandidateCount);
                return new GeneratedToken
                {
                    Index = index,
                    Position = position,
                    Id = id,
                    Text = "",
                    Logit = ranking.Logit,
                    LogProbability = ranking.LogProbability,
                    SteeredLogProbability = steered is null ? null : TokenRanking.Of(steered, id, 0).LogProbability,
                    Candidates =
                    [
                        .. ranking.Candidates.Select(candidate => candidate with { Text = TextOf(candidate.Id) }),
                    ],
                    EndsAnswer = _givenAnswer.Length == 0 && _model.Vocabulary.EndsAnswer(id),
                };
            },
            cancellationToken
        );

    private string TextOf(int id) => Encoding.UTF8.GetString(_model.Vocabulary.GetBytes(id));

    /// <summary>
    /// Computes the answer's tokens before one, where that has not happened yet: the one just written, or a batch of a
    /// given answer.
    /// </summary>
    /// <returns>False if the context is full.</returns>
    private bool ComputeBefore(SequenceDecoder decoder, int index)
    {
        if (index <= _computedAnswer)
        {
            return true;
        }

        var left = _givenAnswer.Length - 1 - _computedAnswer;
        var count = _givenAnswer.Length == 0 ? 1 : Math.Min(decoder.AnswerBatchSize, left);
        if (!decoder.TryDecode(_tokenIds.AsSpan(PromptTokenCount + _computedAnswer, count), LogitRows.All))
        {
            return false;
        }

        _batchStart = _computedAnswer;
        _computedAnswer += count;
        return true;
    }

    /// <summary>Runs native work alone, and turns disposal and cancellation into their exceptions.</summary>
    private T Exclusively<T>(Func<T> work, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _busy, 1) != 0)
        {
            throw new InvalidOperationException("the completion is already at work; use it from one caller at a time");
        }

        var isDone = false;
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            cancellationToken.ThrowIfCancellationRequested();
            using var redirection = NativeLog.To(_model.Options.LoggerFactory);
            var result = work();
            isDone = true;
            return result;
        }
        catch (OperationCanceledException e) when (e.CancellationToken != cancellationToken || _disposed)
        {
            // Native calls do not know why they had to end.
            cancellationToken.ThrowIfCancellationRequested();
            ObjectDisposedException.ThrowIf(_disposed, this);
            throw;
        }
        finally
        {
            _hasFailed |= !isDone;
            if (_disposed)
            {
                // If it was disposed while the context was made, nobody else knows of the context.
                ReleaseNative();
            }

            Volatile.Write(ref _busy, 0);
        }
    }

    [LoggerMessage(
        EventId = 2,
        EventName = "AnswerBegun",
        Level = LogLevel.Debug,
        Message = "{Model}: a prompt of {PromptTokens} tokens, with {Pictures} pictures"
    )]
    private static partial void LogBegin(ILogger logger, string model, int promptTokens, int pictures);

    [LoggerMessage(
        EventId = 3,
        EventName = "AnswerEnded",
        Level = LogLevel.Debug,
        Message = "{Model}: an answer of {AnswerTokens} tokens, in {Seconds:F2} s ({StopReason})"
    )]
    private static partial void LogEnd(
        ILogger logger,
        string model,
        int answerTokens,
        double seconds,
        StopReason stopReason
    );
}
