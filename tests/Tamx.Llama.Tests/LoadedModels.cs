using System.Collections.Concurrent;
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
    public static ModelFiles Files(string name) => TestModels.Get(name);
}
