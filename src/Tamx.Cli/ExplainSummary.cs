using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;

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
            JsonNamingPolicy.CamelCase.ConvertName(explanation.StopReason.ToString()),
            wasStopped,
            explanation.Maps.Answer[0].Position,
            explanation.Maps.EngineName,
            report,
            trace,
            [
                .. explanation.Maps.Answer.Select(token => new StepSummary(
                    token.Position,
                    Token(token.Token),
                    [.. token.Candidates.Select(Token)]
                )),
            ],
            [
                .. explanation
                    .Maps.Words.Index()
                    .Select(word => new WordSummary(
                        word.Item.Word.Text,
                        word.Item.Word.TokenIndices,
                        truth.Supports.FirstOrDefault(support => support.WordIndex == word.Index),
                        truth.Checks.FirstOrDefault(check => check.WordIndex == word.Index),
                        truth.Searches.FirstOrDefault(search => search.WordIndex == word.Index)
                    )),
            ],
            seconds
        )
        {
            Method = explanation.Maps.Options.Method,
            Layer = explanation.Maps.Options.Layer is >= 0 and var layer ? layer : null,
            Calibration = calibration?.Describe(),
        };
    }

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
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RegionSearch? Regions
    );

    /// <summary>A token. Its text may be a part of a character.</summary>
    internal sealed record TokenSummary(int Id, string? Text, float? Logit, float? Probability);
}
