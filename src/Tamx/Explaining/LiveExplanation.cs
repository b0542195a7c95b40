using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx;

/// <summary>One explained token of an answer that is being written.</summary>
/// <param name="Generated">The token as the model wrote it.</param>
/// <param name="Explained">The maps and text relevance of the token and its candidates. They are final.</param>
public sealed record StreamedToken(GeneratedToken Generated, AnswerToken Explained)
{
    /// <summary>What <see cref="Explanation.Answer"/> and <see cref="Explanation.Thought"/> grow by.</summary>
    public AnswerPiece Piece { get; init; } = new(false, "", "");
}

/// <summary>An answer that is explained while it is written. Each token comes with its maps.</summary>
/// <remarks>
/// <para>
/// A token's maps depend only on the tokens before it. Its normalisation covers only the token and its step's
/// candidates. So what has been read never changes. The maps of the earlier text are kept: a new token costs the
/// products of its own rows and a sum over that text.
/// </para>
/// <para>
/// <see cref="Finish"/> returns the same tokens. With the reference engine they equal those of
/// <see cref="Explainer.ExplainAsync"/> bit for bit. Other engines sum a whole answer in another order, so they differ
/// within their stated tolerance.
/// </para>
/// <para>
/// Maps of <see cref="MapMethod.Tam"/> come one by one. Those of the other methods come in groups of 1, 2, 4, 8 and then
/// 16 tokens, since a group costs them hardly more than a token. Who stops reading within a group that is being written
/// loses its tokens.
/// </para>
/// <para>For one caller at a time. The model stays the caller's, and so does an engine that was passed.</para>
/// </remarks>
public sealed partial class LiveExplanation : IDisposable
{
    /// <summary>
    /// Evidence reads every layer's output weights, and the lens the whole output embedding, however few tokens are
    /// explained. So these come in groups of 1, 2, 4, ... tokens, up to this.
    /// </summary>
    private const int LargestGroup = 16;

    private readonly VisionLanguageModel _model;
    private readonly IReadOnlyList<ChatTurn> _turns;
    private readonly Completion _completion;
    private readonly TraceCapture _capture;
    private readonly ExplainOptions _options;
    private readonly ITamEngine _engine;
    private readonly ITamEngine? _ownEngine;
    private readonly IProgress<ExplainProgress>? _progress;
    private readonly Dictionary<string, double> _seconds = [];
    private readonly List<GeneratedToken> _tokens = [];
    private readonly List<AnswerToken> _explained = [];
    private Explanation? _prompt;
    private MapStream? _maps;

    private LiveExplanation(
        VisionLanguageModel model,
        IReadOnlyList<ChatTurn> turns,
        Completion completion,
        ExplainOptions options,
        ITamEngine engine,
        ITamEngine? ownEngine,
        IProgress<ExplainProgress>? progress
    )
    {
        _model = model;
        _turns = turns;
        _completion = completion;
        _capture = new TraceCapture(model, completion, options);
        _options = options;
        _engine = engine;
        _ownEngine = ownEngine;
        _progress = progress;
    }

    /// <summary>Tokens of the prompt, cells of pictures included.</summary>
    public int PromptTokenCount => _completion.PromptTokenCount;

    /// <summary>Why the answer ended.</summary>
    internal StopReason StopReason => _completion.StopReason;

    /// <summary>Token ids of the prompt and of the answer so far.</summary>
    public ReadOnlySpan<int> TokenIds => _completion.TokenIds;

    /// <summary>A token's bytes. They are UTF-8 and may be a part of a character.</summary>
    /// <param name="tokenId">Token id.</param>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public ReadOnlyMemory<byte> GetBytes(int tokenId) => _capture.GetBytes(tokenId);

