using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Web;
using Tamx.Web.Requests;

namespace Tamx.Cli.Batch;

/// <summary>The rows that <c>tamx batch</c> works through, in an order that does not change.</summary>
/// <param name="path">The file or folder.</param>
/// <param name="prompt">The question of rows without one of their own.</param>
internal abstract class BatchInput(string path, string prompt)
{
    /// <summary>Most bytes of a row: pictures within, as base64 or as they are.</summary>
    protected const long MostRowBytes = 500_000_000;

    /// <summary>Endings of pictures' files, in lower case.</summary>
    protected static readonly string[] PictureEndings = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"];

    /// <summary>The file or folder.</summary>
    public string Location { get; } = path;

    /// <summary>The question of rows without one of their own.</summary>
    public string Prompt { get; } = prompt;

    /// <summary>Rows in all.</summary>
    public abstract long Count { get; }

    /// <summary>Bytes of the input, by which another input of the same name is told from it.</summary>
    public abstract long Bytes { get; }

    /// <summary>All rows, one after another. Their content is read when it is asked for, and only then.</summary>
    public abstract IEnumerable<BatchRow> Rows();

    /// <summary>Opens an input by its name: a folder of pictures, .jsonl, .tar (WebDataset) or .parquet.</summary>
    /// <exception cref="InvalidInputException">There is none, or it is of another kind.</exception>
    public static BatchInput Open(string path, string prompt)
    {
        if (Directory.Exists(path))
        {
            return new FolderInput(path, prompt);
        }

        if (!File.Exists(path))
        {
            throw new InvalidInputException($"{path}: no such file or folder");
        }

        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".jsonl" or ".ndjson" => new JsonLinesInput(path, prompt),
            ".tar" => new TarInput(path, prompt),
            ".parquet" => new ParquetInput(path, prompt),
            _ => throw new InvalidInputException(
                $"{path}: the rows come from a folder of pictures, or a file .jsonl, .tar (WebDataset) or .parquet"
            ),
        };
    }

    /// <summary>The id of a row that has none of its own.</summary>
    protected static string NumberId(long number) => number.ToString("D8", CultureInfo.InvariantCulture);

    /// <summary>What errors call a row.</summary>
    protected string NameOf(long number) =>
        string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(Location)}: row {number}");

    /// <summary>The conversation of a row: a picture, a question, and an answer if it is given.</summary>
    protected RowQuestion Ask(ChatPart picture, string? question, string? answer)
    {
        var asked = new TextPart(string.IsNullOrWhiteSpace(question) ? Prompt : question);
        return new RowQuestion(Answered([new ChatTurn(TurnRole.User, [picture, asked])], answer));
    }

    /// <summary>
    /// The conversation of a row as JSON: <c>messages</c>, or <c>image</c> or <c>video</c> (one or several) and
    /// <c>prompt</c>; an <c>answer</c> and a <c>region</c> with either.
    /// </summary>
    protected RowQuestion ReadJson(
        ReadOnlyMemory<byte> json,
        string name,
        string folder,
        ChatPart? attached,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var row =
                JsonNode.Parse(json.Span) as JsonObject
                ?? throw new InvalidInputException($"{name}: a row is a JSON object");
            var answer = TextOf(row, "answer", name);
            var region = RegionOf(row, name);
            if (row["messages"] is { } messages)
            {
                if (row["image"] is not null || row["video"] is not null || row["prompt"] is not null)
                {
                    throw new InvalidInputException(
                        $"{name}: \"messages\" takes the place of \"image\", \"video\" and \"prompt\""
                    );
                }

                return new RowQuestion(Answered(Parse(messages), answer), region);
            }

            if (attached is not null)
            {
                return Ask(attached, TextOf(row, "prompt", name), answer) with { Region = region };
            }

            var content = new JsonArray();
            Add("image");
            Add("video");
            if (content.Count == 0 && row["prompt"] is null)
            {
                throw new InvalidInputException($"{name}: no \"image\", \"video\", \"messages\" or \"prompt\"");
            }

            content.Add(new JsonObject { ["type"] = "text", ["text"] = TextOf(row, "prompt", name) ?? Prompt });
            var message = new JsonObject { ["role"] = "user", ["content"] = content };
            return new RowQuestion(Answered(Parse(new JsonArray(message)), answer), region);

            IReadOnlyList<ChatTurn> Parse(JsonNode turns) =>
                ChatJson.Parse(Encoding.UTF8.GetBytes(turns.ToJsonString()), name, folder, cancellationToken);

            void Add(string kind)
            {
                foreach (var source in row[kind] is JsonArray several ? [.. several] : (JsonNode?[])[row[kind]])
                {
                    if (source is not null)
                    {
                        content.Add(new JsonObject { ["type"] = kind, [kind] = source.DeepClone() });
                    }
                }
            }
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new InvalidInputException($"{name}: is no JSON: {OutsideText.Part(e.Message)}", e);
        }
    }

    private static IReadOnlyList<ChatTurn> Answered(IReadOnlyList<ChatTurn> asked, string? answer) =>
        answer is null ? asked : [.. asked, new ChatTurn(TurnRole.Assistant, answer)];

    /// <summary>The <c>region</c>, as in the server's API.</summary>
    private static PictureRegion? RegionOf(JsonObject row, string name)
    {
        try
        {
            var region = new JsonObject { ["region"] = row["region"]?.DeepClone() };
            return RegionReader.Read(JsonSerializer.SerializeToElement(region));
        }
        catch (ApiException e)
        {
            throw new InvalidInputException($"{name}: \"region\": {e.Message}", e);
        }
    }

    private static string? TextOf(JsonObject row, string field, string name) =>
        row[field] switch
        {
            null => null,
            JsonValue value when value.TryGetValue<string>(out var text) => text,
            _ => throw new InvalidInputException($"{name}: \"{field}\" is a text"),
        };
}
