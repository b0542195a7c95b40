using System.Globalization;
using Tamx.Llama.Families;

namespace Tamx.Llama.Gguf;

public static partial class Preflight
{
    private const string ProjectorTypeKey = "clip.projector_type";

    /// <summary>MiniCPM-V's projector.</summary>
    private const string Resampler = "resampler";

    /// <summary>clip.cpp's own limit: beyond it, products overflow 32 bits.</summary>
    private const int MaxImageSize = 8192;

    private const string PinpointsKey = "clip.vision.image_grid_pinpoints";

    /// <summary>Checks an mmproj.</summary>
    /// <param name="model">The opened file.</param>
    /// <returns>What the file says about the vision tower and projector.</returns>
    /// <exception cref="ModelFormatException">llama.cpp would refuse it, crash, or compute nonsense.</exception>
    public static ProjectorFacts CheckProjector(GgufModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var metadata = model.Metadata;
        if (model.Files.Count > 1)
        {
            throw model.Error("is a split mmproj, which llama.cpp does not read; merge its parts into one file");
        }

        if (
            (metadata.FindString(ArchitectureKey) ?? ModelArchitecture.Clip) is var architecture
            && architecture != ModelArchitecture.Clip
        )
        {
            throw model.Error(
                $"is a text model ({OutsideText.Quoted(architecture)}); "
                    + "the mmproj (vision part) published with the model is needed here"
            );
        }

        CheckKeyTypes(model, ProjectorKeys, ModelArchitecture.Clip);
        if (metadata.FindBool("clip.has_vision_encoder") != true)
        {
            throw Wrong(
                model,
                "clip.has_vision_encoder",
                metadata.Contains("clip.has_vision_encoder") ? "false" : "missing",
                "true"
            );
        }

        foreach (var key in (string[])["clip.has_audio_encoder", "clip.has_gen_audio_encoder"])
        {
            if (metadata.FindBool(key) == true)
            {
                throw Wrong(model, key, "true", "absent or false; projectors with sound are not supported");
            }
        }

        var type = metadata.GetString(ProjectorTypeKey);
        if (type == Resampler)
        {
            throw model.Error(
                "has a resampler (MiniCPM-V), whose vision tokens each ask something of the whole picture: they are no "
                    + "places in it, so there is no map"
            );
        }

        string[] types = [.. ProjectorKind.All.Select(known => known.Type)];
        var kind =
            ProjectorKind.Find(type)
            ?? throw Wrong(
                model,
                ProjectorTypeKey,
                OutsideText.Quoted(type),
                $"{string.Join(", ", types[..^1])} or {types[^1]}"
            );
        var facts = ReadProjector(model, kind);
        return facts with
        {
            DeepstackLayerIndices = CheckProjectorTensors(model, kind, facts),
            RowEnd = kind.RowEndTensor is { } rowEnd ? model.FindTensor(rowEnd) : null,
        };
    }

