using System.Text.Json;
using Tamx.Llama;

namespace Tamx;

/// <summary>The JSON files of a model's folder; untrusted.</summary>
internal static class CheckpointJson
{
    private const int MostBytes = 1 << 28;

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    /// <summary>Reads one; null if there is none.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="name">The file.</param>
    /// <exception cref="ModelFormatException">It cannot be read, or is not what it should be.</exception>
    public static T? Read<T>(string folder, string name)
        where T : class
    {
        var path = Path.Combine(folder, name);
        try
        {
            if (!File.Exists(path))
            {
                return null;
            }

            using var file = InputFile.Open(path);
            if (file.Length > MostBytes)
            {
                throw new ModelFormatException(
                    path,
                    $"has {file.Length:N0} bytes of JSON; at most {MostBytes:N0} are read"
                );
            }

            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return JsonSerializer.Deserialize<T>(JsonText.Check(bytes, path).Span, Options)
                ?? throw new ModelFormatException(path, "is null; a JSON object is needed");
        }
        catch (JsonException e)
        {
            throw new ModelFormatException(
                path,
                $"is not the JSON that a model's folder has: {OutsideText.Part(e.Message)}",
                e
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException(path, $"cannot be read: {e.Message}", e);
        }
    }
}
