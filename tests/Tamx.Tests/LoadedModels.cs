using System.Collections.Concurrent;
using Tamx.Llama;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>Random models by name, loaded once per process with one thread.</summary>
internal static class LoadedModels
{
    private static readonly ConcurrentDictionary<string, Lazy<VisionLanguageModel>> Loaded = new();

    public static VisionLanguageModel Get(string name) =>
        Loaded.GetOrAdd(name, _ => new Lazy<VisionLanguageModel>(() => Load(TestModels.Get(name)))).Value;

    private static VisionLanguageModel Load(ModelFiles files) =>
        VisionLanguageModel
            .LoadAsync(
                new ModelOptions
                {
                    ModelPath = files.ModelPath,
                    ProjectorPath = files.ProjectorPath,
                    ThreadCount = 1,
                    GpuLayerCount = TestModels.GpuLayerCount,
                }
            )
            .GetAwaiter()
            .GetResult();
}
