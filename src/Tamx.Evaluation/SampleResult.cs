namespace Tamx.Evaluation;

/// <summary>What was measured on one sample.</summary>
/// <param name="Name">The sample's name.</param>
/// <param name="Prompt">The question.</param>
/// <param name="Answer">What the model wrote.</param>
/// <param name="Expected">The one right answer, or null where there is none.</param>
/// <param name="Rows">Per scored word and kind of maps one row.</param>
/// <param name="Paper">Per kind of maps the figures of the paper's protocol.</param>
/// <param name="Curves">Insertion and deletion curves, or null where they were not measured.</param>
/// <param name="Settings">The nouns' figures under each setting of a sweep; null without one.</param>
/// <param name="Agreement">Per kind of maps, how alike another model's maps of the same answer are; null without another model.</param>
public sealed record SampleResult(
    string Name,
    string Prompt,
    string Answer,
    string? Expected,
    IReadOnlyList<WordRow> Rows,
    IReadOnlyList<PaperRow> Paper,
    PerturbationCurves? Curves,
    IReadOnlyList<SettingScore>? Settings = null,
    IReadOnlyList<MapAgreement>? Agreement = null)
{
    /// <summary>Whether the answer is the right one, letter by letter; null where none is known.</summary>
    public bool? IsExact => Expected is null ? null : Answer == Expected;
}

/// <summary>How well one map of one word shows what the word stands for.</summary>
/// <param name="Index">The word's first token, counted from the answer's first.</param>
/// <param name="Text">The word.</param>
/// <param name="Words">What it is.</param>
/// <param name="Maps">Which steps of the method the map went through.</param>
/// <param name="ObjIou">See <see cref="MapScore"/>; of a word of several tokens, the token of best IoU stands for it in all columns.</param>
/// <param name="GridIou">See <see cref="MapScore"/>.</param>
/// <param name="Precision">See <see cref="MapScore"/>.</param>
/// <param name="Recall">See <see cref="MapScore"/>.</param>
/// <param name="Pointing">See <see cref="MapScore"/>.</param>
/// <param name="Mass">See <see cref="MapScore"/>.</param>
/// <param name="Area">Share of the picture that the word stands for: chance for pointing and mass, and what a uniform map's IoU is.</param>
/// <param name="Ceiling">ObjIou of the perfect map on this grid, each of whose cells is the share of it that the region covers.</param>
/// <param name="IsEmpty">Whether the map is all zero.</param>
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
public sealed record PaperRow(MapKind Maps, PaperFigures Figures);
