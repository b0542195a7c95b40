using Tamx.Llama.Capture;
using Tamx.Llama.Gguf;

namespace Tamx.Llama;

/// <summary>What one completion holds in this machine's memory besides the model, before there is one.</summary>
/// <remarks>Layers on a GPU have their keys and values there.</remarks>
/// <param name="ContextBytes">Keys and values of the context.</param>
/// <param name="StateBytes">Hidden states, layers and what attention reads, as far as they are captured.</param>
public readonly record struct MemoryEstimate(double ContextBytes, double StateBytes)
{
    /// <summary>The machine's memory, or what a container is allowed of it.</summary>
    public static long MachineBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Both together.</summary>
    public double Bytes => ContextBytes + StateBytes;

    /// <summary>Of a completion.</summary>
    /// <param name="model">Where the model's layers are.</param>
    /// <param name="facts">The model.</param>
    /// <param name="options">What is captured.</param>
    /// <param name="tokens">Tokens of prompt and answer.</param>
    public static MemoryEstimate Of(ModelOptions model, ModelFacts facts, CompletionOptions options, int tokens)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(facts);
        ArgumentNullException.ThrowIfNull(options);
        var layers = facts.LayerCount - model.LayersOnGpu(facts);
        var states = options.CaptureHiddenStates ? 1 : 0;
        return new MemoryEstimate(
            (double)facts.ContextBytesPerToken(layers, options.PreciseCache) * tokens,
            (states * sizeof(float) * (double)tokens * facts.HiddenSize) + CaptureBytes(facts, options, tokens)
        );
    }

    /// <summary>What is captured besides the last hidden states.</summary>
    internal static double CaptureBytes(ModelFacts facts, CompletionOptions options, int tokens) =>
        (sizeof(float) * (double)tokens * facts.HiddenSize * options.Layers.Count)
        + (options.CaptureAttention ? CapturedAttention.ValueBytes(facts, tokens) : 0);
}
