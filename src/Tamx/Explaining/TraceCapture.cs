using System.Collections.Immutable;
using System.Reflection;
using Tamx.Kernels;
using Tamx.Llama;

namespace Tamx;

/// <summary>Makes traces of a completion's prompt and of the answer so far. Used by one thread at a time.</summary>
/// <param name="model">The model.</param>
/// <param name="completion">The completion, with its prompt computed.</param>
/// <param name="options">How the answer is generated and explained.</param>
internal sealed class TraceCapture(VisionLanguageModel model, Completion completion, ExplainOptions options)
{
    private readonly OutputRowCache _rows = new(model.OutputEmbedding);
    private readonly EvidenceCapture? _evidence = options.CaptureEvidence
        ? new EvidenceCapture(model, completion)
        : null;

    private readonly CellOrder? _order = CellOrder.Of(completion.Pictures);

    /// <summary>Per layer the rows after the output norm, their sums over the vocabulary, and their number.</summary>
    private readonly Dictionary<int, (float[] States, float[] LogSums, int Count)> _layers = [];

    private int[]? _standInIds;

    /// <summary>ln p of each answer token without the options' region; null where it was not read.</summary>
    public IReadOnlyList<double>? LogProbabilitiesWithoutRegion { get; set; }

    /// <summary>Marker ids of the vocabulary.</summary>
    public MarkerIds Markers { get; } = MarkerIds.Find(model.Vocabulary);

    /// <summary>A token's bytes. They are UTF-8 and may be a part of a character.</summary>
    public ReadOnlyMemory<byte> GetBytes(int tokenId) => model.Vocabulary.GetBytes(tokenId);

    /// <summary>Output-embedding row and text of a token.</summary>
    public (float[] Row, ReadOnlyMemory<byte>? Text) ReadOutput(int tokenId) =>
        (_rows.Read([tokenId]), GetBytes(tokenId));

    /// <summary>The hidden state of the position that predicted a token, after a layer; -1 for the last.</summary>
    public float[] PredictingState(GeneratedToken token, int layer = -1)
    {
        var size = model.Facts.HiddenSize;
        var rows = layer < 0 ? completion.HiddenStates : completion.ResidualOf(layer);
        var state = rows.Slice((token.Position - 1) * size, size).ToArray();
        if (layer >= 0)
        {
            model.OutputNorm.Apply(state, state);
        }

        return state;
    }

    /// <summary>Turns attention into evidence before it takes too much memory.</summary>
    public void KeepAttention(List<GeneratedToken> tokens, CancellationToken cancellationToken) =>
        _evidence?.TakeIfLarge(tokens, cancellationToken);

    /// <summary>The trace of the prompt, with the answer so far or without.</summary>
    /// <param name="tokens">The answer's tokens, with their candidates; null for the prompt alone.</param>
    /// <param name="engine">Finds the row that stands in for the first prompt token's, as in the paper's code.</param>
    /// <param name="seconds">Seconds spent per phase.</param>
    /// <param name="cancellationToken">Cancels by throwing.</param>
    public Trace Take(
        List<GeneratedToken>? tokens,
        ITamEngine engine,
        IReadOnlyDictionary<string, double> seconds,
        CancellationToken cancellationToken
    )
    {
        if (options.Tam.StandInContextMaps && _standInIds is null)
        {
            // In the paper's code the strongest class of the whole vocabulary stands in for the first prompt token. So
            // its row must be in the trace.
            var prompt = Make(null, engine, seconds, cancellationToken);
            _standInIds = prompt.ParsePromptLayout(options.Tam).ContextPositions is [var first, ..]
                ? [FindBest(new TraceRows(prompt).StatesOf(first, 1), engine, cancellationToken)]
                : [];
        }

        return Make(tokens, engine, seconds, cancellationToken);
    }

    private int FindBest(ReadOnlySpan<float> state, ITamEngine engine, CancellationToken cancellationToken) =>
        VocabularySearch.Run(model.OutputEmbedding, state, 1, engine, cancellationToken: cancellationToken).Best[0].Id;

