using System.Collections.Concurrent;
using LLama.Native;
using Tamx.Testing;

namespace Tamx.Llama.Tests;

/// <summary>Quantized copies of the test models, made by llama.cpp itself.</summary>
internal static class QuantizedModels
{
    private static readonly ConcurrentDictionary<(string, LLamaFtype), Lazy<ModelFiles>> Made = new();

    public static ModelFiles Get(ModelFiles source, LLamaFtype type) =>
        Made.GetOrAdd(
            (source.ModelPath, type),
            key => new Lazy<ModelFiles>(() =>
            {
                var path = Path.ChangeExtension(key.Item1, $".{key.Item2}.gguf");
                LlamaModel.Quantize(key.Item1, path, key.Item2, 1);
                return source with { ModelPath = path };
            })
        ).Value;
}
