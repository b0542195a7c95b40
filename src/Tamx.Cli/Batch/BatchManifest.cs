using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tamx.Cli.Batch;

/// <summary>
/// What a folder of results was made of and how: <c>manifest.json</c>. Whoever goes on in the folder must mean the
/// same.
/// </summary>
internal static class BatchManifest
{
    public const string FileName = "manifest.json";

    private static readonly JsonSerializerOptions Indented = new(ExplainSummary.Json) { WriteIndented = true };

    /// <summary>Writes it, or makes sure that the one that is there says the same.</summary>
    /// <exception cref="InvalidInputException">It says something else.</exception>
    public static void Require(string folder, JsonObject facts)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            WholeFile.Write(path, stream => JsonSerializer.Serialize(stream, facts, Indented));
        }

        if (FirstDifference("", Read(folder), facts) is { } difference)
        {
            throw new InvalidInputException(
                $"{path} has {difference}; results of both must not mix: name another folder, or run it as before"
            );
        }
    }

    /// <summary>The first value that is another, in words; null where all are the same.</summary>
    private static string? FirstDifference(string name, JsonNode? there, JsonNode? here) =>
        (there, here) is (JsonObject one, JsonObject other)
            ? other
                .Select(field =>
                    FirstDifference(name.Length == 0 ? field.Key : $"{name}.{field.Key}", one[field.Key], field.Value)
                )
                .FirstOrDefault(difference => difference is not null)
        : JsonNode.DeepEquals(there, here) ? null
        : $"{name} {Text(there)} where this run has {Text(here)}";

    private static string Text(JsonNode? value) => OutsideText.Part(value?.ToJsonString() ?? "none");

    /// <summary>That of a folder.</summary>
    /// <exception cref="InvalidInputException">There is none, or it is damaged.</exception>
    public static JsonObject Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            return JsonNode.Parse(File.ReadAllBytes(path)) as JsonObject ?? throw new JsonException("no object");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidInputException($"{folder} holds no {FileName}; name a folder that tamx batch wrote", e);
        }
        catch (JsonException e)
        {
            throw new InvalidInputException($"{path}: is damaged: {OutsideText.Part(e.Message)}", e);
        }
    }

    /// <summary>The number of shards that it names.</summary>
    public static int ShardCount(string folder) =>
        Read(folder)["shards"] is JsonValue value
        && value.TryGetValue<int>(out var count)
        && count is > 0 and <= BatchShard.MostShards
            ? count
            : throw new InvalidInputException($"{Path.Combine(folder, FileName)}: \"shards\" is no number of shards");
}