    /// <summary>
    /// The prompt's layout, and its explained tokens if <see cref="TamOptions.ExplainPrompt"/> is on.
    /// </summary>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    /// <returns>An explanation with an empty answer; the same one at every call.</returns>
    /// <exception cref="InvalidInputException">A hidden state is not finite.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public Explanation ExplainPrompt(CancellationToken cancellationToken = default)
    {
        if (_prompt is null)
        {
            var trace = _capture.Take(null, _engine, _seconds, cancellationToken);
            _maps = new MapStream(trace, _options.Tam, _engine, cancellationToken);
            _prompt = new Explanation(trace, _maps.Prompt, "", StopReason.None);
        }

        return _prompt;
    }

    /// <summary>Writes the answer, token by token.</summary>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    /// <returns>
    /// The explained tokens in order. The end token is left out if <see cref="ExplainOptions.ExplainEndToken"/> is off.
    /// </returns>
    /// <exception cref="InvalidInputException">
    /// The answer has no token to explain, or a hidden state is not finite.
    /// </exception>
    /// <exception cref="InvalidOperationException">The answer has been read before.</exception>
    /// <exception cref="LlamaException">llama.cpp failed.</exception>
    /// <exception cref="ObjectDisposedException">This explanation was disposed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async IAsyncEnumerable<StreamedToken> ReadAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        var text = NewText();
        var group = new List<GeneratedToken>();
        var groupSize = 1;
        try
        {
            await foreach (var token in WriteAsync(cancellationToken).ConfigureAwait(false))
            {
                group.Add(token);
                if (group.Count < groupSize)
                {
                    continue;
                }

                foreach (var explained in await ExplainGroupAsync().ConfigureAwait(false))
                {
                    _explained.Add(explained.Explained);
                    yield return explained;
                }

                groupSize = _options.Tam.Method == MapMethod.Tam ? 1 : Math.Min(2 * groupSize, LargestGroup);
            }

            foreach (var explained in await ExplainGroupAsync().ConfigureAwait(false))
            {
                _explained.Add(explained.Explained);
                yield return explained;
            }
        }
        finally
        {
            // Tokens without maps must not count, so that Finish works for those read before.
            _tokens.RemoveRange(_explained.Count, _tokens.Count - _explained.Count);
        }

