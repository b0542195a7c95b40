using System.Text.Json.Serialization;

namespace Tamx.Evaluation;

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
/// <param name="Method">How the maps were computed.</param>
/// <param name="Layer">The layer they were computed from; -1 for the last.</param>
/// <param name="Deletion">
/// Mean area under the nouns' probability, best cells greyed out first: the lower, the better. Null where it was not
/// measured.
/// </param>
/// <param name="Insertion">The same, best cells shown first: the higher, the better.</param>
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
    double Empty,
    MapMethod Method = MapMethod.Tam,
    [property: JsonConverter(typeof(LayerJson))] int Layer = -1,
    double? Deletion = null,
    double? Insertion = null
)
{
    /// <summary>The columns of <c>summary.csv</c>.</summary>
    internal static IReadOnlyList<string> Columns { get; } =
    [
        "words",
        "maps",
        "count",
        "objIou",
        "objIouLow",
        "objIouHigh",
        "pointing",
        "pointingLow",
        "pointingHigh",
        "mass",
        "massLow",
        "massHigh",
        "gridIou",
        "area",
        "ceiling",
        "precision",
        "recall",
        "empty",
        "method",
        "layer",
        "deletion",
        "insertion",
    ];

    /// <summary>The row in these columns.</summary>
    internal IReadOnlyList<object?> Fields =>
        [
            Words,
            Maps,
            Count,
            ObjIou,
            ObjIouInterval[0],
            ObjIouInterval[1],
            Pointing,
            PointingInterval[0],
            PointingInterval[1],
            Mass,
            MassInterval[0],
            MassInterval[1],
            GridIou,
            Area,
            Ceiling,
            Precision,
            Recall,
            Empty,
            Method,
            Layer < 0 ? "last" : Layer,
            Deletion,
            Insertion,
        ];

    /// <summary>The row of a kind of words and of maps; null where no such word was scored.</summary>
    internal static SummaryRow? Of(
        IReadOnlyList<SampleResult> results,
        WordKind words,
        MapSource source,
        MapKind maps,
        EvaluationOptions options
    )
    {
        WordRow[][] samples =
        [
            .. results.Select(result =>
                result.Rows.Where(row => row.Words == words && row.Maps == maps && row.IsOf(source)).ToArray()
            ),
        ];
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
            all.Average(row => row.IsEmpty ? 1.0 : 0),
            source.Method,
            source.Layer,
            all.Average(row => row.Deletion),
            all.Average(row => row.Insertion)
        );

        BootstrapInterval Interval(Func<WordRow, double> value)
        {
            Contribution[] contributions = [.. samples.Select(rows => new Contribution(rows.Sum(value), rows.Length))];
            return BootstrapInterval.Of(contributions, options.ResampleCount, options.Seed)!.Value;
        }
    }
}