    private static ProjectorFacts ReadProjector(GgufModel model, ProjectorKind kind)
    {
        var metadata = model.Metadata;
        var imageSize = Integer(model, "clip.vision.image_size", 1, MaxImageSize);
        var patchSize = Integer(model, "clip.vision.patch_size", 1, 64);
        var hiddenSize = Integer(model, "clip.vision.embedding_length", 1, 65536);
        var headCount = Integer(model, "clip.vision.attention.head_count", 1, 4096);
        if (imageSize < patchSize)
        {
            throw Wrong(model, "clip.vision.image_size", imageSize, $"at least the patch size {patchSize}");
        }

        if (hiddenSize % headCount != 0 || hiddenSize / headCount % 4 != 0)
        {
            throw Wrong(
                model,
                "clip.vision.attention.head_count",
                headCount,
                $"a divisor of the hidden size {hiddenSize} that leaves heads of a multiple of 4"
            );
        }

        if (
            metadata.FindInteger("clip.vision.attention.head_dim") is { } headSize
            && headSize != 0
            && headSize != hiddenSize / headCount
        )
        {
            throw Wrong(model, "clip.vision.attention.head_dim", headSize, $"absent or {hiddenSize / headCount}");
        }

        if (metadata.FindInteger("clip.vision.attention.head_count_kv") is { } keyHeads && keyHeads != headCount)
        {
            throw Wrong(model, "clip.vision.attention.head_count_kv", keyHeads, $"absent or {headCount}");
        }

        Finite(
            model,
            "clip.vision.attention.layer_norm_epsilon",
            metadata.GetFloat("clip.vision.attention.layer_norm_epsilon"),
            0
        );
        CheckColours(model, "clip.vision.image_mean", least: 0, most: 1);
        CheckColours(model, "clip.vision.image_std", least: 0.001, most: 10);
        if (metadata.FindBool("clip.use_gelu") == true && metadata.FindBool("clip.use_silu") == true)
        {
            throw Wrong(model, "clip.use_silu", "true", "false where clip.use_gelu is true");
        }

        if (metadata.CountOf(PinpointsKey) is var count && count % 2 != 0)
        {
            throw Wrong(model, PinpointsKey, $"{count} numbers", "absent or pairs of width and height");
        }

        if (count > 0 && !kind.MayHavePinpoints)
        {
            throw Wrong(
                model,
                PinpointsKey,
                "there, as in LLaVA 1.6",
                "absent: libmtmd then joins tiles of its own choice"
            );
        }

        var merge =
            metadata.FindInteger(kind.MergeKey)
            ?? (
                kind.NeedsMergeKey || (kind.MergeTensor is { } merger && model.FindTensor(merger) is not null)
                    ? throw metadata.Missing(kind.MergeKey, "the patches per side that become a cell")
                    : kind.SpatialMergeSize
            );
        const int MostMerge = 16;
        if (kind.IsMergeFree ? merge is < 1 or > MostMerge : merge != kind.SpatialMergeSize)
        {
            throw Wrong(
                model,
                kind.MergeKey,
                merge,
                kind.IsMergeFree ? $"1 to {MostMerge}" : $"{kind.SpatialMergeSize}"
            );
        }

        var cellSize = patchSize * (int)merge;
        if (kind is { IsMergeFree: true, IsSquare: true } && imageSize / patchSize % merge != 0)
        {
            // The tower leaves a rest at the picture's edge unseen, but cells are whole.
            throw Wrong(
                model,
                "clip.vision.image_size",
                imageSize,
                $"so many patches of {patchSize} that {merge} divides"
            );
        }

        if (kind is { IsSquare: true, IsMergeFree: false } && imageSize % cellSize != 0)
        {
            throw Wrong(model, "clip.vision.image_size", imageSize, $"a multiple of a cell's side, {cellSize}");
        }

        if (kind.IsWholeLast)
        {
            Integer(model, "clip.vision.preproc_image_size", imageSize, MaxImageSize);
        }

        var (leastTiles, mostTiles) = kind.IsTiled ? ReadTiles(model) : (1, 1);

        const string LeastKey = "clip.vision.image_min_pixels";
        const string MostKey = "clip.vision.image_max_pixels";
        int? least = metadata.Contains(LeastKey) ? Integer(model, LeastKey, 1, int.MaxValue) : null;
        int? most = metadata.Contains(MostKey) ? Integer(model, MostKey, least ?? 1, int.MaxValue) : null;

        const string WindowKey = "clip.vision.n_wa_pattern";
        if (kind.HasWindows == true)
        {
            Integer(model, WindowKey, 0, 4096);
            if (patchSize > 56)
            {
                throw Wrong(
                    model,
                    "clip.vision.patch_size",
                    patchSize,
                    "at most 56, so that a cell fits the attention window of 112 pixels"
                );
            }
        }
        else if (kind.HasWindows == false)
        {
            Zero(model, WindowKey);
        }

        return new ProjectorFacts
        {
            Path = model.Path,
            ProjectorType = kind.Type,
            Name = metadata.FindString("general.name"),
            PatchSize = patchSize,
            SpatialMergeSize = (int)merge,
            ImageSize = imageSize,
            MinPixels = least,
            MaxPixels = most,
            IsSquare = kind.IsSquare,
            MinTiles = leastTiles,
            MaxTiles = mostTiles,
            HiddenSize = hiddenSize,
            FeedForwardSize = FeedForwardSize(model, kind, hiddenSize),
            LayerCount = Integer(model, "clip.vision.block_count", 1, 512),
            HeadCount = headCount,
            ProjectionSize = ProjectionSize(model, kind),
            DeepstackLayerIndices = [],
            ParameterCount = model.Tensors.Sum(tensor => tensor.ElementCount),
            ByteCount = model.ByteCount,
        };
    }

