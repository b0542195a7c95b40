using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;

namespace Tamx.Evaluation;

/// <summary>How far an evaluation has come.</summary>
/// <param name="Done">Samples done.</param>
/// <param name="Total">Samples in all.</param>
public readonly record struct EvaluationProgress(int Done, int Total);

/// <summary>
/// Measures whether maps are true. A model answers questions about pictures whose objects are known, and the maps of
/// its words are scored.
/// </summary>
public static class MapEvaluation
{
    /// <summary>
    /// Evaluates a model on samples. Each is answered once, greedily, and all kinds of maps come from that one trace.
    /// </summary>
    /// <param name="model">The model, with its projector.</param>
    /// <param name="samples">The samples, enumerated once.</param>
    /// <param name="sampleCount">Their number.</param>
    /// <param name="options">How to evaluate.</param>
    /// <param name="against">
    /// Another model to compare maps with: another quantization of the same, for example. It is given each answer. Null
    /// for none.
    /// </param>
    /// <param name="engine">
    /// What computes the maps. It stays the caller's, and works for nobody else meanwhile. Null to create the best
    /// there is for this run.
    /// </param>
    /// <param name="log">
    /// Where finished results are kept. What it holds already is not measured again. Null to keep them in memory alone.
    /// </param>
    /// <param name="progress">Told how many samples are done.</param>
    /// <param name="cancellationToken">Ends the work within one decode. Finished results are in the log.</param>
    /// <returns>The results in the samples' order.</returns>
    /// <exception cref="InvalidInputException">
    /// A sample cannot be used (its label map has another size than its picture, for example), or an option.
    /// </exception>
    /// <exception cref="EngineUnavailableException">The engine's device fails or lacks memory.</exception>
    /// <exception cref="LlamaException">llama.cpp failed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task<IReadOnlyList<SampleResult>> RunAsync(
        VisionLanguageModel model,
        IEnumerable<EvaluationSample> samples,
        int sampleCount,
        EvaluationOptions options,
        VisionLanguageModel? against = null,
        ITamEngine? engine = null,
        ResultLog? log = null,
        IProgress<EvaluationProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentNullException.ThrowIfNull(options);
        options.Tam.Validate();
        using var ownEngine = engine is null ? TamEngines.Create(EngineKind.Auto) : null;
        engine ??= ownEngine!;
        var results = new List<SampleResult>();
        foreach (var sample in samples)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var result = log?.Results.GetValueOrDefault(sample.Name);
            if (result is null)
            {
                result = await MeasureAsync(model, against, sample, results.Count, options, engine, cancellationToken)
                    .ConfigureAwait(false);
                log?.Append(result);
            }

