using System.Globalization;
using System.Text.RegularExpressions;

namespace Tamx.Llama.Gguf;

/// <summary>A model in one GGUF file or several (<c>NAME-00001-of-0000N.gguf</c>), as one tensor table.</summary>
/// <remarks>Immutable and safe to share between threads.</remarks>
public sealed partial class GgufModel
{
    private const string SplitCountKey = "split.count";
    private const string SplitIndexKey = "split.no";
    private const string SplitTensorsKey = "split.tensors.count";

    private readonly Dictionary<string, GgufTensor> _tensorsByName = new(StringComparer.Ordinal);

    private GgufModel(GgufFile[] files)
    {
        Files = files;
        foreach (var file in files)
        {
            foreach (var tensor in file.Tensors)
            {
                if (!_tensorsByName.TryAdd(tensor.Name, tensor))
                {
                    throw new ModelFormatException(
                        file.Path,
                        $"tensor {OutsideText.Quoted(tensor.Name)} is in {_tensorsByName[tensor.Name].FilePath} as well"
                    );
                }
            }
        }
    }

    /// <summary>The files, in order; one unless the model is split.</summary>
    public IReadOnlyList<GgufFile> Files { get; }

    /// <summary>The first file, which is the one to hand to llama.cpp.</summary>
    public string Path => Files[0].Path;

    /// <summary>Metadata of the first file, which holds the model's keys.</summary>
    public GgufMetadata Metadata => Files[0].Metadata;

    /// <summary>All tensors; each says which file holds it.</summary>
    public IReadOnlyCollection<GgufTensor> Tensors => _tensorsByName.Values;

    /// <summary>Size of all files together.</summary>
    public long ByteCount => Files.Sum(file => file.ByteCount);

    /// <summary>The tensor of a name, or null if there is none.</summary>
    /// <param name="name">The name.</param>
    public GgufTensor? FindTensor(string name) => _tensorsByName.GetValueOrDefault(name);

    /// <summary>The error for something that is wrong in the model.</summary>
    internal ModelFormatException Error(string message) => new(Path, message);

    /// <summary>Opens a model. The other parts of a split one are found beside the first.</summary>
    /// <param name="path">The file, or the first of several.</param>
    /// <exception cref="ModelFormatException">A file is missing or damaged, or the parts do not match.</exception>
    public static GgufModel Open(string path)
    {
        var first = GgufFile.Open(path);
        var count = first.Metadata.FindInteger(SplitCountKey) ?? 1;
        if (count is < 0 or > 99999)
        {
            throw new ModelFormatException(path, $"key {SplitCountKey} is {count}; it must be 1 to 99999");
        }

        if (count <= 1)
        {
            return new GgufModel([first]);
        }

        var name = SplitName().Match(System.IO.Path.GetFileName(path));
        if (!name.Success || long.Parse(name.Groups["count"].ValueSpan, CultureInfo.InvariantCulture) != count)
        {
            throw new ModelFormatException(
                path,
                $"is part of a model split into {count} files and must be named like NAME-00001-of-{count:D5}.gguf"
            );
        }

        if (name.Groups["index"].Value != "00001")
        {
            throw new ModelFormatException(path, $"is not the first part; name {PartName(name, 1)} instead");
        }

        var files = new GgufFile[count];
        for (var i = 0; i < files.Length; i++)
        {
            var part = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path) ?? "", PartName(name, i + 1));
            files[i] = i == 0 ? first : GgufFile.Open(part);
            CheckSplitKey(files[i], SplitCountKey, count);
            CheckSplitKey(files[i], SplitIndexKey, i);
        }

        var model = new GgufModel(files);
        if (first.Metadata.GetInteger(SplitTensorsKey) is var tensors && tensors != model.Tensors.Count)
        {
            throw new ModelFormatException(
                path,
                $"key {SplitTensorsKey} is {tensors}; the parts have {model.Tensors.Count} tensors together"
            );
        }

        return model;
    }

    /// <summary>A model in one file that is already open.</summary>
    internal static GgufModel Of(GgufFile file) => new([file]);

    private static string PartName(Match name, int index) =>
        $"{name.Groups["name"].Value}-{index:D5}-of-{name.Groups["count"].Value}.gguf";

    private static void CheckSplitKey(GgufFile file, string key, long wanted)
    {
        if (file.Metadata.GetInteger(key) is var found && found != wanted)
        {
            throw new ModelFormatException(file.Path, $"key {key} is {found}; this part must have {wanted}");
        }

        // llama.cpp takes it without looking at its type, and gguf.cpp asserts the type.
        if (file.Metadata.TypeOf(key) is { } type && type != GgufValueType.U16)
        {
            throw new ModelFormatException(
                file.Path,
                $"key {key} is of type {type}; it must be of type {GgufValueType.U16}"
            );
        }
    }

    [GeneratedRegex(@"^(?<name>.+)-(?<index>[0-9]{5})-of-(?<count>[0-9]{5})\.gguf$", RegexOptions.CultureInvariant)]
    private static partial Regex SplitName();
}
