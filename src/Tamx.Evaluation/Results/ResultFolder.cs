using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tamx.Kernels;
using Tamx.Llama;

namespace Tamx.Evaluation;

/// <summary>Writes the results of an evaluation to a folder.</summary>
public static class ResultFolder
{
    /// <summary>
    /// Writes <c>summary.csv</c>, <c>pictures.csv</c>, <c>words.csv</c>, <c>evaluation.json</c> and, of a sweep,
    /// <c>sweep.csv</c>.
    /// </summary>
    /// <param name="folder">The folder, which is there.</param>
    /// <param name="results">The results.</param>
    /// <param name="summary">Their summary.</param>
    /// <param name="facts">What else is known about the run; see <see cref="EvaluationSummary.ToJson"/>.</param>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static void WriteTables(
        string folder,
        IReadOnlyList<SampleResult> results,
        EvaluationSummary summary,
        JsonObject? facts = null
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(results);
        ArgumentNullException.ThrowIfNull(summary);
        var all = new { Summary = summary.ToNode(facts), Pictures = results };
        Write("evaluation.json", JsonSerializer.Serialize(all, ResultLog.Json));
        Write("words.csv", ResultTables.WordsCsv(results));
        Write("pictures.csv", ResultTables.PicturesCsv(results));
        Write("summary.csv", ResultTables.SummaryCsv(summary));
        if (summary.Sweep.Count > 0)
        {
            Write("sweep.csv", ResultTables.SweepCsv(summary));
        }

        void Write(string name, string text) =>
            WholeFile.Write(Path.Combine(folder, name), stream => stream.Write(Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>
    /// Writes <c>best-and-worst.html</c>, a page of the pictures whose nouns are found best and worst, and a report of
    /// each in <c>reports</c>. The model answers their questions again.
    /// </summary>
    /// <param name="folder">The folder, which is there.</param>
    /// <param name="model">The model that was evaluated.</param>
    /// <param name="samples">The samples that it was evaluated on.</param>
    /// <param name="results">The results.</param>
    /// <param name="options">How it was evaluated.</param>
    /// <param name="engine">What computes the maps. It stays the caller's.</param>
    /// <param name="cancellationToken">Ends the work within one decode.</param>
    /// <exception cref="IOException">A file cannot be written.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static Task WriteReportsAsync(
        string folder,
        VisionLanguageModel model,
        IEnumerable<EvaluationSample> samples,
        IReadOnlyList<SampleResult> results,
        EvaluationOptions options,
        ITamEngine engine,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentNullException.ThrowIfNull(results);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(engine);
        return BestAndWorstPage.WriteAsync(folder, model, samples, results, options, engine, cancellationToken);
    }
}
