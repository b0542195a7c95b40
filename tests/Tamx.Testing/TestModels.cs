using System.Collections.Concurrent;
using LLama.Native;
using Tamx.Llama;
using Tamx.Llama.Gguf;

namespace Tamx.Testing;

/// <summary>A text model and its mmproj on disk.</summary>
public sealed record ModelFiles(string ModelPath, string ProjectorPath);

/// <summary>
/// The usual random models, each written when first asked for, in a folder that goes with the test process.
/// </summary>
public static class TestModels
{
    /// <summary>
    /// Layers of the models that tests put on a GPU: the environment's TAMX_TEST_GPU_LAYERS, or none.
    /// </summary>
    public static int GpuLayerCount { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("TAMX_TEST_GPU_LAYERS"), out var count) ? count : 0;

    /// <summary>
    /// A tolerance, as a share of the largest value, where the test's models may be on a GPU: ggml's shaders multiply
    /// in half precision also what is float32, so that results depend on how the work is cut. A bound chosen, not
    /// measured: differences of up to 9e-4 were seen on lavapipe.
    /// </summary>
    /// <param name="onProcessor">The tolerance on the processor.</param>
    /// <param name="isHybrid">
    /// Whether the model has a recurrent state, which carries such differences on: 1.1e-2 was seen.
    /// </param>
    public static double Tolerance(double onProcessor, bool isHybrid = false) =>
        GpuLayerCount == 0 ? onProcessor : Math.Max(onProcessor, isHybrid ? 3e-2 : 1e-2);

    /// <summary>Skips the test where llama.cpp has no GPU, unless tests were told to put layers there.</summary>
    public static void SkipWithoutGpu() =>
        Assert.SkipUnless(
            GpuLayerCount != 0 || LlamaRuntime.Devices.Any(device => device.IsGpu),
            "llama.cpp has no GPU here (a back end for GPUs: TAMX_LLAMA_BACKENDS=libggml-vulkan.so; "
                + "in software: Mesa's lavapipe and GGML_VK_VISIBLE_DEVICES=0)."
        );

    /// <summary>Other weights of a model, by the end of its name.</summary>
    private static readonly (string End, LLamaFtype Type)[] Weights =
    [
        ("-f16", LLamaFtype.MOSTLY_F16),
        ("-q8_0", LLamaFtype.MOSTLY_Q8_0),
        ("-q4_k_m", LLamaFtype.MOSTLY_Q4_K_M),
    ];

    private static readonly ConcurrentDictionary<string, Lazy<ModelFiles>> Quantized = new();

    private static readonly Lazy<string> LazyFolder = new(CreateFolder);

