using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Tamx.Llama;

namespace Tamx.Cli;

/// <summary>The output of <c>tamx explain --json</c>.</summary>
internal sealed record ExplainSummary(
    string? Model,
    string Answer,
    string? Thought,
    int ThoughtTokens,
    string StopReason,
    bool WasStopped,
    int PromptTokens,
    string Engine,
    string Report,
    string? Trace,
    IReadOnlyList<ExplainSummary.StepSummary> Tokens,
    IReadOnlyList<ExplainSummary.WordSummary> Words,
    IReadOnlyDictionary<string, double> Seconds
)
{
    /// <summary>How the maps were computed.</summary>
    public required MapMethod Method { get; init; }

    /// <summary>The layer they were computed from; null for the last.</summary>
    public int? Layer { get; init; }

    /// <summary>What the model's calibration says; null where it is not calibrated.</summary>
    public string? Calibration { get; init; }

    /// <summary>Camel case, one line, NaN as null, letters of all scripts unescaped.</summary>
    public static JsonSerializerOptions Json { get; } =
        new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.Create(UnicodeRanges.All) };

    public static ExplainSummary Of(
        Explanation explanation,
        MeasuredTruth truth,
        ModelCalibration? calibration,
        bool wasStopped,
        string report,
        string? trace,
        IReadOnlyDictionary<string, double> seconds
    )
    {
        var run = explanation.Trace;
        return new ExplainSummary(
            run.Run.Model,
            explanation.Answer,
            explanation.Thought,
            explanation.Maps.Layout.ThoughtCount,
            NameOf(explanation.StopReason),
            wasStopped,
            explanation.Maps.Answer[0].Position,
            explanation.Maps.EngineName,
            report,
            trace,
            StepsOf(explanation.Maps),
            WordsOf(explanation.Maps, truth, run.RegionChanges),
            seconds
        )
        {
            Method = explanation.Maps.Options.Method,
            Layer = LayerOf(explanation.Maps),
            Calibration = calibration?.Describe(),
        };
    }

    /// <summary>The answer's tokens.</summary>
    public static IReadOnlyList<StepSummary> StepsOf(ActivationMaps maps) =>
        [
            .. maps.Answer.Select(token => new StepSummary(
                token.Position,
                Token(token.Token),
                [.. token.Candidates.Select(Token)]
            )),
        ];

    /// <summary>The answer's words, with what was measured of them.</summary>
    public static IReadOnlyList<WordSummary> WordsOf(
        ActivationMaps maps,
        MeasuredTruth truth,
        ImmutableArray<float>? regionChanges = null
    ) =>
        [
            .. maps
                .Words.Index()
                .Select(word => new WordSummary(
                    word.Item.Word.Text,
                    word.Item.Word.TokenIndices,
                    truth.Supports.FirstOrDefault(support => support.WordIndex == word.Index),
                    truth.Checks.FirstOrDefault(check => check.WordIndex == word.Index),
                    truth.Searches.FirstOrDefault(search => search.WordIndex == word.Index),
                    regionChanges is { } changes ? word.Item.Word.TokenIndices.Sum(index => changes[index]) : null
                )),
        ];

    /// <summary>The name that JSON has for why an answer ended.</summary>
    public static string NameOf(StopReason reason) => JsonNamingPolicy.CamelCase.ConvertName(reason.ToString());

    /// <summary>The layer that maps were computed from; null for the last.</summary>
    public static int? LayerOf(ActivationMaps maps) => maps.Options.Layer is >= 0 and var layer ? layer : null;

    private static TokenSummary Token(ExplainedToken token) =>
        new(token.TokenId, token.Text, Finite(token.Logit), Finite(token.Probability));

    private static float? Finite(float value) => float.IsFinite(value) ? value : null;

    /// <summary>An answer token and its step's candidates.</summary>
    internal sealed record StepSummary(
        int Position,
        [property: JsonPropertyName("token")] TokenSummary Token,
        IReadOnlyList<TokenSummary> Candidates
    );

    /// <summary>A word. Its tokens are counted from the answer's first.</summary>
    internal sealed record WordSummary(
        string Text,
        IReadOnlyList<int> Tokens,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] WordSupport? Support,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] MapCheck? Check,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RegionSearch? Regions,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] float? RegionChange
    );

    /// <summary>A token. Its text may be a part of a character.</summary>
    internal sealed record TokenSummary(int Id, string? Text, float? Logit, float? Probability);
}
