using System.Collections.Concurrent;
using Tamx.Llama;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>Random models by name, loaded once per process with one thread.</summary>
internal static class LoadedModels
{
    private static readonly ConcurrentDictionary<string, Lazy<VisionLanguageModel>> Loaded = new();

    public static VisionLanguageModel Get(string name) => Loaded.GetOrAdd(name, _ => new Lazy<VisionLanguageModel>(() => Load(name switch
    {
        "qwen3vl" => TestModels.Qwen3Vl,
        "qwen3vl-deepstack" => TestModels.Qwen3VlDeepstack,
        "qwen3vl-untied" => TestModels.Qwen3VlUntied,
        "qwen2.5vl" => TestModels.Qwen25Vl,
        "qwen2vl" => TestModels.Qwen2Vl,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such test model"),
    }))).Value;

    private static VisionLanguageModel Load(ModelFiles files) => VisionLanguageModel.LoadAsync(
        new ModelOptions { ModelPath = files.ModelPath, ProjectorPath = files.ProjectorPath, ThreadCount = 1 }).GetAwaiter().GetResult();
}
