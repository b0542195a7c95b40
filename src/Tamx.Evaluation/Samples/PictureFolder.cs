using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx.Evaluation;

/// <summary>A folder of pictures with label maps and categories, as the paper's data sets are laid out.</summary>
/// <remarks>
/// <para>
/// There are two layouts. GranDf's and OpenPSG's is <c>anno.json</c>: a list of
/// <c>[picture, caption, label map, {category: label}]</c>, with paths inside the folder. COCO's is
/// <c>annotations/instances_*.json</c>, of which the pictures' ids and the categories are read, with
/// <c>image/&lt;id, 12 digits&gt;.jpg</c> and <c>seg_label/&lt;id, 12 digits&gt;.png</c>. In both,
/// <c>categories.json</c> (<c>{name: label}</c>) goes before the categories of the annotations.
/// </para>
/// <para>
/// A label map is a PNG of the picture's size, grey or with a palette. Its stored samples are labels: 0 is background,
/// 255 is neither. Captions are not read: they measure the answer, not the maps.
/// </para>
/// </remarks>
public sealed class PictureFolder
{
    private const int Void = 255;

    private readonly Entry[] _entries;

    private PictureFolder(Entry[] entries, string prompt)
    {
        _entries = entries;
        Prompt = prompt;
    }

    /// <summary>Number of pictures.</summary>
    public int Count => _entries.Length;

    /// <summary>The question that the paper asks about pictures of such a folder.</summary>
    public string Prompt { get; }

    /// <summary>Reads the annotations, and looks whether all files are there. Pictures are read later.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="InvalidInputException">The folder or one of its files is missing or damaged.</exception>
    public static PictureFolder Open(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
        {
            throw new InvalidInputException($"{folder}: there is no such folder");
        }

        var (entries, prompt) = ReadEntries(folder);
        if (entries.Length == 0)
        {
            throw new InvalidInputException($"{folder}: its annotations name no picture");
        }

        foreach (var entry in entries)
        {
            RequireFile(folder, entry.Picture, "picture");
            RequireFile(folder, entry.Labels, "label map");
        }

        return new PictureFolder(entries, prompt);
    }

    /// <summary>The samples. Each is read when it is reached.</summary>
    /// <param name="prompt">The question; null for <see cref="Prompt"/>.</param>
    /// <exception cref="InvalidInputException">
    /// While enumerating: a label map is damaged, or holds a label without a category.
    /// </exception>
    public IEnumerable<EvaluationSample> Samples(string? prompt = null) =>
        _entries.Select(entry => Read(entry, prompt ?? Prompt));

    private static EvaluationSample Read(Entry entry, string prompt)
    {
        var labels = LabelMap.Open(entry.Labels);
        foreach (var label in labels.Labels)
        {
            if (label is not (0 or Void) && !entry.Categories.Any(category => category.Label == label))
            {
                throw new InvalidInputException(
                    $"{entry.Labels}: label {label} has no category; add it to the annotations or to categories.json"
                );
            }
        }

        return new EvaluationSample
        {
            Name = entry.Name,
            Picture = ImagePart.FromFile(entry.Picture),
            Prompt = prompt,
            Labels = labels,
            Categories = entry.Categories,
        };
    }

    private static (Entry[] Entries, string Prompt) ReadEntries(string folder)
    {
        var list = Path.Combine(folder, "anno.json");
        if (File.Exists(list))
        {
            // The paper asks for two sentences on GranDf and for three on OpenPSG.
            var name = Path.GetFileName(Path.GetFullPath(folder).TrimEnd(Path.DirectorySeparatorChar));
            var sentences = name.Contains("OpenPSG", StringComparison.Ordinal) ? "three" : "two";
            return (ReadList(folder, list), $"Write a description for this image using around {sentences} sentences:");
        }

        var annotations = Path.Combine(folder, "annotations");
        string[] instances = Directory.Exists(annotations)
            ? [.. Directory.EnumerateFiles(annotations, "instances_*.json").Order(StringComparer.Ordinal)]
            : [];
        return instances.Length switch
        {
            0 => throw new InvalidInputException(
                $"{folder}: there is neither anno.json nor annotations/instances_*.json, so no masks are known"
            ),
            1 => (ReadCoco(folder, instances[0]), "Write a one-sentence caption for this image:"),
            _ => throw new InvalidInputException(
                $"{annotations}: there are {instances.Length} files instances_*.json; leave the one to evaluate"
            ),
        };
    }

