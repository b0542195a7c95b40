using Tamx.Kernels;
using Tamx.Llama;

namespace Tamx.Evaluation;

/// <summary>Finds the method and layer with the truest maps of a model, and the thresholds of verdicts.</summary>
public static class ModelCalibrator
{
    /// <summary>
    /// A method that costs less is taken if its score is within this of the best: TAM on the last hidden states needs
    /// nothing, the others a capture, the lens a product with the whole vocabulary.
    /// </summary>
    private const double Margin = 0.01;

    /// <summary>Calibrates a model.</summary>
    /// <param name="model">The model, with its projector.</param>
    /// <param name="samples">Pictures whose objects are known. Enumerated twice.</param>
    /// <param name="data">What they are, in words.</param>
    /// <param name="options">Methods and layers to compare (<see cref="EvaluationOptions.Sources"/>), and how.</param>
    /// <param name="engine">What computes the maps. It stays the caller's.</param>
    /// <param name="progress">Told how many samples are done; each counts twice.</param>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    /// <exception cref="InvalidInputException">No noun of the answers could be scored.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task<ModelCalibration> RunAsync(
        VisionLanguageModel model,
        IReadOnlyCollection<EvaluationSample> samples,
        string data,
        EvaluationOptions options,
        ITamEngine engine,
        IProgress<EvaluationProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(engine);
        options = options with { CurveSampleCount = 0, Sweep = [] };
        var results = await MapEvaluation
            .RunAsync(
                model,
                samples,
                2 * samples.Count,
                options,
                engine: engine,
                progress: progress,
                cancellationToken: cancellationToken
            )
            .ConfigureAwait(false);
        SummaryRow[] rows = [.. EvaluationSummary.Of(results, options).Rows.Where(row => row.Words == WordKind.Noun)];
        if (rows.Length == 0)
        {
            throw new InvalidInputException(
                "no noun of the model's answers stands for something whose place is known; use more pictures, or others"
            );
        }

        var best = rows.OrderBy(Cost).First(row => Score(row) >= rows.Max(Score) - Margin);
        var calibration = new ModelCalibration
        {
            ModelFile = Path.GetFileName(model.Facts.Path),
            ModelBytes = model.Facts.ByteCount,
            ParameterCount = model.Facts.ParameterCount,
            Quantization = model.Facts.Quantization,
            Method = best.Method,
            Layer = best.Layer,
            ApplyEci = best.Maps is MapKind.Eci or MapKind.EciFilter,
            ApplyFilter = best.Maps is MapKind.Filter or MapKind.EciFilter,
            ObjIou = best.ObjIou,
            Pointing = best.Pointing,
            WordCount = best.Count,
            Data = data,
            Profile =
            [
                .. rows.Select(row => new CalibrationRow(
                    row.Method,
                    row.Layer,
                    ResultTables.Name(row.Maps),
                    row.ObjIou,
                    row.Pointing
                )),
            ],
        };
        var words = await SupportSample
            .CollectAsync(model, samples, options, engine, samples.Count, progress, cancellationToken)
            .ConfigureAwait(false);
        return words.Count == 0 ? calibration : SupportThresholds.AddTo(calibration, words);
    }

    private static double Score(SummaryRow row) => (row.ObjIou + row.Pointing) / 2;

    private static int Cost(SummaryRow row) =>
        (row.Method, row.Layer) switch
        {
            (MapMethod.Tam, < 0) => 0,
            (MapMethod.Tam, _) => 1,
            (MapMethod.Evidence, _) => 2,
            (MapMethod.Lens, _) => 3,
            _ => 4,
        };
}
