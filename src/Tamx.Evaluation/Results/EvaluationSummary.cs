using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tamx.Evaluation;

/// <summary>What was measured on all samples together.</summary>
/// <param name="Scenes">Number of samples.</param>
/// <param name="CaptionsExact">
/// Share of answers that are right letter by letter; null where no right answers are known.
/// </param>
/// <param name="Rows">Per kind of words and of maps that occur one row.</param>
/// <param name="Paper">Per kind of maps the figures of the paper's protocol.</param>
/// <param name="Curves">Insertion and deletion, or null where they were not measured.</param>
/// <param name="Sweep">Per setting of a sweep the figures of all nouns; empty without one.</param>
/// <param name="Agreement">Per kind of maps the likeness of another model's; empty without one.</param>
public sealed record EvaluationSummary(
    int Scenes,
    double? CaptionsExact,
    IReadOnlyList<SummaryRow> Rows,
    IReadOnlyList<PaperSummaryRow> Paper,
    CurveSummary? Curves,
    IReadOnlyList<SettingScore> Sweep,
    IReadOnlyList<MapAgreement> Agreement
)
{
    /// <summary>Sums up results.</summary>
    /// <param name="results">The samples' results.</param>
    /// <param name="options">What was measured, and how to draw resamples.</param>
    public static EvaluationSummary Of(IReadOnlyList<SampleResult> results, EvaluationOptions options)
    {
        ArgumentNullException.ThrowIfNull(results);
        ArgumentNullException.ThrowIfNull(options);
        SummaryRow[] rows =
        [
            .. from words in Enum.GetValues<WordKind>()
            from source in options.Sources
            from maps in options.Kinds
            let row = SummaryRow.Of(results, words, source, maps, options)
            where row is not null
            select row,
        ];
        PaperSummaryRow[] paper =
        [
            .. from maps in options.Kinds
            let figures = results.SelectMany(result => result.Paper).Where(row => row.Maps == maps)
            select new PaperSummaryRow(maps, PaperProtocol.Summarize(figures.Select(row => row.Figures))),
        ];
        PerturbationCurves[] curves = [.. results.Select(result => result.Curves).OfType<PerturbationCurves>()];
        var isExact = results.Select(result => result.IsExact).OfType<bool>();
        var settings = results.SelectMany(result => result.Settings ?? []).GroupBy(score => score.Setting);
        var agreement = results.SelectMany(result => result.Agreement ?? []).GroupBy(item => item.Maps);
        return new EvaluationSummary(
            results.Count,
            isExact.Select(exact => exact ? 1.0 : (double?)0).Average(),
            rows,
            paper,
            curves.Length == 0 ? null : CurveSummary.Of(curves),
            [.. settings.Select(group => SettingScore.Join([.. group]))],
            [.. agreement.Select(group => MapAgreement.Join([.. group]))]
        );
    }

    /// <summary>The summary as tables for people.</summary>
    public string ToText() => ResultTables.Text(this);

    /// <summary>The summary as JSON, on one line.</summary>
    /// <param name="facts">What else is known about the run. It stands at the end.</param>
    public string ToJson(JsonObject? facts = null) => ToNode(facts).ToJsonString(ResultLog.Json);

    internal JsonObject ToNode(JsonObject? facts)
    {
        var node = JsonSerializer.SerializeToNode(this, ResultLog.Json)!.AsObject();
        foreach (var (name, value) in facts ?? [])
        {
            node[name] = value?.DeepClone();
        }

        return node;
    }
}

/// <summary>The paper's figures of all samples and one kind of maps.</summary>
/// <param name="Maps">Which maps.</param>
/// <param name="Figures">The figures.</param>
public sealed record PaperSummaryRow(MapKind Maps, PaperSummary Figures);

/// <summary>Mean areas under insertion and deletion curves (mean ln p per token of the answer).</summary>
/// <param name="Maps">Whose order.</param>
/// <param name="Count">Number of samples.</param>
/// <param name="Deletion">Best cells greyed out first: the lower, the better.</param>
/// <param name="RandomDeletion">The same in random order.</param>
/// <param name="Insertion">Best cells shown first: the higher, the better.</param>
/// <param name="RandomInsertion">The same in random order.</param>
public sealed record CurveSummary(
    MapKind Maps,
    int Count,
    double Deletion,
    double RandomDeletion,
    double Insertion,
    double RandomInsertion
)
{
    /// <summary>Averages the areas of curves.</summary>
    /// <param name="curves">At least one sample's curves, all of the same maps.</param>
    internal static CurveSummary Of(IReadOnlyList<PerturbationCurves> curves) =>
        new(
            curves[0].Maps,
            curves.Count,
            curves.Average(curve => MapCheck.Area(curve.Deletion)),
            curves.Average(curve => MapCheck.Area(curve.RandomDeletion)),
            curves.Average(curve => MapCheck.Area(curve.Insertion)),
            curves.Average(curve => MapCheck.Area(curve.RandomInsertion))
        );
}
