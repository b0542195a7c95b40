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
        IReadOnlyList<MapAgreement>? agreement = null
    )
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

/// <summary>The paper's figures of one sample and one kind of maps.</summary>
/// <param name="Maps">Which maps.</param>
/// <param name="Figures">The figures.</param>
internal sealed record PaperRow(MapKind Maps, PaperFigures Figures);
