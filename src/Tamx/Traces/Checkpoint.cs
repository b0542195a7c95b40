using Tamx.Llama;
using Tamx.Llama.Families;
using Tamx.Llama.Gguf;

namespace Tamx;

/// <summary>
/// A model as its makers publish it: a folder with <c>config.json</c>, safetensors (in one file, or in shards with an
/// index), <c>tokenizer.json</c> or <c>vocab.json</c>, and <c>preprocessor_config.json</c>. Of the tensors only output
/// embedding and output norm are looked at, and of these only the rows that are needed are read.
/// </summary>
/// <remarks>
/// Untrusted. Source: Transformers' <c>Qwen2VL</c>, <c>Qwen2_5_VL</c>, <c>Qwen3VL</c> and <c>Qwen3_5</c> models; sizes
/// of pictures: its <c>Qwen2VLImageProcessor</c>.
/// </remarks>
internal static class Checkpoint
{
    private const string ConfigName = "config.json";
    private const string PreprocessorName = "preprocessor_config.json";
    private const string IndexName = "model.safetensors.index.json";
    private const string WholeName = "model.safetensors";
    private const int MostHidden = 65_536;

    /// <summary>Opens it.</summary>
    /// <exception cref="ModelFormatException">A file is missing, damaged, or not of one model with the others.</exception>
    /// <exception cref="TraceFormatException">A safetensors file is damaged.</exception>
    /// <exception cref="NativeLibraryException">llama.cpp's libraries, which dequantize rows, are missing.</exception>
    public static RunModel Open(string folder)
    {
        var config =
            CheckpointJson.Read<Config>(folder, ConfigName)
            ?? throw new ModelFormatException(
                folder,
                $"is a folder without {ConfigName}; a GGUF file is needed, or the folder of a model's safetensors"
            );
        var path = Path.Combine(folder, ConfigName);
        var text = config.TextConfig ?? config;
        var family =
            ModelFamily.All.FirstOrDefault(family => family.ModelTypes.ContainsKey(config.ModelType ?? ""))
            ?? throw new ModelFormatException(
                path,
                $"model_type {OutsideText.Quoted(config.ModelType ?? "")} is not supported; {string.Join(", ", ModelFamily.All.SelectMany(family => family.ModelTypes.Keys))} are"
            );
        var size = InRange(path, "hidden_size", text.HiddenSize ?? config.HiddenSize, MostHidden);
        var count = InRange(path, "vocab_size", text.VocabSize ?? config.VocabSize, 1 << 24);
        var isTied = config.TieWordEmbeddings == true || text.TieWordEmbeddings == true;
        var epsilon = text.RmsNormEps ?? config.RmsNormEps;
        if (epsilon is not (> 0 and < 1))
        {
            throw new ModelFormatException(path, $"rms_norm_eps is {epsilon}; a number between 0 and 1 is needed");
        }

        if (!File.Exists(Path.Combine(folder, IndexName)) && !File.Exists(Path.Combine(folder, WholeName)))
        {
            throw new ModelFormatException(folder, $"has neither {IndexName} nor {WholeName}; one of them is needed");
        }

        var shards = CheckpointJson.Read<ShardIndex>(folder, IndexName)?.WeightMap;
        var output =
            (isTied ? null : Find(folder, shards, [size, count], "lm_head.weight"))
            ?? (isTied ? FindInside(folder, shards, [size, count], "embed_tokens.weight") : null)
            ?? throw Lacks(isTied ? "embed_tokens.weight" : "lm_head.weight");
        var norm = FindInside(folder, shards, [size], "norm.weight") ?? throw Lacks("norm.weight");
        var tokens = CheckpointTokens.Read(folder, count);
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        return new RunModel
        {
            Path = folder,
            OutputEmbedding = new OutputEmbedding(output),
            OutputNorm = new OutputNorm(norm, epsilon.Value, family.StoresNormsLessOne ? 1 : 0),
            GetBytes = tokens.GetBytes,
            FindMarkers = () =>
                CheckMarkers(path, config, MarkerIds.Find(family.Markers, tokens.TryFindId, tokens.FindId)),
            Cells = FindCells(folder, config),
            Run = new RunInfo
            {
                Model = name,
                ModelFile = name,
                Architecture = family.ModelTypes[config.ModelType!],
                Quantization = output.Type.Name,
            },
        };

        ModelFormatException Lacks(string tensor) =>
            new(
                folder,
                $"has no tensor {tensor}{(isTied ? "" : $"; {ConfigName} does not say tie_word_embeddings either")}"
            );
    }

    private static int InRange(string path, string name, int? value, int most) =>
        value is >= 1 && value <= most
            ? value.Value
            : throw new ModelFormatException(
                path,
                $"{name} is {(value is { } number ? $"{number}" : "missing")}; 1 to {most} is needed"
            );