    private Trace Make(
        List<GeneratedToken>? tokens,
        ITamEngine engine,
        IReadOnlyDictionary<string, double> seconds,
        CancellationToken cancellationToken
    )
    {
        if (tokens is not null)
        {
            _evidence?.Take(tokens, cancellationToken);
        }

        var ids = completion.TokenIds[..(completion.PromptTokenCount + (tokens?.Count ?? 0))].ToArray();
        ids = _order?.Apply(ids) ?? ids;
        var candidates = (tokens ?? []).SelectMany(token => token.Candidates.Select(candidate => candidate.Id));
        int[] outputIds = [.. ids.Concat(candidates).Concat(_standInIds ?? []).Distinct().Order()];
        return new Trace
        {
            TokenIds = [.. ids],
            HiddenSize = model.Facts.HiddenSize,
            // A given answer is read in batches, so the completion may be ahead of the tokens asked for.
            HiddenStates = Ordered(
                completion.HiddenStates[
                    ..Math.Min(completion.HiddenStates.Length, ids.Length * model.Facts.HiddenSize)
                ],
                model.Facts.HiddenSize
            ),
            Layers = [.. options.Completion.Layers.Select(layer => StatesOf(layer, ids, engine, cancellationToken))],
            Evidence = tokens is null
                ? null
                : _evidence?.Steps.Take(tokens.Count).Select(step => _order?.Apply(step) ?? step).ToArray(),
            OutputIds = [.. outputIds],
            OutputRows = _rows.Read(outputIds),
            OutputTexts = [.. outputIds.Select(GetBytes)],
            ImageGrids =
            [
                .. completion
                    .Pictures.Where(picture => picture.VideoIndex is null)
                    .Select(picture => GridOf(picture, 1)),
            ],
            VideoGrids =
            [
                .. completion
                    .Pictures.Where(picture => picture.VideoIndex is not null)
                    .GroupBy(picture => picture.VideoIndex)
                    .Select(patches => GridOf(patches.First(), patches.Count())),
            ],
            CandidateIds = tokens
                ?.Select(token => token.Candidates.Select(candidate => candidate.Id).ToImmutableArray())
                .ToArray(),
            CandidateProbabilities = tokens
                ?.Select(token => token.Candidates.Select(candidate => candidate.Probability).ToImmutableArray())
                .ToArray(),
            AnswerProbabilities = tokens?.Select(token => token.Probability).ToImmutableArray(),
            RegionChanges = tokens is null ? null : ChangesOf(tokens),
            Markers = Markers,
            Pictures =
            [
                .. completion.Pictures.Select(picture => new TracePicture(
                    picture.BlockIndex,
                    picture.FrameIndex,
                    picture.MediaType,
                    picture.Encoded,
                    picture.Width,
                    picture.Height,
                    picture.Seconds,
                    picture.Name
                )),
            ],
            Run = RunOf(seconds),
        };
    }

    private ImmutableArray<float>? ChangesOf(List<GeneratedToken> tokens) =>
        options.Completion.Region switch
        {
            { Use: RegionUse.LookAt } =>
            [
                .. tokens.Select(token =>
                    (float)((token.SteeredLogProbability ?? token.LogProbability) - token.LogProbability)
                ),
            ],
            not null when LogProbabilitiesWithoutRegion is { } without =>
            [
                .. tokens.Zip(without, (token, own) => (float)(token.LogProbability - own)),
            ],
            _ => null,
        };