            results.Add(result);
            progress?.Report(new EvaluationProgress(results.Count, sampleCount));
        }

        return results;
    }

    private static async Task<SampleResult> MeasureAsync(
        VisionLanguageModel model,
        VisionLanguageModel? against,
        EvaluationSample sample,
        int index,
        EvaluationOptions options,
        ITamEngine engine,
        CancellationToken cancellationToken
    )
    {
        CheckSizes(sample);
        ChatTurn[] turns = [new(TurnRole.User, [sample.Picture, new TextPart(sample.Prompt)])];
        var explain = new ExplainOptions
        {
            Completion = new CompletionOptions { MaxNewTokens = options.MaxNewTokens },
            Tam = options.TamFor(options.KindOf(options.Sources[0])),
            Layers = [.. options.Sources.Where(IsOfLayer).Select(source => source.Layer).Distinct()],
            CaptureEvidence = options.Sources.Any(source => source.Method.NeedsEvidence()),
            CaptureLogSums = options.Sources.Any(source => source.Method.NeedsLogSums()),
        };
        var explanation = await Explainer
            .ExplainAsync(model, turns, explain, engine, null, cancellationToken)
            .ConfigureAwait(false);
        int[] answer = [.. explanation.Maps.Answer.Select(token => token.Token.TokenId)];
        explain = explain with { AnswerIds = answer };
        var other = against is null
            ? null
            : await Explainer
                .ExplainAsync(against, turns, explain, engine, null, cancellationToken)
                .ConfigureAwait(false);

        var grid = explanation.Maps.Layout.VisionBlocks[0].Grid;

        // What is known of the expected answer says nothing of a thought before it.
        var thought = explanation.Maps.Layout.ThoughtCount;
        var words = explanation.Maps.Words.Select(word => word.Word).Where(word => word.TokenIndices[0] >= thought);
        var scorer = new SampleScorer(sample, [.. words], grid);
        var rows = new List<WordRow>();
        var paper = new List<PaperRow>();
        var agreement = new List<MapAgreement>();
        foreach (var source in options.Sources)
        {
            foreach (var kind in options.Kinds.Where(source.Has))
            {
                var maps = MapsUnder(explanation, options.TamFor(source, kind));
                var areas =
                    options.MeasuresWords && index < options.CurveSampleCount && kind == options.KindOf(source)
                        ? await MeasureWordsAsync(maps).ConfigureAwait(false)
                        : null;
                rows.AddRange(scorer.Score(source, kind, maps, areas));
                if (source != options.Sources[0])
                {
                    continue;
                }

                paper.Add(new PaperRow(kind, scorer.ScoreAsPaper(maps)));
                if (other is not null)
                {
                    agreement.Add(MapAgreement.Of(kind, maps, MapsUnder(other, options.TamFor(kind))));
                }
            }
        }

        var settings = new List<SettingScore>();
        foreach (var setting in options.Sweep)
        {
            var maps = MapsUnder(explanation, setting.ToOptions());
            settings.Add(
                SettingScore.Of(
                    setting,
                    scorer.Score(MapSource.LastLayer, options.Kinds[0], maps),
                    scorer.ScoreAsPaper(maps)
                )
            );
        }

        PerturbationCurves? curves = null;
        if (index < options.CurveSampleCount)
        {
            var order = MapCheck.BestFirst(scorer.AnswerMap(MapsOf(explanation.Maps)));
            curves = await PerturbationCurve
                .MeasureAsync(
                    model,
                    sample,
                    answer,
                    options.KindOf(options.Sources[0]),
                    order,
                    grid,
                    options.CurveStepCount,
                    options.Seed + (ulong)index,
                    cancellationToken
                )
                .ConfigureAwait(false);
        }

        return new SampleResult(
            sample.Name,
            sample.Prompt,
            explanation.Answer,
            sample.ExpectedAnswer,
            rows,
            paper,
            curves,
            options.Sweep.Count > 0 ? settings : null,
            other is not null ? agreement : null
        );

        static bool IsOfLayer(MapSource source) => source.Layer >= 0;

        async Task<Dictionary<int, PerturbationAreas>> MeasureWordsAsync(float[][] maps)
        {
            var areas = new Dictionary<int, PerturbationAreas>();
            foreach (var token in scorer.NounTokens)
            {
                areas[token] = await PerturbationCurve
                    .MeasureWordAsync(
                        model,
                        sample,
                        answer[..(token + 1)],
                        MapCheck.BestFirst(maps[token]),
                        grid,
                        options.CurveStepCount,
                        cancellationToken
                    )
                    .ConfigureAwait(false);
            }

            return areas;
        }

        float[][] MapsUnder(Explanation of, TamOptions tam) =>
            MapsOf(tam == of.Maps.Options ? of.Maps : ActivationMaps.Compute(of.Trace, tam, engine, cancellationToken));
    }

    private static void CheckSizes(EvaluationSample sample)
    {
        var image = RgbImage.Decode(sample.Picture.Encoded, sample.Picture.Name);
        var labels = sample.Labels;
        if (image.Width != labels.Width || image.Height != labels.Height)
        {
            throw new InvalidInputException(
                $"{sample.Name}: the picture has {image.Width} x {image.Height} pixels, its label map "
                    + $"{labels.Width} x {labels.Height}; they must be the same"
            );
        }
    }

    /// <summary>Per answer token the map of the only picture, which comes before it.</summary>
    private static float[][] MapsOf(ActivationMaps maps) =>
        [.. maps.Answer.Select(token => token.Token.VisionMaps[0]!.Values.ToArray())];
}