    private static Entry[] ReadList(string folder, string path)
    {
        var shared = ReadCategories(folder);
        using var document = Parse(path, json => JsonDocument.Parse(json));
        if (document.RootElement.ValueKind != JsonValueKind.Array)
        {
            throw new InvalidInputException($"{path}: it must be a list of [picture, caption, label map, categories]");
        }

        var entries = new List<Entry>();
        foreach (var item in document.RootElement.EnumerateArray())
        {
            if (
                item.ValueKind != JsonValueKind.Array
                || item.GetArrayLength() != 4
                || item[0].ValueKind != JsonValueKind.String
                || item[2].ValueKind != JsonValueKind.String
            )
            {
                throw new InvalidInputException(
                    $"{path}: entry {entries.Count + 1} is not [picture, caption, label map, categories]"
                );
            }

            var name = item[0].GetString()!;
            if (entries.Any(entry => entry.Name == name))
            {
                throw new InvalidInputException($"{path}: {name} stands in it twice");
            }

            var categories = shared ?? CategoriesOf(item[3], $"{path}: entry {entries.Count + 1}");
            var labels = item[2].GetString()!;
            entries.Add(new Entry(name, Inside(folder, name, path), Inside(folder, labels, path), categories));
        }

        return [.. entries];
    }

    private static Entry[] ReadCoco(string folder, string path)
    {
        var file = Parse(path, json => JsonSerializer.Deserialize<CocoFile>(json.Span, JsonSerializerOptions.Web));
        var categories =
            ReadCategories(folder)
            ?? CheckCategories((file?.Categories ?? []).Select(category => (category.Name, category.Id)), path);
        return
        [
            .. from image in (file?.Images ?? []).DistinctBy(image => image.Id)
            let name = image.Id.ToString("D12", CultureInfo.InvariantCulture)
            let picture = Path.Combine(folder, "image", name + ".jpg")
            let labels = Path.Combine(folder, "seg_label", name + ".png")
            select new Entry(name, picture, labels, categories),
        ];
    }

    private static LabelledCategory[]? ReadCategories(string folder)
    {
        var path = Path.Combine(folder, "categories.json");
        if (!File.Exists(path))
        {
            return null;
        }

        using var document = Parse(path, json => JsonDocument.Parse(json));
        return CategoriesOf(document.RootElement, path);
    }

    private static LabelledCategory[] CategoriesOf(JsonElement element, string where) =>
        CheckCategories(
            element.ValueKind != JsonValueKind.Object
                ? []
                : element.EnumerateObject().Select(property => ((string?)property.Name, LabelOf(property.Value))),
            where
        );

    private static int LabelOf(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var label) ? label : 0;

    private static LabelledCategory[] CheckCategories(IEnumerable<(string? Name, int Label)> categories, string where)
    {
        LabelledCategory[] all =
        [
            .. categories.Select(category => new LabelledCategory(category.Label, category.Name ?? "")),
        ];
        if (all.Length == 0)
        {
            throw new InvalidInputException(
                $"{where}: there are no categories; a list {{\"name\": label}} in categories.json gives them"
            );
        }

        foreach (var (label, name) in all)
        {
            if (label is < 1 or >= Void || string.IsNullOrWhiteSpace(name))
            {
                throw new InvalidInputException(
                    $"{where}: category \"{name}\" has label {label}; a label is a whole number from 1 to {Void - 1}"
                );
            }
        }

        return all;
    }

    private static T Parse<T>(string path, Func<ReadOnlyMemory<byte>, T> parse)
    {
        try
        {
            return parse(JsonText.Check(InputFile.ReadAllBytes(path), path));
        }
        catch (JsonException exception)
        {
            throw new InvalidInputException(
                $"{path}: no readable JSON: {OutsideText.Part(exception.Message)}",
                exception
            );
        }
    }

    private static string Inside(string folder, string name, string where)
    {
        var root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        var path = Path.GetFullPath(Path.Combine(folder, name));
        return path.StartsWith(root, StringComparison.Ordinal)
            ? path
            : throw new InvalidInputException($"{where}: \"{name}\" does not lie in the folder");
    }

    private static void RequireFile(string folder, string path, string what)
    {
        if (!File.Exists(path))
        {
            throw new InvalidInputException($"{folder}: the {what} {Path.GetRelativePath(folder, path)} is missing");
        }
    }

    private sealed record Entry(string Name, string Picture, string Labels, IReadOnlyList<LabelledCategory> Categories);

    private sealed record CocoFile(CocoImage[]? Images, CocoCategory[]? Categories);

    private sealed record CocoImage([property: JsonRequired] long Id);

    private sealed record CocoCategory(string? Name, int Id);
}