        async Task<StreamedToken[]> ExplainGroupAsync()
        {
            if (group.Count == 0)
            {
                return [];
            }

            var clock = Stopwatch.StartNew();
            var explained = await Task.Run(() => Explain(group, cancellationToken), cancellationToken)
                .ConfigureAwait(false);
            AddSeconds("maps", clock);
            StreamedToken[] streamed =
            [
                .. group.Zip(explained, (token, maps) => new StreamedToken(token, maps) { Piece = text.Add(token) }),
            ];
            group.Clear();
            return streamed;
        }
    }

    /// <summary>The explanation of the tokens read so far: of the whole answer once all are read.</summary>
    /// <exception cref="InvalidOperationException">No token has been read.</exception>
    public Explanation Finish()
    {
        if (_explained.Count == 0)
        {
            throw new InvalidOperationException("no token has been read; there is nothing to explain yet");
        }

        var trace = _capture.Take(_tokens, _engine, _seconds, CancellationToken.None);
        trace.Validate();
        var layout = trace.ParseLayout(_options.Tam);
        var prompt = ExplainPrompt().Maps.Prompt;
        NoteMaps(_explained.Count);
        return Explanation(
            trace,
            ActivationMaps.Assemble(layout, _options.Tam, _engine, prompt, [.. _explained], trace)
        );
    }

    /// <summary>
    /// Writes the answer, token by token, without explaining it; <see cref="ExplainWrittenAsync"/> does that at once,
    /// for less work than <see cref="ReadAsync"/>. Whoever stops reading keeps what was written.
    /// </summary>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    /// <returns>
    /// The tokens in order. The end token is left out if <see cref="ExplainOptions.ExplainEndToken"/> is off.
    /// </returns>
    /// <exception cref="InvalidInputException">The answer has no token to explain.</exception>
    /// <exception cref="InvalidOperationException">The answer has been read or written before.</exception>
    /// <exception cref="LlamaException">llama.cpp failed.</exception>
    /// <exception cref="ObjectDisposedException">This explanation was disposed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async IAsyncEnumerable<GeneratedToken> WriteAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        var clock = Stopwatch.StartNew();
        var count = 0;
        await foreach (var token in _completion.GenerateAsync(cancellationToken).ConfigureAwait(false))
        {
            _progress?.Report(new ExplainProgress("generate", ++count, _completion.MaxAnswerTokens, token));
            if (token.EndsAnswer && !_options.ExplainEndToken)
            {
                continue;
            }

            _tokens.Add(token);
            AddSeconds("generate", clock);
            _capture.KeepAttention(_tokens, cancellationToken);
            yield return token;
            clock.Restart();
        }

        AddSeconds("generate", clock);
        await ReadWithoutRegionAsync(cancellationToken).ConfigureAwait(false);
        if (_tokens.Count == 0 && _completion.StopReason == StopReason.StopText)
        {
            throw InvalidInputException.Naming(
                $"the answer has no token to explain: it begins with a stop text ({new Setting(nameof(CompletionOptions.StopTexts))})"
            );
        }

        if (_tokens.Count == 0)
        {
            throw InvalidInputException.Naming(
                $"the answer has no token to explain; ask something else, or allow more tokens ({new Setting(nameof(CompletionOptions.MaxNewTokens))})"
            );
        }
    }

    /// <summary>Lets the model read the answer once more with the picture as it is.</summary>
    private async Task ReadWithoutRegionAsync(CancellationToken cancellationToken)
    {
        if (_options.Completion.Region is not { Use: not RegionUse.LookAt } || _tokens.Count == 0)
        {
            return;
        }

        var clock = Stopwatch.StartNew();
        var options = _options.Completion with
        {
            Region = null,
            PromptCache = null,
            CandidateCount = 0,
            CaptureHiddenStates = false,
            CaptureAttention = false,
            Layers = [],
        };
        var isGiven = _options.AnswerIds is null && _turns is [.., { Role: TurnRole.Assistant }];
        using var completion = isGiven
            ? _model.CreateCompletion(_turns, options)
            : _model.CreateCompletion(_turns, [.. _tokens.Select(token => token.Id)], options);
        List<double> own = [];
        await foreach (var token in completion.GenerateAsync(cancellationToken).ConfigureAwait(false))
        {
            own.Add(token.LogProbability);
        }

        _capture.LogProbabilitiesWithoutRegion = own;
        AddSeconds("region", clock);
    }

    /// <summary>Explains at once what <see cref="WriteAsync"/> has written so far.</summary>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    /// <exception cref="InvalidInputException">A hidden state is not finite.</exception>
    /// <exception cref="InvalidOperationException">No token has been written.</exception>
    /// <exception cref="EngineUnavailableException">The engine's device fails or lacks memory.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task<Explanation> ExplainWrittenAsync(CancellationToken cancellationToken = default)
    {
        if (_tokens.Count == 0)
        {
            throw new InvalidOperationException("no token has been written; there is nothing to explain yet");
        }

        _progress?.Report(new ExplainProgress("maps", 0, _tokens.Count));
        var clock = Stopwatch.StartNew();
        using var activity = LibraryTelemetry.Source.StartActivity("tamx.maps");
        activity?.SetTag("tamx.engine", _engine.Name);
        activity?.SetTag("tamx.tokens", _tokens.Count);
        var trace = _capture.Take(_tokens, _engine, _seconds, cancellationToken);
        var maps = await Task.Run(
                () => ActivationMaps.Compute(trace, _options.Tam, _engine, cancellationToken),
                cancellationToken
            )
            .ConfigureAwait(false);
        AddSeconds("maps", clock);
        NoteMaps(_tokens.Count);
        _progress?.Report(new ExplainProgress("maps", _tokens.Count, _tokens.Count));
        return Explanation(trace, maps);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _completion.Dispose();
        _ownEngine?.Dispose();
    }

    /// <summary>Computes the prompt.</summary>
    internal static async Task<LiveExplanation> StartAsync(
        VisionLanguageModel model,
        IReadOnlyList<ChatTurn> turns,
        ExplainOptions options,
        ITamEngine? engine,
        IProgress<ExplainProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        options.Tam.Validate();
        if (options.Tam.Layer >= model.Facts.LayerCount)
        {
            throw InvalidInputException.Naming(
                $"layer {options.Tam.Layer} ({new Setting(nameof(TamOptions.Layer))}): {model.Facts.Path} has layers 0 to {model.Facts.LayerCount - 1}"
            );
        }

        options = options.WithCapture();
        var ownEngine = engine is null ? EngineLog.Create(new EngineOptions(), model.Options.LoggerFactory) : null;
        Completion? completion = null;
        try
        {
            var clock = Stopwatch.StartNew();
            completion = await Task.Run(
                    () =>
                        options.AnswerIds is { } answer
                            ? model.CreateCompletion(turns, answer, options.Completion)
                            : model.CreateCompletion(turns, options.Completion),
                    cancellationToken
                )
                .ConfigureAwait(false);
            await completion
                .PrefillAsync(progress is null ? null : new Forward(progress), cancellationToken)
                .ConfigureAwait(false);
            var live = new LiveExplanation(
                model,
                turns,
                completion,
                options,
                engine ?? ownEngine!,
                ownEngine,
                progress
            );
            live.AddSeconds("prefill", clock);
            return live;
        }
        catch
        {
            completion?.Dispose();
            ownEngine?.Dispose();
            throw;
        }
    }

    /// <summary>Explains the tokens that were written last.</summary>
    private AnswerToken[] Explain(List<GeneratedToken> group, CancellationToken cancellationToken)
    {
        ExplainPrompt(cancellationToken);
        if (_options.Tam.Method != MapMethod.Tam)
        {
            // Scores are read, not multiplied, so there is nothing to keep from token to token.
            var trace = _capture.Take(_tokens, _engine, _seconds, cancellationToken);
            var first = _tokens.Count - group.Count;
            return ActivationMaps.ComputeAnswerFrom(trace, first, _options.Tam, _engine, cancellationToken);
        }

        var token = group[0];
        var state = _capture.PredictingState(token);
        return
        [
            _maps!.Next(
                token.Id,
                token.Probability,
                [.. token.Candidates.Select(candidate => candidate.Id)],
                [.. token.Candidates.Select(candidate => candidate.Probability)],
                state,
                _options.Tam.Layer < 0 ? state : _capture.PredictingState(token, _options.Tam.Layer),
                _capture.ReadOutput,
                cancellationToken
            ),
        ];
    }

    private Explanation Explanation(Trace trace, ActivationMaps maps)
    {
        var text = NewText();
        foreach (var token in _tokens)
        {
            text.Add(token);
        }

        return new Explanation(trace, maps, text.Answer, _completion.StopReason)
        {
            Thought = text.Thought,
            Text = text.Whole,
        };
    }

    private void NoteMaps(int tokenCount)
    {
        var seconds = _seconds.GetValueOrDefault("maps");
        LibraryTelemetry.MapsDuration.Record(
            seconds,
            new("tamx.engine", _engine.Name),
            new("gen_ai.request.model", _model.Name)
        );
        var logger = _model.Options.LoggerFactory.CreateLogger(LogCategories.Maps);
        LogMaps(logger, tokenCount, _engine.Name, seconds);
    }

    [LoggerMessage(
        EventId = 2,
        EventName = "MapsComputed",
        Level = LogLevel.Debug,
        Message = "maps of {Tokens} tokens by engine {Engine}, in {Seconds:F2} s"
    )]
    private static partial void LogMaps(ILogger logger, int tokens, string engine, double seconds);

    private AnswerText NewText() => new(_capture.Markers, TokenIds[..PromptTokenCount]);

    private void AddSeconds(string phase, Stopwatch clock) =>
        _seconds[phase] = _seconds.GetValueOrDefault(phase) + clock.Elapsed.TotalSeconds;

    private sealed class Forward(IProgress<ExplainProgress> progress) : IProgress<CompletionProgress>
    {
        public void Report(CompletionProgress value) =>
            progress.Report(new ExplainProgress(value.Stage, value.Done, value.Total));
    }
}
