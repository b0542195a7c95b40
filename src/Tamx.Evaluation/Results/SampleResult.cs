using System.Text.Json.Serialization;

namespace Tamx.Evaluation;

/// <summary>What was measured on one sample.</summary>
public sealed record SampleResult
{
    [JsonConstructor]
    internal SampleResult(
        string name,
        string prompt,
        string answer,
        string? expected,
        IReadOnlyList<WordRow> rows,
        IReadOnlyList<PaperRow> paper,
        PerturbationCurves? curves,
        IReadOnlyList<SettingScore>? settings = null,
        IReadOnlyList<MapAgreement>? agreement = null)
    {
        Name = name;
        Prompt = prompt;
        Answer = answer;
        Expected = expected;
        Rows = rows;
        Paper = paper;
        Curves = curves;
        Settings = settings;
        Agreement = agreement;
    }

    /// <summary>The sample's name.</summary>
    public string Name { get; }

    /// <summary>The question.</summary>
    public string Prompt { get; }

    /// <summary>What the model wrote.</summary>
    public string Answer { get; }

    /// <summary>The one right answer, or null where there is none.</summary>
    public string? Expected { get; }

    /// <summary>Per scored word and kind of maps one row.</summary>
    public IReadOnlyList<WordRow> Rows { get; }

    /// <summary>Per kind of maps the figures of the paper's protocol.</summary>
    [JsonInclude]
    internal IReadOnlyList<PaperRow> Paper { get; }

    /// <summary>Insertion and deletion curves, or null where they were not measured.</summary>
    [JsonInclude]
    internal PerturbationCurves? Curves { get; }

    /// <summary>The nouns' figures under each setting of a sweep; null without one.</summary>
    public IReadOnlyList<SettingScore>? Settings { get; }

    /// <summary>
    /// Per kind of maps, how alike another model's maps of the same answer are; null without another model.
    /// </summary>
    public IReadOnlyList<MapAgreement>? Agreement { get; }

    /// <summary>Whether the answer is the right one, letter by letter; null where none is known.</summary>
    public bool? IsExact => Expected is null ? null : Answer == Expected;
}

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
    bool IsEmpty);

/// <summary>The paper's figures of one sample and one kind of maps.</summary>
/// <param name="Maps">Which maps.</param>
/// <param name="Figures">The figures.</param>
internal sealed record PaperRow(MapKind Maps, PaperFigures Figures);