    /// <summary>The hidden states after a layer, as many rows as the last ones. Rows once made stay.</summary>
    private LayerStates StatesOf(int layer, int[] ids, ITamEngine engine, CancellationToken cancellationToken)
    {
        var size = model.Facts.HiddenSize;
        var residual = completion.ResidualOf(layer);
        var count = Math.Min(residual.Length / size, ids.Length);
        var (states, logSums, known) = _layers.GetValueOrDefault(layer, ([], [], 0));
        if (known < count)
        {
            if (states.Length < count * size)
            {
                // Earlier traces keep the shorter arrays.
                var capacity = Math.Max(count, Math.Min(2 * known, completion.ContextSize));
                Array.Resize(ref states, capacity * size);
                Array.Resize(ref logSums, capacity);
            }

            var rows = states.AsSpan(known * size, (count - known) * size);
            model.OutputNorm.Apply(residual.Span.Slice(known * size, rows.Length), rows);
            if (options.CaptureLogSums)
            {
                LogSumsOf(rows, engine, cancellationToken).CopyTo(logSums, known);
            }

            _layers[layer] = (states, logSums, count);
        }

        return new LayerStates(
            layer,
            Ordered(states.AsMemory(0, count * size), size),
            options.CaptureLogSums ? Ordered(logSums.AsMemory(0, count), 1) : default(ReadOnlyMemory<float>?)
        );
    }

    private ReadOnlyMemory<float> Ordered(ReadOnlyMemory<float> rows, int size) => _order?.Apply(rows, size) ?? rows;

    /// <summary>Per position ln of the sum of exp(logit) over the vocabulary.</summary>
    private float[] LogSumsOf(ReadOnlySpan<float> states, ITamEngine engine, CancellationToken cancellationToken)
    {
        var found = VocabularySearch.Run(
            model.OutputEmbedding,
            states,
            1,
            engine,
            cancellationToken: cancellationToken
        );
        return Array.ConvertAll(found.LogSums, logSum => (float)logSum);
    }

    private PatchGrid GridOf(PromptPicture picture, int frames)
    {
        var merge = model.Projector?.SpatialMergeSize ?? 1;
        return new PatchGrid(frames, picture.Rows * merge, picture.Columns * merge);
    }

    private RunInfo RunOf(IReadOnlyDictionary<string, double> seconds)
    {
        var sampling = options.Completion;
        var hasPenalties =
            (sampling.PresencePenalty, sampling.FrequencyPenalty, sampling.RepeatPenalty) is not (0, 0, 1);
        return new RunInfo
        {
            Model = model.Facts.Name ?? Path.GetFileName(model.Facts.Path),
            ModelDescription = model.Facts.Description,
            ModelFile = Path.GetFileName(model.Facts.Path),
            ProjectorFile = Path.GetFileName(model.Projector?.Path),
            Architecture = model.Facts.Architecture,
            AttentionLayers =
                model.Facts.AttentionLayers.Count < model.Facts.LayerCount
                    ? $"{model.Facts.AttentionLayers.Count} of {model.Facts.LayerCount}"
                    : null,
            Quantization = model.Facts.Quantization,
            LlamaVersion = LlamaRuntime.Version,
            TamxVersion = typeof(Explainer)
                .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
                ?.InformationalVersion.Split('+')[0],
            Created = TimeProvider.System.GetUtcNow(),
            Temperature = sampling.Temperature,
            TopK = sampling.TopK,
            TopP = sampling.TopP,
            MinP = sampling.MinP > 0 ? sampling.MinP : null,
            PresencePenalty = sampling.PresencePenalty != 0 ? sampling.PresencePenalty : null,
            FrequencyPenalty = sampling.FrequencyPenalty != 0 ? sampling.FrequencyPenalty : null,
            RepeatPenalty = sampling.RepeatPenalty != 1 ? sampling.RepeatPenalty : null,
            RepeatLastN = hasPenalties ? sampling.RepeatLastN : null,
            LogitBias = sampling.LogitBias.Count > 0 ? sampling.LogitBias : null,
            StopTexts = sampling.StopTexts.Count > 0 ? sampling.StopTexts : null,
            Region = sampling.Region,
            Seed = sampling.Seed,
            ContextSize = completion.ContextSize,
            ThreadCount = model.Options.ThreadCount,
            GpuLayerCount = model.Options.GpuLayerCount,
            Seconds = seconds,
        };
    }
}
