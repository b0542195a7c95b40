using System.Text.Json;
using System.Text.Json.Serialization;
using Parquet;
using Parquet.Serialization;

namespace Tamx.Cli.Batch;

/// <summary>Rows as a Parquet file, for DuckDB, pandas and others.</summary>
internal static class ParquetFile
{
    /// <summary>Rows that are held at once; so many are a row group.</summary>
    private const int GroupRows = 256;

    /// <summary>Writes rows. The file appears whole or not at all.</summary>
    public static Task WriteAsync(IEnumerable<ShardRow> rows, string path, CancellationToken cancellationToken) =>
        WholeFile.WriteAsync(
            path,
            async stream =>
            {
                // The format's writer goes back to the head when it appends.
                await using var file = new FileStream(
                    Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, $".{Guid.NewGuid():N}.tmp"),
                    FileMode.CreateNew,
                    FileAccess.ReadWrite,
                    FileShare.None,
                    1 << 16,
                    FileOptions.DeleteOnClose
                );
                var options = new ParquetOptions { CompressionMethod = CompressionMethod.Zstd };
                foreach (var group in rows.Select(Of).Chunk(GroupRows))
                {
                    await ParquetSerializer.SerializeAsync(group, file, options, null, cancellationToken);
                    options.Append = true;
                }

                file.Position = 0;
                await file.CopyToAsync(stream, cancellationToken);
            }
        );

    private static Columns Of(ShardRow row)
    {
        using var json = JsonDocument.Parse(row.Files.Single(file => IsAnswer(file.Name)).Content);
        var facts = json.RootElement;
        var columns = new Columns
        {
            Id = facts.GetProperty("id").GetString()!,
            Row = facts.GetProperty("row").GetInt64(),
            Json = facts.GetRawText(),
        };
        if (facts.TryGetProperty("error", out var error))
        {
            columns.Error = error.GetString();
            return columns;
        }

        columns.Answer = facts.GetProperty("answer").GetString();
        columns.StopReason = facts.GetProperty("stopReason").GetString();
        foreach (var step in facts.GetProperty("tokens").EnumerateArray())
        {
            var token = step.GetProperty("token");
            columns.TokenIds.Add(token.GetProperty("id").GetInt32());
            columns.Tokens.Add(token.GetProperty("text").GetString() ?? "");
            columns.Probabilities.Add(
                token.GetProperty("probability") is { ValueKind: JsonValueKind.Number } value
                    ? value.GetSingle()
                    : float.NaN
            );
        }

        columns.Words.AddRange(
            facts.GetProperty("words").EnumerateArray().Select(word => word.GetProperty("text").GetString() ?? "")
        );
        foreach (var block in facts.GetProperty("blocks").EnumerateArray())
        {
            columns.Grids.AddRange([Axis("frames"), Axis("rows"), Axis("columns")]);

            int Axis(string name) => block.GetProperty(name).GetInt32();
        }

        ReadMaps(row, columns);
        return columns;

        static bool IsAnswer(string name) => name.EndsWith(RowFiles.Answer, StringComparison.Ordinal);
    }

    private static void ReadMaps(ShardRow row, Columns columns)
    {
        // The format's reader takes files alone, whose claims it checks against their size.
        var path = Path.Combine(Path.GetTempPath(), $"tamx-{Guid.NewGuid():N}.safetensors");
        try
        {
            File.WriteAllBytes(
                path,
                row.Files.Single(file => file.Name.EndsWith(RowFiles.Maps, StringComparison.Ordinal)).Content
            );
            using var tensors = SafetensorsFile.Open(path);
            for (var block = 0; block < columns.Grids.Count / 3; block++)
            {
                columns.Maps.AddRange(tensors.ReadSingles($"maps.{block}"));
                columns.WordMaps.AddRange(tensors.ReadSingles($"words.{block}"));
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>The file's columns. Lists of numbers are flat; docs/batch.md says how they are folded.</summary>
    private sealed class Columns
    {
        [JsonPropertyName("id")]
        public required string Id { get; set; }

        [JsonPropertyName("row")]
        public required long Row { get; set; }

        [JsonPropertyName("error")]
        public string? Error { get; set; }

        [JsonPropertyName("answer")]
        public string? Answer { get; set; }

        [JsonPropertyName("stop_reason")]
        public string? StopReason { get; set; }

        [JsonPropertyName("token_ids")]
        public List<int> TokenIds { get; set; } = [];

        [JsonPropertyName("tokens")]
        public List<string> Tokens { get; set; } = [];

        [JsonPropertyName("probabilities")]
        public List<float> Probabilities { get; set; } = [];

        [JsonPropertyName("words")]
        public List<string> Words { get; set; } = [];

        [JsonPropertyName("grids")]
        public List<int> Grids { get; set; } = [];

        [JsonPropertyName("maps")]
        public List<float> Maps { get; set; } = [];

        [JsonPropertyName("word_maps")]
        public List<float> WordMaps { get; set; } = [];

        [JsonPropertyName("json")]
        public required string Json { get; set; }
    }
}
