using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.AI;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx;

/// <summary>A model as a chat client; <see cref="TamxChatClientExtensions.AsChatClient"/> says what it does.</summary>
internal sealed class TamxChatClient : IChatClient
{
    private readonly VisionLanguageModel _model;
    private readonly TamxChatClientOptions _options;
    private readonly ChatClientMetadata _metadata;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly CancellationTokenSource _end = new();
    private readonly ITamEngine? _givenEngine;
    private ITamEngine? _ownEngine;
    private volatile Explanation? _last;
    private int _disposed;

    public TamxChatClient(VisionLanguageModel model, TamxChatClientOptions options, ITamEngine? engine)
    {
        _model = model;
        _options = options;
        _givenEngine = engine;
        _metadata = new ChatClientMetadata(
            "tamx",
            defaultModelId: model.Facts.Name ?? Path.GetFileNameWithoutExtension(model.Facts.Path)
        );
    }

    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(messages);
        var frame = new AnswerFrame(_metadata.DefaultModelId!, WithoutThought(options));
        var outcome = await AnswerAsync([.. messages], options, null, cancellationToken).ConfigureAwait(false);
        return frame.Whole(outcome);
    }

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(messages);
        return StreamAsync([.. messages], options, cancellationToken);
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? _metadata
            : serviceType == typeof(VisionLanguageModel) ? _model
            : serviceType == typeof(Explanation) ? _last
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        // Whoever writes an answer gives the engine back at its end.
        _end.Cancel();
        _last = null;
        if (_turn.Wait(0))
        {
            EndTurn();
        }
    }

    /// <summary>
    /// Writes an answer at the model's pace, whatever its reader's: who reads slowly, or asks again before the end,
    /// holds nobody up.
    /// </summary>
    private async IAsyncEnumerable<ChatResponseUpdate> StreamAsync(
        IReadOnlyList<ChatMessage> messages,
        ChatOptions? options,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var updates = Channel.CreateUnbounded<ChatResponseUpdate>();
        var frame = new AnswerFrame(_metadata.DefaultModelId!, WithoutThought(options));
        var work = Task.Run(WriteAsync, CancellationToken.None);
        try
        {
            await foreach (var update in updates.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
            {
                yield return update;
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await work.ConfigureAwait(false);
        }

        async Task WriteAsync()
        {
            try
            {
                var outcome = await AnswerAsync(
                        messages,
                        options,
                        (token, piece) => updates.Writer.TryWrite(frame.Update(token, piece)),
                        stop.Token
                    )
                    .ConfigureAwait(false);
                updates.Writer.TryWrite(frame.Last(outcome));
                updates.Writer.Complete();
            }
            catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
            {
                updates.Writer.Complete(new OperationCanceledException(e.Message, e, cancellationToken));
            }
            catch (Exception e)
            {
                updates.Writer.Complete(e);
            }
        }
    }

    /// <summary>Waits for the model, and lets it answer.</summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="options">The request's options.</param>
    /// <param name="onToken">Told of each token, a <see cref="StreamedToken"/> if it has maps; null for nobody.</param>
    /// <param name="cancellationToken">Ends the waiting and the work.</param>
    private async Task<AnswerOutcome> AnswerAsync(
        IReadOnlyList<ChatMessage> messages,
        ChatOptions? options,
        Action<object, AnswerPiece>? onToken,
        CancellationToken cancellationToken
    )
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        var explain = ChatOptionsReader.Read(this, options, _options.Explain);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _end.Token);
        try
        {
            await _turn.WaitAsync(either.Token).ConfigureAwait(false);
            try
            {
                var turns = await Task.Run(
                        () => new ChatMessageReader(_options, either.Token).Read(messages, options?.Instructions),
                        either.Token
                    )
                    .ConfigureAwait(false);
                return _options.WithMaps
                    ? await ExplainAsync(turns, explain, onToken, either.Token).ConfigureAwait(false)
                    : await WriteAsync(turns, explain, onToken, either.Token).ConfigureAwait(false);
            }
            finally
            {
                EndTurn();
            }
        }
        catch (OperationCanceledException e)
        {
            // The tokens are joined; callers know their own.
            cancellationToken.ThrowIfCancellationRequested();
            throw Volatile.Read(ref _disposed) != 0
                ? new ObjectDisposedException("the chat client was disposed while it wrote", e)
                : e;
        }
    }

    private async Task<AnswerOutcome> ExplainAsync(
        IReadOnlyList<ChatTurn> turns,
        ExplainOptions options,
        Action<object, AnswerPiece>? onToken,
        CancellationToken cancellationToken
    )
    {
        var engine = _givenEngine ?? (_ownEngine ??= TamEngines.Create(EngineKind.Auto));
        using var live = await Explainer
            .StartAsync(_model, turns, options, engine, null, cancellationToken)
            .ConfigureAwait(false);
        var count = 0;
        try
        {
            if (onToken is null)
            {
                await foreach (var token in live.WriteAsync(cancellationToken).ConfigureAwait(false))
                {
                    count++;
                }
            }
            else
            {
                await foreach (var token in live.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    count++;
                    onToken(token, token.Piece);
                }
            }
        }
        catch (InvalidInputException) when (count == 0 && live.StopReason != StopReason.None)
        {
            // An answer without a token is one nevertheless.
            return new AnswerOutcome("", null, live.StopReason, live.PromptTokenCount, 0, 0, null);
        }

        var explanation = onToken is null
            ? await live.ExplainWrittenAsync(cancellationToken).ConfigureAwait(false)
            : live.Finish();
        _last = explanation;
        return new AnswerOutcome(
            explanation.Answer,
            explanation.Thought,
            explanation.StopReason,
            live.PromptTokenCount,
            count,
            explanation.Maps.Layout.ThoughtCount,
            explanation
        );
    }

    private async Task<AnswerOutcome> WriteAsync(
        IReadOnlyList<ChatTurn> turns,
        ExplainOptions options,
        Action<object, AnswerPiece>? onToken,
        CancellationToken cancellationToken
    )
    {
        var plain = options.Completion with { CaptureHiddenStates = false };
        using var completion = await Task.Run(
                () =>
                    options.AnswerIds is { } answer
                        ? _model.CreateCompletion(turns, answer, plain)
                        : _model.CreateCompletion(turns, plain),
                cancellationToken
            )
            .ConfigureAwait(false);
        var text = new AnswerText(MarkerIds.Find(_model.Vocabulary), PromptOf(completion));
        var (count, thoughtCount) = (0, 0);
        await foreach (var token in completion.GenerateAsync(cancellationToken).ConfigureAwait(false))
        {
            var piece = text.Add(token);
            count++;
            thoughtCount += piece.IsThought ? 1 : 0;
            onToken?.Invoke(token, piece);
        }

        return new AnswerOutcome(
            text.Answer,
            text.Thought,
            completion.StopReason,
            completion.PromptTokenCount,
            count,
            thoughtCount,
            null
        );

        static ReadOnlySpan<int> PromptOf(Completion completion) => completion.TokenIds[..completion.PromptTokenCount];
    }

    private void EndTurn()
    {
        if (Volatile.Read(ref _disposed) != 0)
        {
            Interlocked.Exchange(ref _ownEngine, null)?.Dispose();
        }

        _turn.Release();
    }

    private static bool WithoutThought(ChatOptions? options) => options?.Reasoning?.Output == ReasoningOutput.None;
}
