using System.Text.Json.Serialization;

namespace Tamx.Evaluation;

/// <summary>How well one map of one word shows what the word stands for.</summary>
/// <remarks>A word of several tokens is represented by the token of best <see cref="ObjIou"/>.</remarks>
/// <param name="Index">The word's first token, counted from the answer's first.</param>
/// <param name="Text">The word.</param>
/// <param name="Words">What it is.</param>
/// <param name="Maps">Which steps of the method the map went through.</param>
/// <param name="ObjIou">IoU of the word's region and the map above Otsu's threshold, at the picture's size.</param>
/// <param name="GridIou">The same on the grid of cells, where no interpolation blurs edges.</param>
/// <param name="Precision">Share of the map above the threshold that lies in the region.</param>
/// <param name="Recall">Share of the region where the map is above the threshold.</param>
/// <param name="Pointing">1 if the cell of largest value lies in the region, else 0; of several such the share.</param>
/// <param name="Mass">Share of the map's sum that lies in the region.</param>
/// <param name="Area">
/// Share of the picture that the word stands for: chance for pointing and mass, and what a uniform map's IoU is.
/// </param>
/// <param name="Ceiling">
/// ObjIou of the perfect map on this grid, each of whose cells is the share of it that the region covers.
/// </param>
/// <param name="IsEmpty">Whether the map is all zero. It then scores 0 everywhere.</param>
/// <param name="Method">How the map was computed.</param>
/// <param name="Layer">The layer it was computed from; -1 for the last.</param>
/// <param name="Deletion">
/// Area under the word's probability while the map's best cells are greyed out first: the lower, the better. Null where
/// it was not measured.
/// </param>
/// <param name="Insertion">The same while its best cells are shown first: the higher, the better.</param>
public sealed record WordRow(
    int Index,
    string Text,
    WordKind Words,
    MapKind Maps,
    double ObjIou,
    double GridIou,
    double Precision,
    double Recall,
    double Pointing,
    double Mass,
    double Area,
    double Ceiling,
    bool IsEmpty,
    MapMethod Method = MapMethod.Tam,
    [property: JsonConverter(typeof(LayerJson))] int Layer = -1,
    double? Deletion = null,
    double? Insertion = null
)
{
    /// <summary>The columns of <c>words.csv</c>, after the picture's name.</summary>
    internal static IReadOnlyList<string> Columns { get; } =
    [
        "index",
        "word",
        "words",
        "maps",
        "objIou",
        "gridIou",
        "precision",
        "recall",
        "pointing",
        "mass",
        "area",
        "ceiling",
        "empty",
        "method",
        "layer",
        "deletion",
        "insertion",
    ];

    /// <summary>The row in these columns.</summary>
    internal IReadOnlyList<object?> Fields =>
        [
            Index,
            Text,
            Words,
            Maps,
            ObjIou,
            GridIou,
            Precision,
            Recall,
            Pointing,
            Mass,
            Area,
            Ceiling,
            IsEmpty ? 1 : 0,
            Method,
            Layer < 0 ? "last" : Layer,
            Deletion,
            Insertion,
        ];

    /// <summary>Whether the map is of a source.</summary>
    internal bool IsOf(MapSource source) => Method == source.Method && Layer == source.Layer;

    /// <summary>The row of a word and a kind of maps.</summary>
    internal static WordRow Of(
        MatchedWord word,
        MapSource source,
        MapKind maps,
        MapScore score,
        double ceiling,
        PerturbationAreas? areas
    ) =>
        new(
            word.Word.TokenIndices[0],
            word.Word.Text,
            word.Kind,
            maps,
            score.ObjIou,
            score.GridIou,
            score.Precision,
            score.Recall,
            score.Pointing,
            score.Mass,
            score.Area,
            ceiling,
            score.IsEmpty,
            source.Method,
            source.Layer,
            areas?.Deletion,
            areas?.Insertion
        );
}