    private static readonly Lazy<ModelFiles> LazyQwen3Vl = Make(new() { Name = "qwen3vl" });
    private static readonly Lazy<ModelFiles> LazyQwen3VlThinking = Make(
        new() { Name = "qwen3vl-thinking", IsThinking = true }
    );
    private static readonly Lazy<ModelFiles> LazyQwen3VlF16 = Make(
        new() { Name = "qwen3vl-f16", WeightType = TensorType.F16 }
    );
    private static readonly Lazy<ModelFiles> LazyQwen3VlUntied = Make(
        new() { Name = "qwen3vl-untied", IsTied = false }
    );
    private static readonly Lazy<ModelFiles> LazyQwen3VlDeepstack = Make(
        new() { Name = "qwen3vl-deepstack", DeepstackLayerCount = 2 }
    );
    private static readonly Lazy<ModelFiles> LazyQwen3VlMoe = Make(
        new()
        {
            Name = "qwen3vlmoe",
            Architecture = ModelArchitecture.Qwen3VlMoe,
            FeedForwardSize = 256,
            DeepstackLayerCount = 2,
        }
    );
    private static readonly Lazy<ModelFiles> LazyQwen35 = Make(
        new()
        {
            Name = "qwen35",
            Architecture = ModelArchitecture.Qwen35,
            LayerCount = 8,
        }
    );
    private static readonly Lazy<ModelFiles> LazyQwen35Moe = Make(
        new()
        {
            Name = "qwen35moe",
            Architecture = ModelArchitecture.Qwen35Moe,
            LayerCount = 4,
            FeedForwardSize = 256,
            DraftLayerCount = 1,
            IsTied = false,
        }
    );
    private static readonly Lazy<ModelFiles> LazyQwen35MoeFused = Make(
        new()
        {
            Name = "qwen35moe-fused",
            Architecture = ModelArchitecture.Qwen35Moe,
            LayerCount = 4,
            FeedForwardSize = 256,
            HasFusedExperts = true,
        }
    );
    private static readonly Lazy<ModelFiles> LazyQwen25Vl = Make(Qwen2("qwen2.5vl", "qwen2.5vl_merger"));
    private static readonly Lazy<ModelFiles> LazyQwen2Vl = Make(Qwen2("qwen2vl", "qwen2vl_merger"));
    private static readonly Lazy<ModelFiles> LazyQwen25VlUntied = Make(
        Qwen2("qwen2.5vl-untied", "qwen2.5vl_merger") with
        {
            IsTied = false,
        }
    );
    private static readonly Lazy<ModelFiles> LazyQwen2VlUntied = Make(
        Qwen2("qwen2vl-untied", "qwen2vl_merger") with
        {
            IsTied = false,
        }
    );
    private static readonly Lazy<ModelFiles> LazyInternVl3 = Make(InternVl("internvl3", ModelArchitecture.Qwen2));
    private static readonly Lazy<ModelFiles> LazyInternVl35 = Make(
        InternVl("internvl3.5", ModelArchitecture.Qwen3) with
        {
            IsTied = false,
        }
    );
    private static readonly Lazy<ModelFiles> LazyInternVl35Moe = Make(
        InternVl("internvl3.5-moe", ModelArchitecture.Qwen3Moe) with
        {
            FeedForwardSize = 256,
        }
    );
    private static readonly Lazy<ModelFiles> LazyGemma3 = Make(
        new()
        {
            Name = "gemma3",
            Architecture = ModelArchitecture.Gemma3,
            ProjectorType = "gemma3",
            LayerCount = 7,
            PatchSize = 14,
            ImageSize = 280,
        }
    );
    private static readonly Lazy<ModelFiles> LazySmolVlm = Make(
        new()
        {
            Name = "smolvlm",
            Architecture = ModelArchitecture.Llama,
            ProjectorType = "idefics3",
            PatchSize = 14,
            ImageSize = 220,
        }
    );
    private static readonly Lazy<ModelFiles> LazyLlava = Make(
        new()
        {
            Name = "llava",
            Architecture = ModelArchitecture.Llama,
            ProjectorType = "mlp",
            PatchSize = 14,
            ImageSize = 70,
            IsTied = false,
        }
    );
    private static readonly Lazy<ModelFiles> LazyPixtral = Make(Mistral("pixtral"));
    private static readonly Lazy<ModelFiles> LazyMistralSmall = Make(
        Mistral("mistral-small") with
        {
            PatchSize = 14,
            IsMistralSmall = true,
        }
    );
    private static readonly Lazy<ModelFiles> LazyQwen3VlSplit = MakeSplit(
        new() { Name = "qwen3vl-split", IsTied = false }
    );
    private static readonly Lazy<ModelFiles> LazyQwen25VlSplit = MakeSplit(
        Qwen2("qwen2.5vl-split", "qwen2.5vl_merger")
    );
    private static readonly Lazy<ModelFiles> LazyLargeVocabulary = Make(
        new()
        {
            Name = "large-vocabulary",
            WeightType = TensorType.F16,
            VocabularySize = 151936,
            HiddenSize = 64,
            FeedForwardSize = 128,
            LayerCount = 2,
            HeadCount = 2,
            KeyValueHeadCount = 1,
        }
    );