    /// <summary>The values of a vision token. The key must be there for libmtmd in any case.</summary>
    private static int ProjectionSize(GgufModel model, ProjectorKind kind)
    {
        const int Most = 65536;
        var stated = Integer(model, "clip.vision.projection_dim", 1, Most);
        if (kind.ProjectionSize is not (var name, var axis))
        {
            return stated;
        }

        // Its other sizes are checked with all tensors.
        var tensor = model.FindTensor(name) ?? throw model.Error($"tensor {name} is missing");
        return axis < tensor.Shape.Count && tensor.Shape[axis] is >= 1 and <= Most and var size
            ? (int)size
            : throw new ModelFormatException(tensor.FilePath, $"tensor {name} has shape {tensor.ShapeText}, no matrix");
    }

    /// <summary>
    /// How many tiles a picture may become. libmtmd asserts that there is a choice, and takes 1 to 12 where a file does
    /// not say.
    /// </summary>
    private static (int Least, int Most) ReadTiles(GgufModel model)
    {
        const string LeastKey = "clip.vision.preproc_min_tiles";
        const string MostKey = "clip.vision.preproc_max_tiles";
        const int Limit = 256;
        var least = model.Metadata.Contains(LeastKey) ? Integer(model, LeastKey, 1, Limit) : 1;
        var most = model.Metadata.Contains(MostKey) ? Integer(model, MostKey, 1, Limit) : 12;
        return least <= most
            ? (least, most)
            : throw Wrong(model, LeastKey, least, $"at most {MostKey} (12 where that is missing)");
    }

    /// <summary>
    /// The width of the layers' inner matrices, read from the first layer. The key for it must be there but cannot be
    /// trusted: llama.cpp's converter writes another number for Qwen2-VL, and older ones wrote 0.
    /// </summary>
    private static int FeedForwardSize(GgufModel model, ProjectorKind kind, int hiddenSize)
    {
        Integer(model, "clip.vision.feed_forward_length", 0, 1 << 20);
        var name =
            $"v.blk.0.{(IsFeedForwardSwapped(model, kind, "v.blk.0", hiddenSize) ? "ffn_down" : "ffn_up")}.weight";
        var tensor = model.FindTensor(name) ?? throw model.Error($"tensor {name} is missing");
        return tensor.Shape is [_, >= 1 and <= 1 << 20]
            ? (int)tensor.Shape[1]
            : throw new ModelFormatException(
                tensor.FilePath,
                $"tensor {name} has shape {tensor.ShapeText}; it must be [{hiddenSize}, inner size]"
            );
    }

    /// <summary>
    /// Older converters of Qwen2-VL swapped the two matrices' names. llama.cpp tests for it like this.
    /// </summary>
    private static bool IsFeedForwardSwapped(GgufModel model, ProjectorKind kind, string layer, int hiddenSize) =>
        kind.MaySwapFeedForward
        && model.FindTensor($"{layer}.ffn_down.weight") is { } down
        && down.Shape[0] == hiddenSize;

