using System.Text.Json;
using System.Text.Json.Serialization;
using Tamx.Evaluation;
using Tamx.Llama;
using Tamx.Report;

namespace Tamx.Cli.Batch;

/// <summary>What a row leaves: files that have its key as their name. The same run gives the same bytes.</summary>
internal static class RowFiles
{
    /// <summary>Ending of the file that comes last: with it a row is complete.</summary>
    public const string Answer = ".json";

    /// <summary>Ending of the file with the maps.</summary>
    public const string Maps = ".maps.safetensors";

    private const string Format = "tamx-batch/1";

    /// <summary>A row that failed.</summary>
    public static IReadOnlyList<(string Ending, byte[] Content)> OfError(BatchRow row, string error) =>
        [(Answer, Json(new RowError(row.Id, row.Number, error)))];

    /// <summary>A row that was explained.</summary>
    /// <param name="row">The row.</param>
    /// <param name="explanation">Its answer and maps.</param>
    /// <param name="truth">What was measured of its words.</param>
    /// <param name="calibration">What the model's calibration says, or null.</param>
    /// <param name="withPictures">Whether to draw the content words' maps.</param>
    public static List<(string Ending, byte[] Content)> Of(
        BatchRow row,
        Explanation explanation,
        MeasuredTruth truth,
        string? calibration,
        bool withPictures
    )
    {
        var (trace, maps) = (explanation.Trace, explanation.Maps);
        List<(string, byte[])> files = [(Maps, Tensors(maps))];
        if (withPictures && trace.Pictures.Count > 0)
        {
            files.AddRange(
                maps.Words.Index()
                    .Where(word => ContentWords.Contains(word.Item.Word.Text) && word.Item.VisionMaps[0] is not null)
                    .Select(word =>
                        (FormattableString.Invariant($".{word.Index:D3}.png"), MapExport.DrawPng(trace, word.Item))
                    )
            );
        }

        files.Add(
            (
                Answer,
                Json(
                    new RowAnswer(
                        row.Id,
                        row.Number,
                        trace.Run.Model,
                        explanation.Answer,
                        explanation.Thought,
                        ExplainSummary.NameOf(explanation.StopReason),
                        maps.Answer[0].Position,
                        maps.Options.Method,
                        ExplainSummary.LayerOf(maps),
                        calibration,
                        [
                            .. maps.Layout.VisionBlocks.Select(block => new RowBlock(
                                block.IsVideo,
                                block.Grid.Frames,
                                block.Grid.Rows,
                                block.Grid.Columns
                            )),
                        ],
                        ExplainSummary.StepsOf(maps),
                        ExplainSummary.WordsOf(maps, truth, trace.RegionChanges),
                        RowRegion.Of(trace)
                    )
                )
            )
        );
        return files;
    }

    /// <summary>
    /// <c>maps.B</c> [tokens, frames, rows, columns] and <c>words.B</c> [words, ...] for each vision block B, scaled as
    /// in reports; <c>relevance</c> [tokens, texts]: of the text before each token, with zeros after it;
    /// <c>ranges</c> [tokens, 2]: the activations that 0 and 1 stand for.
    /// </summary>
    private static byte[] Tensors(ActivationMaps maps)
    {
        var tensors = new SafetensorsWriter { Metadata = { ["format"] = Format } };
        var tokens = maps.Answer.Select(token => token.Token).ToList();
        foreach (var (index, block) in maps.Layout.VisionBlocks.Index())
        {
            Add($"maps.{index}", block, [.. tokens.Select(token => token.VisionMaps[index])]);
            Add($"words.{index}", block, [.. maps.Words.Select(word => word.VisionMaps[index])]);
        }

        var texts = maps.Layout.ContextPositions.Count + maps.Layout.AnswerPositions.Count;
        var relevance = new float[tokens.Count * texts];
        foreach (var (index, token) in tokens.Index())
        {
            token.TextRelevance.CopyTo(relevance, index * texts);
        }

        tensors.AddSingles("relevance", relevance, tokens.Count, texts);
        tensors.AddSingles(
            "ranges",
            [.. maps.Answer.SelectMany(token => (float[])[token.RawRange.Minimum, token.RawRange.Maximum])],
            tokens.Count,
            2
        );
        using var stream = new MemoryStream();
        tensors.Write(stream);
        return stream.ToArray();

        void Add(string name, VisionBlock block, IReadOnlyList<ActivationMap?> several)
        {
            var values = new float[several.Count * block.CellCount];
            foreach (var (index, map) in several.Index())
            {
                map?.Values.Span.CopyTo(values.AsSpan(index * block.CellCount));
            }

            tensors.AddSingles(name, values, several.Count, block.Grid.Frames, block.Grid.Rows, block.Grid.Columns);
        }
    }

    private static byte[] Json<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, ExplainSummary.Json);

    private sealed record RowError(string Id, long Row, string Error);

    private sealed record RowAnswer(
        string Id,
        long Row,
        string? Model,
        string Answer,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Thought,
        string StopReason,
        int PromptTokens,
        MapMethod Method,
        int? Layer,
        string? Calibration,
        IReadOnlyList<RowBlock> Blocks,
        IReadOnlyList<ExplainSummary.StepSummary> Tokens,
        IReadOnlyList<ExplainSummary.WordSummary> Words,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RowRegion? Region
    );

    /// <summary>As in <c>maps.json</c>.</summary>
    private sealed record RowRegion(
        string Use,
        int Picture,
        IReadOnlyList<double> Box,
        float? Alpha,
        IReadOnlyList<float>? Changes
    )
    {
        public static RowRegion? Of(Trace trace) =>
            trace.Run.Region is { } region
                ? new RowRegion(
                    JsonNamingPolicy.CamelCase.ConvertName(region.Use.ToString()),
                    region.PictureIndex,
                    [region.Box.Left, region.Box.Top, region.Box.Right, region.Box.Bottom],
                    region.Use == RegionUse.LookAt ? region.Alpha : null,
                    trace.RegionChanges
                )
                : null;
    }

    private sealed record RowBlock(bool IsVideo, int Frames, int Rows, int Columns);
}