    /// <summary>Where the models lie; tests may put derived ones (quantized, damaged) beside them.</summary>
    public static string Folder => LazyFolder.Value;

    /// <summary>qwen3vl, tied, F32, no deepstack.</summary>
    public static ModelFiles Qwen3Vl => LazyQwen3Vl.Value;

    /// <summary>The same with the chat template of a thinking model.</summary>
    public static ModelFiles Qwen3VlThinking => LazyQwen3VlThinking.Value;

    /// <summary>qwen3vl, tied, F16.</summary>
    public static ModelFiles Qwen3VlF16 => LazyQwen3VlF16.Value;

    /// <summary>qwen3vl with an output embedding of its own, F32.</summary>
    public static ModelFiles Qwen3VlUntied => LazyQwen3VlUntied.Value;

    /// <summary>qwen3vl with two deepstack layers, F32.</summary>
    public static ModelFiles Qwen3VlDeepstack => LazyQwen3VlDeepstack.Value;

    /// <summary>qwen3vlmoe with two deepstack layers, F32.</summary>
    public static ModelFiles Qwen3VlMoe => LazyQwen3VlMoe.Value;

    /// <summary>qwen35: of 8 layers, 3 and 7 have softmax attention; F32.</summary>
    public static ModelFiles Qwen35 => LazyQwen35.Value;

    /// <summary>qwen35moe: of 4 layers, the last has softmax attention; one layer for drafts, F32.</summary>
    public static ModelFiles Qwen35Moe => LazyQwen35Moe.Value;

    /// <summary>qwen2vl with Qwen2.5-VL's projector (cells of 28 pixels), F32.</summary>
    public static ModelFiles Qwen25Vl => LazyQwen25Vl.Value;

    /// <summary>qwen2vl with Qwen2-VL's projector (cells of 28 pixels), F32.</summary>
    public static ModelFiles Qwen2Vl => LazyQwen2Vl.Value;

    /// <summary>The same with an output embedding of its own.</summary>
    public static ModelFiles Qwen25VlUntied => LazyQwen25VlUntied.Value;

    /// <summary>qwen2vl with Qwen2-VL's projector and an output embedding of its own.</summary>
    public static ModelFiles Qwen2VlUntied => LazyQwen2VlUntied.Value;

    /// <summary><see cref="Qwen3VlUntied"/>'s layout in three files.</summary>
    public static ModelFiles Qwen3VlSplit => LazyQwen3VlSplit.Value;

    /// <summary><see cref="Qwen25Vl"/>'s layout in three files.</summary>
    public static ModelFiles Qwen25VlSplit => LazyQwen25VlSplit.Value;

    /// <summary>InternVL 2.5 or 3: a qwen2 with a picture of 5 x 5 cells of 28 pixels, F32.</summary>
    public static ModelFiles InternVl3 => LazyInternVl3.Value;

    /// <summary>
    /// The models that differ in architecture, projector, head or files, by the names that <see cref="Get"/> knows.
    /// </summary>
    public static IReadOnlyList<string> Architectures => [.. WithVideos, .. WithoutVideos];

    /// <summary>Those whose families are shown none.</summary>
    public static IReadOnlyList<string> WithoutVideos { get; } =
    ["internvl3", "internvl3.5", "internvl3.5-moe", "gemma3", "smolvlm", "llava", "pixtral", "mistral-small"];

    /// <summary>Those whose families are shown videos.</summary>
    public static IReadOnlyList<string> WithVideos { get; } =
    [
        "qwen3vl",
        "qwen3vl-untied",
        "qwen3vl-deepstack",
        "qwen3vl-split",
        "qwen3vlmoe",
        "qwen35",
        "qwen35moe",
        "qwen2.5vl",
        "qwen2.5vl-untied",
        "qwen2.5vl-split",
        "qwen2vl",
        "qwen2vl-untied",
    ];

