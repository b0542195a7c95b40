using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Tamx.Llama;

namespace Tamx.Report;

/// <summary>Maps as one JSON document for other programs. docs/trace-format.md describes it.</summary>
public static class MapsJson
{
    /// <summary>Value of <c>format</c>. It changes when readers of this format would misread the new one.</summary>
    public const string Format = "tamx-maps/1";

    // Camel case, as is the web's default. Letters of all scripts stand as they are. What HTML could misread is
    // escaped.
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>Writes the document.</summary>
    /// <param name="trace">The run that <paramref name="maps"/> was computed from.</param>
    /// <param name="maps">The maps.</param>
    /// <param name="destination">Receives UTF-8. It stays open.</param>
    /// <param name="supports">How far the pictures support each word; null or empty where it was not measured.</param>
    /// <param name="calibration">
    /// What the model's calibration says, in a line; null where the model is not calibrated.
    /// </param>
    /// <exception cref="InvalidInputException">Trace and maps do not belong together.</exception>
    public static void Write(
        Trace trace,
        ActivationMaps maps,
        Stream destination,
        IReadOnlyList<WordSupport>? supports = null,
        string? calibration = null
    )
    {
        ArgumentNullException.ThrowIfNull(trace);
        ArgumentNullException.ThrowIfNull(maps);
        ArgumentNullException.ThrowIfNull(destination);
        ReportInput.Check(trace, maps);
        int[] text = [.. maps.Layout.ContextPositions, .. maps.Layout.AnswerPositions];
        var indices = text.Index().ToDictionary(entry => entry.Item, entry => entry.Index);
        JsonSerializer.Serialize(
            destination,
            new Document(
                Format,
                trace.Run.Model,
                maps.EngineName,
                maps.Options,
                [
                    .. maps.Layout.VisionBlocks.Select(block => new Block(
                        block.IsVideo,
                        block.StartPosition,
                        block.EndPosition,
                        block.Grid.Frames,
                        block.Grid.Rows,
                        block.Grid.Columns
                    )),
                ],
                [
                    .. text.Select(position => new Text(
                        position,
                        trace.TokenIds[position],
                        trace.FindText(trace.TokenIds[position])
                    )),
                ],
                [.. maps.Prompt.Select(token => Step.Of(token, maps.Layout.ContextPositions.Count, indices))],
                [.. maps.Answer.Select((token, i) => Step.Of(token, maps.Layout.ContextPositions.Count + i, indices))],
                maps.Layout.ThoughtCount,
                [
                    .. maps
                        .Words.Index()
                        .Select(word =>
                            Word.Of(
                                word.Item,
                                supports?.FirstOrDefault(support => support.WordIndex == word.Index),
                                trace.RegionChanges
                            )
                        ),
                ],
                [.. maps.Claims.Select(Claim.Of)],
                calibration,
                Region.Of(trace)
            ),
            Options
        );
    }

