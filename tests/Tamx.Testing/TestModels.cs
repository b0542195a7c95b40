using Tamx.Llama.Gguf;

namespace Tamx.Testing;

/// <summary>A text model and its mmproj on disk.</summary>
public sealed record ModelFiles(string ModelPath, string ProjectorPath);

/// <summary>The usual random models, each written when first asked for, in a folder that goes with the test process.</summary>
public static class TestModels
{
    private static readonly Lazy<string> LazyFolder = new(CreateFolder);

    private static readonly Lazy<ModelFiles> LazyQwen3Vl = Make(new() { Name = "qwen3vl" });
    private static readonly Lazy<ModelFiles> LazyQwen3VlF16 = Make(new() { Name = "qwen3vl-f16", WeightType = TensorType.F16 });
    private static readonly Lazy<ModelFiles> LazyQwen3VlUntied = Make(new() { Name = "qwen3vl-untied", IsTied = false });
    private static readonly Lazy<ModelFiles> LazyQwen3VlDeepstack = Make(new() { Name = "qwen3vl-deepstack", DeepstackLayerCount = 2 });
    private static readonly Lazy<ModelFiles> LazyQwen25Vl =
        Make(new() { Name = "qwen2.5vl", Architecture = ModelArchitecture.Qwen2Vl, ProjectorType = "qwen2.5vl_merger", PatchSize = 14, ImageSize = 560 });
    private static readonly Lazy<ModelFiles> LazyQwen2Vl =
        Make(new() { Name = "qwen2vl", Architecture = ModelArchitecture.Qwen2Vl, ProjectorType = "qwen2vl_merger", PatchSize = 14, ImageSize = 560 });
    private static readonly Lazy<ModelFiles> LazyLargeVocabulary = Make(new()
    {
        Name = "large-vocabulary",
        WeightType = TensorType.F16,
        VocabularySize = 151936,
        HiddenSize = 64,
        FeedForwardSize = 128,
        LayerCount = 2,
        HeadCount = 2,
        KeyValueHeadCount = 1,
    });

    /// <summary>Where the models lie; tests may put derived ones (quantized, damaged) beside them.</summary>
    public static string Folder => LazyFolder.Value;

    /// <summary>qwen3vl, tied, F32, no deepstack.</summary>
    public static ModelFiles Qwen3Vl => LazyQwen3Vl.Value;

    /// <summary>qwen3vl, tied, F16.</summary>
    public static ModelFiles Qwen3VlF16 => LazyQwen3VlF16.Value;

    /// <summary>qwen3vl with an output embedding of its own, F32.</summary>
    public static ModelFiles Qwen3VlUntied => LazyQwen3VlUntied.Value;

    /// <summary>qwen3vl with two deepstack layers, F32.</summary>
    public static ModelFiles Qwen3VlDeepstack => LazyQwen3VlDeepstack.Value;

    /// <summary>qwen2vl with Qwen2.5-VL's projector (cells of 28 pixels), F32.</summary>
    public static ModelFiles Qwen25Vl => LazyQwen25Vl.Value;

    /// <summary>qwen2vl with Qwen2-VL's projector (cells of 28 pixels), F32.</summary>
    public static ModelFiles Qwen2Vl => LazyQwen2Vl.Value;

    /// <summary>qwen3vl with 151,936 tokens and a hidden size of 64, F16.</summary>
    public static ModelFiles LargeVocabulary => LazyLargeVocabulary.Value;

    private static Lazy<ModelFiles> Make(RandomModelOptions options) => new(() =>
    {
        (string modelPath, string projectorPath) = RandomModel.Write(Folder, options);
        return new ModelFiles(modelPath, projectorPath);
    });

    private static string CreateFolder()
    {
        string folder = Directory.CreateTempSubdirectory("tamx-test-models-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return folder;
    }
}
