using System.Collections.Concurrent;
using LLama.Native;
using Tamx.Testing;

namespace Tamx.Llama.Tests;

/// <summary>The usual test models, loaded once per process with one thread.</summary>
internal static class LoadedModels
{
    private static readonly ConcurrentDictionary<string, Lazy<VisionLanguageModel>> Loaded = new();

    public static VisionLanguageModel Get(ModelFiles files) =>
        Loaded
            .GetOrAdd(
                files.ModelPath,
                _ => new Lazy<VisionLanguageModel>(() =>
                    VisionLanguageModel.LoadAsync(Options(files)).GetAwaiter().GetResult()
                )
            )
            .Value;

    public static ModelOptions Options(ModelFiles files) =>
        new()
        {
            ModelPath = files.ModelPath,
            ProjectorPath = files.ProjectorPath,
            ThreadCount = 1,
            GpuLayerCount = TestModels.GpuLayerCount,
        };

    /// <summary>Names for theories: models are made when a test asks for them, not when tests are listed.</summary>
    public static ModelFiles Files(string name) =>
        name switch
        {
            "qwen3vl-f16" => TestModels.Qwen3VlF16,
            "qwen3vl-q8_0" => QuantizedModels.Get(TestModels.Qwen3Vl, LLamaFtype.MOSTLY_Q8_0),
            "qwen3vl-q4_k_m" => QuantizedModels.Get(TestModels.Qwen3Vl, LLamaFtype.MOSTLY_Q4_K_M),
            "qwen3vlmoe-q4_k_m" => QuantizedModels.Get(TestModels.Qwen3VlMoe, LLamaFtype.MOSTLY_Q4_K_M),
            "qwen35-q4_k_m" => QuantizedModels.Get(TestModels.Qwen35, LLamaFtype.MOSTLY_Q4_K_M),
            "qwen35moe-q4_k_m" => QuantizedModels.Get(TestModels.Qwen35Moe, LLamaFtype.MOSTLY_Q4_K_M),
            "qwen3vl-untied-q4_k_m" => QuantizedModels.Get(TestModels.Qwen3VlUntied, LLamaFtype.MOSTLY_Q4_K_M),
            _ => TestModels.Get(name),
        };
}
