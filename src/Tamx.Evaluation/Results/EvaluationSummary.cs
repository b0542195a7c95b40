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
    IReadOnlyList<MapAgreement> Agreement)
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
               from maps in options.Kinds
               let row = RowOf(results, words, maps, options)
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
            [.. agreement.Select(group => MapAgreement.Join([.. group]))]);
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

    private static SummaryRow? RowOf(
        IReadOnlyList<SampleResult> results, WordKind words, MapKind maps, EvaluationOptions options)
    {
        WordRow[][] samples =
            [.. results.Select(result => result.Rows.Where(row => row.Words == words && row.Maps == maps).ToArray())];
        WordRow[] all = [.. samples.SelectMany(rows => rows)];
        if (all.Length == 0)
        {
            return null;
        }

        var iou = Interval(row => row.ObjIou);
        var pointing = Interval(row => row.Pointing);
        var mass = Interval(row => row.Mass);
        return new SummaryRow(
            words,
            maps,
            all.Length,
            iou.Mean,
            [iou.Low, iou.High],
            pointing.Mean,
            [pointing.Low, pointing.High],
            mass.Mean,
            [mass.Low, mass.High],
            all.Average(row => row.GridIou),
            all.Average(row => row.Area),
            all.Average(row => row.Ceiling),
            all.Average(row => row.Precision),
            all.Average(row => row.Recall),
            all.Average(row => row.IsEmpty ? 1.0 : 0));

        BootstrapInterval Interval(Func<WordRow, double> value)
        {
            Contribution[] contributions = [.. samples.Select(rows => new Contribution(rows.Sum(value), rows.Length))];
            return BootstrapInterval.Of(contributions, options.ResampleCount, options.Seed)!.Value;
        }
    }
}

/// <summary>Means over the words of a kind, on maps of a kind; intervals are 95 %, by bootstrap over samples.</summary>
/// <param name="Words">
/// What the words are. Function words stand for nothing: the lower their figures, the better.
/// </param>
/// <param name="Maps">Which maps.</param>
/// <param name="Count">Number of words.</param>
/// <param name="ObjIou">IoU at Otsu's threshold.</param>
/// <param name="ObjIouInterval">Its interval.</param>
/// <param name="Pointing">Share of maps whose largest value lies where it should.</param>
/// <param name="PointingInterval">Its interval.</param>
/// <param name="Mass">Share of the maps' sum that lies where it should.</param>
/// <param name="MassInterval">Its interval.</param>
/// <param name="GridIou">IoU at Otsu's threshold on the grid of cells.</param>
/// <param name="Area">Share of the picture that this is: what pointing, mass and IoU are by chance.</param>
/// <param name="Ceiling">ObjIou of perfect maps on these grids.</param>
/// <param name="Precision">Pixel precision at Otsu's threshold.</param>
/// <param name="Recall">Pixel recall at Otsu's threshold.</param>
/// <param name="Empty">Share of all-zero maps.</param>
public sealed record SummaryRow(
    WordKind Words,
    MapKind Maps,
    int Count,
    double ObjIou,
    IReadOnlyList<double> ObjIouInterval,
    double Pointing,
    IReadOnlyList<double> PointingInterval,
    double Mass,
    IReadOnlyList<double> MassInterval,
    double GridIou,
    double Area,
    double Ceiling,
    double Precision,
    double Recall,
    double Empty);

/// <summary>The paper's figures for a data set; null where no word counted.</summary>
/// <param name="ObjIou">Mean over all words of all pictures.</param>
/// <param name="FuncIou">Mean over all function words of all pictures.</param>
/// <param name="F1Iou">2 ab / (a + b) of the two means.</param>
/// <param name="Precision">Mean precision.</param>
/// <param name="Recall">Mean recall.</param>
public sealed record PaperSummary(
    double? ObjIou, double? FuncIou, double? F1Iou, double? Precision, double? Recall);

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
    MapKind Maps, int Count, double Deletion, double RandomDeletion, double Insertion, double RandomInsertion)
{
    /// <summary>Averages the areas of curves.</summary>
    /// <param name="curves">At least one sample's curves, all of the same maps.</param>
    internal static CurveSummary Of(IReadOnlyList<PerturbationCurves> curves) => new(
        curves[0].Maps,
        curves.Count,
        curves.Average(curve => PerturbationCurve.Area(curve.Deletion)),
        curves.Average(curve => PerturbationCurve.Area(curve.RandomDeletion)),
        curves.Average(curve => PerturbationCurve.Area(curve.Insertion)),
        curves.Average(curve => PerturbationCurve.Area(curve.RandomInsertion)));
}
