using System.Collections.Concurrent;
using Tamx.Llama.Interop;
using Tamx.Testing;

namespace Tamx.Llama.Tests;

/// <summary>llama_ftype values of llama.h.</summary>
internal enum FileType
{
    Q8_0 = 7,
    Q4_K_M = 15,
}

/// <summary>Quantized copies of the test models, made by llama.cpp itself.</summary>
internal static class QuantizedModels
{
    private static readonly ConcurrentDictionary<(string, FileType), Lazy<ModelFiles>> Made = new();

    public static ModelFiles Get(ModelFiles source, FileType type) => Made.GetOrAdd((source.ModelPath, type), key => new Lazy<ModelFiles>(() =>
    {
        LlamaRuntime.EnsureInitialized();
        var path = Path.ChangeExtension(key.Item1, $".{key.Item2}.gguf");
        NativeMethods.QuantizeModel(key.Item1, path, (int)key.Item2, 1).ThrowIfFailed();
        return source with { ModelPath = path };
    })).Value;
}