    /// <summary>The document's JSON schema. A test compares it with docs/tamx-maps.schema.json.</summary>
    internal static JsonObject Schema()
    {
        var options = new JsonSerializerOptions(Options) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };
        var schema = options
            .GetJsonSchemaAsNode(typeof(Document), new() { TreatNullObliviousAsNonNullable = true })
            .AsObject();
        schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.Insert(1, "title", Format);
        return schema;
    }

    private static float[] Pair((float Minimum, float Maximum) range) => [range.Minimum, range.Maximum];

    private static ReadOnlyMemory<float>?[] ValuesOf(IReadOnlyList<ActivationMap?> maps) =>
        [.. maps.Select(map => map?.Values)];

    private sealed record Document(
        string Format,
        string? Model,
        string Engine,
        TamOptions Options,
        IReadOnlyList<Block> Blocks,
        IReadOnlyList<Text> Text,
        IReadOnlyList<Step> Prompt,
        IReadOnlyList<Step> Answer,
        int ThoughtTokens,
        IReadOnlyList<Word> Words,
        IReadOnlyList<Claim> Claims,
        string? Calibration = null,
        Region? Region = null
    );

    private sealed record Block(bool IsVideo, int Start, int End, int Frames, int Rows, int Columns);

    private sealed record Text(int Position, int Id, [property: JsonPropertyName("text")] string? Content);

    private sealed record Step(
        int Position,
        [property: JsonPropertyName("token")] Token Explained,
        IReadOnlyList<Token> Candidates,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<int>? RelevanceText = null
    )
    {
        public static Step Of(AnswerToken token, int textCount, Dictionary<int, int> indices) =>
            new(
                token.Position,
                Token.Of(token.Token),
                [.. token.Candidates.Select(Token.Of)],
                token.TextPositions.Count < textCount
                    ? [.. token.TextPositions.Select(position => indices[position])]
                    : null
            );
    }

    private sealed record Token(
        int Id,
        string? Text,
        float? Logit,
        float? Probability,
        IReadOnlyList<float> Range,
        IReadOnlyList<ReadOnlyMemory<float>?> Maps,
        IReadOnlyList<float> Relevance
    )
    {
        public static Token Of(ExplainedToken token) =>
            new(
                token.TokenId,
                token.Text,
                Finite(token.Logit),
                Finite(token.Probability),
                Pair(token.RawRange),
                ValuesOf(token.VisionMaps),
                token.TextRelevance
            );

        private static float? Finite(float value) => float.IsFinite(value) ? value : null;
    }

    private sealed record Word(
        string Text,
        IReadOnlyList<int> Tokens,
        IReadOnlyList<float> Range,
        IReadOnlyList<ReadOnlyMemory<float>?> Maps,
        IReadOnlyList<float> Relevance,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Support? Support = null,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] float? RegionChange = null
    )
    {
        public static Word Of(ExplainedWord word, WordSupport? support, ImmutableArray<float>? changes) =>
            new(
                word.Word.Text,
                word.Word.TokenIndices,
                Pair(word.RawRange),
                ValuesOf(word.VisionMaps),
                word.TextRelevance,
                support is null ? null : Support.Of(support),
                changes is { } some ? word.Word.TokenIndices.Sum(index => some[index]) : null
            );
    }

    private sealed record Support(
        WordVerdict? Verdict,
        double PictureGain,
        double? Opposition,
        double? Presence,
        double? Concentration
    )
    {
        public static Support Of(WordSupport support) =>
            new(support.Verdict, support.PictureGain, support.Opposition, support.Presence, support.Concentration);
    }

    private sealed record Region(
        RegionUse Use,
        int Picture,
        IReadOnlyList<double> Box,
        float? Alpha,
        IReadOnlyList<float>? Changes
    )
    {
        public static Region? Of(Trace trace) =>
            trace.Run.Region is { } region
                ? new(
                    region.Use,
                    region.PictureIndex,
                    [region.Box.Left, region.Box.Top, region.Box.Right, region.Box.Bottom],
                    region.Use == RegionUse.LookAt ? region.Alpha : null,
                    trace.RegionChanges
                )
                : null;
    }

    private sealed record Claim(
        string Label,
        IReadOnlyList<int> Tokens,
        IReadOnlyList<int> CoordinateTokens,
        int Block,
        IReadOnlyList<double> Box,
        bool IsClamped,
        double? Iou,
        double Pointing,
        double Mass,
        double Area,
        EvidencePlace Evidence
    )
    {
        public static Claim Of(CheckedClaim claim)
        {
            var (region, score) = claim;
            return new(
                region.Label,
                region.LabelTokens,
                region.CoordinateTokens,
                region.BlockIndex,
                [region.Box.Left, region.Box.Top, region.Box.Right, region.Box.Bottom],
                region.IsClamped,
                score.Iou,
                score.Pointing,
                score.Mass,
                score.Area,
                score.Place
            );
        }
    }
}