    /// <summary>The ids that the configuration names must be those of the vocabulary.</summary>
    private static MarkerIds CheckMarkers(string path, Config config, MarkerIds markers)
    {
        Check("image_token_id", config.ImageTokenId, markers.ImagePad);
        Check("video_token_id", config.VideoTokenId, markers.VideoPad);
        Check("vision_start_token_id", config.VisionStartTokenId, markers.VisionStart);
        Check("vision_end_token_id", config.VisionEndTokenId, markers.VisionEnd);
        return markers;

        void Check(string name, int? stated, int? found)
        {
            if (stated is { } id && id != found)
            {
                throw new ModelFormatException(
                    path,
                    $"{name} is {id}, but the vocabulary beside it has {found}; files of one model are needed"
                );
            }
        }
    }

    private static PictureCells? FindCells(string folder, Config config)
    {
        var limits = CheckpointJson.Read<Preprocessor>(folder, PreprocessorName);
        var (least, most) = (
            limits?.MinPixels ?? limits?.Size?.ShortestEdge,
            limits?.MaxPixels ?? limits?.Size?.LongestEdge
        );
        if (
            config.VisionConfig is not { PatchSize: { } patch, SpatialMergeSize: { } merge }
            || least is null
            || most is null
        )
        {
            return null;
        }

        if (patch is < 1 or > 1024 || merge is < 1 or > 64)
        {
            throw new ModelFormatException(
                Path.Combine(folder, ConfigName),
                $"vision_config has patch_size {patch} and spatial_merge_size {merge}; 1 to 1024 and 1 to 64 are needed"
            );
        }

        return least is > 0 && most >= least && most <= 1L << 40
            ? new PictureCells(patch, merge, least.Value, most.Value)
            : throw new ModelFormatException(
                Path.Combine(folder, PreprocessorName),
                $"pictures have from {least} to {most} pixels; two numbers above 0 are needed, the first the smaller"
            );
    }

    /// <summary>A tensor of the text model, which lies alone or within a larger one.</summary>
    private static GgufTensor? FindInside(
        string folder,
        Dictionary<string, string>? shards,
        IReadOnlyList<long> shape,
        string name
    ) => Find(folder, shards, shape, $"model.language_model.{name}", $"model.{name}");

    /// <summary>Where the first of some tensors lies; null if there is none of them.</summary>
    private static GgufTensor? Find(
        string folder,
        Dictionary<string, string>? shards,
        IReadOnlyList<long> shape,
        params string[] names
    )
    {
        foreach (var name in names)
        {
            var file = WholeName;
            if (shards is not null && !shards.TryGetValue(name, out file!))
            {
                continue;
            }

            if (
                file is null
                || file != Path.GetFileName(file)
                || !file.EndsWith(".safetensors", StringComparison.Ordinal)
            )
            {
                throw new ModelFormatException(
                    Path.Combine(folder, IndexName),
                    $"{name} is in {OutsideText.Quoted(file ?? "")}; the name of a .safetensors file beside it is needed"
                );
            }

            using var tensors = SafetensorsFile.Open(Path.Combine(folder, file));
            if (tensors.Tensors.TryGetValue(name, out var tensor))
            {
                return Describe(tensors, tensor, shape);
            }

            if (shards is not null)
            {
                throw new ModelFormatException(
                    tensors.Path,
                    $"lacks the tensor {name}, which {IndexName} says it holds"
                );
            }
        }

        return null;
    }

    private static GgufTensor Describe(SafetensorsFile file, SafetensorsTensor tensor, IReadOnlyList<long> shape)
    {
        var type = tensor.DType switch
        {
            SafetensorsDType.F32 => TensorType.F32,
            SafetensorsDType.F16 => TensorType.F16,
            SafetensorsDType.BF16 => TensorType.BF16,
            _ => throw new ModelFormatException(
                file.Path,
                $"tensor {tensor.Name} is {tensor.Describe()}; F32, F16 or BF16 is needed"
            ),
        };
        return tensor.Shape.Reverse().SequenceEqual(shape)
            ? new GgufTensor
            {
                Name = tensor.Name,
                Type = type,
                Shape = shape,
                FilePath = file.Path,
                Offset = file.PositionOf(tensor),
                ByteCount = tensor.ByteCount,
                ElementCount = tensor.ElementCount,
            }
            : throw new ModelFormatException(
                file.Path,
                $"tensor {tensor.Name} is {tensor.Describe()}; {ConfigName} beside it says [{string.Join(", ", shape.Reverse())}]"
            );
    }

    private sealed record Config
    {
        public string? ModelType { get; init; }

        public Config? TextConfig { get; init; }

        public Vision? VisionConfig { get; init; }

        public int? HiddenSize { get; init; }

        public int? VocabSize { get; init; }

        public double? RmsNormEps { get; init; }

        public bool? TieWordEmbeddings { get; init; }

        public int? ImageTokenId { get; init; }

        public int? VideoTokenId { get; init; }

        public int? VisionStartTokenId { get; init; }

        public int? VisionEndTokenId { get; init; }
    }

    private sealed record Vision(int? PatchSize, int? SpatialMergeSize);

    private sealed record Preprocessor(long? MinPixels, long? MaxPixels, PictureBounds? Size);

    private sealed record PictureBounds(long? ShortestEdge, long? LongestEdge);

    private sealed record ShardIndex(Dictionary<string, string>? WeightMap);
}