    /// <summary>Mean or deviation per colour, for pixels in [0, 1]. Others would overflow half precision.</summary>
    private static void CheckColours(GgufModel model, string key, double least, double most)
    {
        var values = model.Metadata.FindFloats(key) ?? throw model.Metadata.Missing(key, "3 floats (red, green, blue)");
        if (
            model.Metadata.ElementTypeOf(key) != GgufValueType.F32
            || values.Length != 3
            || !values.All(value => value >= least && value <= most)
        )
        {
            var found = string.Join(", ", values.Take(4).Select(value => value.ToString(CultureInfo.InvariantCulture)));
            throw Wrong(
                model,
                key,
                $"[{found}]",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"3 32-bit floats (red, green, blue) from {least} to {most}"
                )
            );
        }
    }

    /// <returns>Indices of the layers with deepstack, ascending.</returns>
    private static int[] CheckProjectorTensors(GgufModel model, ProjectorKind kind, ProjectorFacts facts)
    {
        var hidden = facts.HiddenSize;
        var tensors = new TensorChecklist(model, facts.ProjectorType);
        tensors.Kernel("v.patch_embd.weight", facts.PatchSize, facts.PatchSize, 3, hidden);
        if (kind.TakesFramePairs)
        {
            tensors.Kernel("v.patch_embd.weight.1", facts.PatchSize, facts.PatchSize, 3, hidden);
        }

        if (kind.HasPositionTable)
        {
            long side = facts.ImageSize / facts.PatchSize;
            if (kind.HasPatchBias)
            {
                tensors.Plain("v.patch_embd.bias", hidden);
            }

            var places = (side * side) + (kind.HasClassToken ? 1 : 0);
            if (kind.LooksUpPositions)
            {
                tensors.Matrix("v.position_embd.weight", hidden, places);
            }
            else
            {
                tensors.Plain("v.position_embd.weight", hidden, places);
            }
        }
        else
        {
            // The oldest converter of Qwen2-VL wrote a table of 10 x 10 zeros, which these projectors never use.
            tensors.Unused("v.position_embd.weight");
        }

        if (kind.HasClassToken)
        {
            tensors.Plain("v.class_embd", hidden);
        }

        if (kind.HasPreNorm)
        {
            tensors.Norm("v.pre_ln", hidden, kind.HasNormBias);
        }

        for (var i = 0; i < facts.LayerCount; i++)
        {
            CheckVisionLayer(model, tensors, kind, facts, $"v.blk.{i}");
        }

        if (kind.HasPostNorm)
        {
            tensors.Norm("v.post_ln", hidden, kind.HasNormBias);
        }

        kind.CheckMerger(tensors, facts);
        var deepstack = kind.MayHaveDeepstack ? CheckDeepstack(model, tensors, facts) : [];
        tensors.RefuseOthers("may stop at it or compute with it");
        return deepstack;
    }

    private static void CheckVisionLayer(
        GgufModel model,
        TensorChecklist tensors,
        ProjectorKind kind,
        ProjectorFacts facts,
        string layer
    )
    {
        var hidden = facts.HiddenSize;
        var isRms = kind.RmsTower == (hidden, facts.LayerCount);
        var hasBias = kind.HasBias && !isRms;
        tensors.Norm($"{layer}.ln1", hidden, kind.HasNormBias && !isRms);
        tensors.Norm($"{layer}.ln2", hidden, kind.HasNormBias && !isRms);
        if (kind.HasFusedAttention)
        {
            tensors.Linear($"{layer}.attn_qkv", hidden, 3 * hidden);
        }
        else
        {
            tensors.Linear($"{layer}.attn_q", hidden, hidden, hasBias);
            tensors.Linear($"{layer}.attn_k", hidden, hidden, hasBias);
            tensors.Linear($"{layer}.attn_v", hidden, hidden, hasBias);
        }

        if (isRms)
        {
            tensors.Plain($"{layer}.attn_q_norm.weight", hidden);
            tensors.Plain($"{layer}.attn_k_norm.weight", hidden);
        }

        tensors.Linear($"{layer}.attn_out", hidden, hidden, kind.HasBias);
        var isSwapped = IsFeedForwardSwapped(model, kind, layer, hidden);
        tensors.Linear($"{layer}.{(isSwapped ? "ffn_down" : "ffn_up")}", hidden, facts.FeedForwardSize, kind.HasBias);
        tensors.Linear($"{layer}.{(isSwapped ? "ffn_up" : "ffn_down")}", facts.FeedForwardSize, hidden, kind.HasBias);
        if (kind.HasGate)
        {
            tensors.Linear($"{layer}.ffn_gate", hidden, facts.FeedForwardSize, kind.HasBias);
        }

        if (kind.HasLayerScale)
        {
            tensors.Plain($"{layer}.ls1.weight", hidden);
            tensors.Plain($"{layer}.ls2.weight", hidden);
        }
    }

    private static int[] CheckDeepstack(GgufModel model, TensorChecklist tensors, ProjectorFacts facts)
    {
        // llama.cpp looks for fc1 alone: without it, a layer silently has no deepstack.
        const string Prefix = "v.deepstack.";
        HashSet<int> layers = [];
        foreach (var tensor in model.Tensors.Where(tensor => tensor.Name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            var index = tensor.Name[Prefix.Length..].Split('.')[0];
            if (
                !int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out var layer)
                || layer >= facts.LayerCount
            )
            {
                throw model.Error(
                    $"tensor {OutsideText.Quoted(tensor.Name)} belongs to no layer; "
                        + $"layers are 0 to {facts.LayerCount - 1}"
                );
            }

            layers.Add(layer);
        }

        foreach (var layer in layers)
        {
            tensors.Norm($"{Prefix}{layer}.norm", facts.MergedSize);
            tensors.Linear($"{Prefix}{layer}.fc1", facts.MergedSize, facts.MergedSize);
            tensors.Linear($"{Prefix}{layer}.fc2", facts.MergedSize, facts.ProjectionSize);
        }

        return [.. layers.Order()];
    }
}
