using Tamx.Llama.Gguf;
using Tamx.Testing;

namespace Tamx.Fuzz;

/// <summary>
/// A model and its mmproj with one to three faults. Seed and number say which: the same give the same pair everywhere.
/// </summary>
internal sealed class DamagedPair
{
    private static readonly RandomModelOptions Tiny = RandomModelOptions.Tiny;

    /// <summary>Rows of 256 elements, so that any block format fits.</summary>
    private static readonly RandomModelOptions Wide = Tiny with
    {
        HiddenSize = 256,
        FeedForwardSize = 256,
        StateSize = 128,
        HeadCount = 4,
        KeyValueHeadCount = 2,
        VisionHiddenSize = 256,
        VisionFeedForwardSize = 256,
    };

    private static readonly RandomModelOptions[] Sources =
    [
        .. ((RandomModelOptions[])[Tiny, Wide]).SelectMany(size =>
            (RandomModelOptions[])
                [
                    size,
                    size with
                    {
                        IsTied = true,
                        DeepstackLayerCount = 0,
                    },
                    Qwen2(size, "qwen2.5vl_merger"),
                    Qwen2(size, "qwen2.5vl_merger") with
                    {
                        IsTied = true,
                    },
                    Qwen2(size, "qwen2vl_merger"),
                    size with
                    {
                        Architecture = ModelArchitecture.Qwen3VlMoe,
                    },
                    Hybrid(size, ModelArchitecture.Qwen35),
                    Hybrid(size, ModelArchitecture.Qwen35Moe) with
                    {
                        DraftLayerCount = 1,
                    },
                    InternVl(size, ModelArchitecture.Qwen2),
                    InternVl(size, ModelArchitecture.Qwen3) with
                    {
                        IsTied = true,
                    },
                    InternVl(size, ModelArchitecture.Qwen3Moe),
                    Qwen2(size, "gemma3") with
                    {
                        Architecture = ModelArchitecture.Gemma3,
                    },
                    Qwen2(size, "idefics3") with
                    {
                        Architecture = ModelArchitecture.Llama,
                        ImageSize = 26,
                    },
                    Qwen2(size, "pixtral") with
                    {
                        Architecture = ModelArchitecture.Llama,
                        IsMistralSmall = true,
                    },
                    Qwen2(size, "mlp") with
                    {
                        Architecture = ModelArchitecture.Llama,
                    },
                ]
        ),
    ];

    private static readonly Dictionary<int, (GgufWriter Model, GgufWriter Projector)> Whole = [];

    private readonly GgufWriter _model;
    private readonly GgufWriter _projector;
    private readonly long _cutModel;
    private readonly long _cutProjector;

    private DamagedPair(GgufWriter model, GgufWriter projector, string description, long cutModel, long cutProjector)
    {
        _model = model;
        _projector = projector;
        _cutModel = cutModel;
        _cutProjector = cutProjector;
        Description = description;
    }

    /// <summary>Which model it was, and what was done to it, in one line.</summary>
    public string Description { get; }

    public static DamagedPair Make(int seed, int number)
    {
        // Small ones mostly: they are quicker, and all but block formats behave as in the wide ones.
        var random = new Random(unchecked((seed * 1_000_003) + number));
        var half = Sources.Length / 2;
        return Make(random, random.Next(3) == 0 ? half + random.Next(half) : random.Next(half));
    }

    /// <summary>A damaged pair of the small sources, which are quicker.</summary>
    public static DamagedPair MakeTiny(Random random) => Make(random, random.Next(Sources.Length / 2));

    private static DamagedPair Make(Random random, int source)
    {
        var half = Sources.Length / 2;
        if (!Whole.TryGetValue(source, out var whole))
        {
            whole = (RandomModel.BuildModel(Sources[source]), RandomModel.BuildProjector(Sources[source]));
            Whole.Add(source, whole);
        }

        var model = new FileDamage(whole.Model.Copy(), random, Sources[source].Architecture);
        var projector = new FileDamage(whole.Projector.Copy(), random, Sources[source].Architecture);
        if (source >= half && random.Next(2) == 0)
        {
            (random.Next(3) == 0 ? projector : model).StoreMatricesAs();
        }

        for (var i = random.Next(4) == 0 ? 3 : random.Next(1, 3); i > 0; i--)
        {
            (random.Next(2) == 0 ? projector : model).Apply();
        }

        var tied = Sources[source].IsTied ? " tied" : "";
        var name =
            $"{Sources[source].Architecture} {Sources[source].ProjectorType}{tied}{(source < half ? "" : " wide")}";
        var done = string.Join(
            "; ",
            model.Done.Select(text => $"model: {text}").Concat(projector.Done.Select(text => $"mmproj: {text}"))
        );
        return new DamagedPair(model.File, projector.File, $"{name}: {done}", model.CutBytes, projector.CutBytes);
    }

    /// <summary>The model's bytes.</summary>
    public byte[] ModelBytes() => Bytes(_model, _cutModel);

    /// <summary>The mmproj's bytes.</summary>
    public byte[] ProjectorBytes() => Bytes(_projector, _cutProjector);

    /// <summary>Writes the files.</summary>
    public ModelFiles Save(string folder)
    {
        var files = new ModelFiles(Path.Combine(folder, "damaged.gguf"), Path.Combine(folder, "mmproj-damaged.gguf"));
        Write(_model, files.ModelPath, _cutModel);
        Write(_projector, files.ProjectorPath, _cutProjector);
        return files;
    }

    private static RandomModelOptions Qwen2(RandomModelOptions options, string projectorType) =>
        options with
        {
            Architecture = ModelArchitecture.Qwen2Vl,
            ProjectorType = projectorType,
            DeepstackLayerCount = 0,
        };

    private static RandomModelOptions Hybrid(RandomModelOptions options, string architecture) =>
        options with
        {
            Architecture = architecture,
            DeepstackLayerCount = 0,
        };

    private static RandomModelOptions InternVl(RandomModelOptions options, string architecture) =>
        Qwen2(options, "internvl") with
        {
            Architecture = architecture,
        };

    private static void Write(GgufWriter file, string path, long cutBytes) =>
        File.WriteAllBytes(path, Bytes(file, cutBytes));

    private static byte[] Bytes(GgufWriter file, long cutBytes)
    {
        var bytes = file.ToArray();
        return bytes[..(int)Math.Max(0, bytes.Length - cutBytes)];
    }
}