    /// <summary>
    /// A model of <see cref="Architectures"/> by name: models are made when a test asks for them, not when tests are
    /// listed. A name that ends in <c>-f16</c>, <c>-q8_0</c> or <c>-q4_k_m</c> is a copy with such weights, made by
    /// llama.cpp itself.
    /// </summary>
    public static ModelFiles Get(string name) =>
        name switch
        {
            "qwen3vl-f16" => Qwen3VlF16,
            _ when Array.Find(Weights, weights => name.EndsWith(weights.End, StringComparison.Ordinal))
                    is { End: { } end } to => Quantized
                .GetOrAdd(name, _ => new Lazy<ModelFiles>(() => Quantize(Get(name[..^end.Length]), to.Type)))
                .Value,
            "qwen3vl" => Qwen3Vl,
            "qwen3vl-thinking" => Qwen3VlThinking,
            "qwen3vl-untied" => Qwen3VlUntied,
            "qwen3vl-deepstack" => Qwen3VlDeepstack,
            "qwen3vl-split" => Qwen3VlSplit,
            "qwen3vlmoe" => Qwen3VlMoe,
            "qwen35" => Qwen35,
            "qwen35moe" => Qwen35Moe,
            "qwen35moe-fused" => LazyQwen35MoeFused.Value,
            "qwen2.5vl" => Qwen25Vl,
            "qwen2.5vl-untied" => Qwen25VlUntied,
            "qwen2.5vl-split" => Qwen25VlSplit,
            "qwen2vl" => Qwen2Vl,
            "qwen2vl-untied" => Qwen2VlUntied,
            "internvl3" => InternVl3,
            "internvl3.5" => LazyInternVl35.Value,
            "internvl3.5-moe" => LazyInternVl35Moe.Value,
            "gemma3" => LazyGemma3.Value,
            "smolvlm" => LazySmolVlm.Value,
            "llava" => LazyLlava.Value,
            "pixtral" => LazyPixtral.Value,
            "mistral-small" => LazyMistralSmall.Value,
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such test model"),
        };

    /// <summary>qwen3vl with 151,936 tokens and a hidden size of 64, F16.</summary>
    public static ModelFiles LargeVocabulary => LazyLargeVocabulary.Value;

    private static ModelFiles Quantize(ModelFiles source, LLamaFtype type)
    {
        var path = Path.ChangeExtension(source.ModelPath, $".{type}.gguf");
        LlamaModel.Quantize(source.ModelPath, path, type, 1);
        return source with { ModelPath = path };
    }

    private static RandomModelOptions Qwen2(string name, string projectorType) =>
        new()
        {
            Name = name,
            Architecture = ModelArchitecture.Qwen2Vl,
            ProjectorType = projectorType,
            PatchSize = 14,
            ImageSize = 560,
        };

    private static RandomModelOptions Mistral(string name) =>
        new()
        {
            Name = name,
            Architecture = ModelArchitecture.Llama,
            ProjectorType = "pixtral",
            IsTied = false,
        };

    private static RandomModelOptions InternVl(string name, string architecture) =>
        new()
        {
            Name = name,
            Architecture = architecture,
            ProjectorType = "internvl",
            PatchSize = 14,
            ImageSize = 140,
        };

    private static Lazy<ModelFiles> MakeSplit(RandomModelOptions options) =>
        new(() =>
        {
            (var modelPaths, var projectorPath) = RandomModel.WriteSplit(Folder, options, 3);
            return new ModelFiles(modelPaths[0], projectorPath);
        });

    private static Lazy<ModelFiles> Make(RandomModelOptions options) =>
        new(() =>
        {
            (var modelPath, var projectorPath) = RandomModel.Write(Folder, options);
            return new ModelFiles(modelPath, projectorPath);
        });

    private static string CreateFolder()
    {
        var folder = Directory.CreateTempSubdirectory("tamx-test-models-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return folder;
    }
}
