using Tamx.Llama;

namespace Tamx.Testing;

/// <summary>A theory that wants llama.cpp to have a GPU: skipped without one, unless tests were told to put layers there.</summary>
public sealed class GpuTheoryAttribute : TheoryAttribute
{
    public GpuTheoryAttribute() => Skip = TestModels.GpuLayerCount != 0 || LlamaRuntime.Devices.Any(device => device.IsGpu)
        ? null
        : "llama.cpp has no GPU here (a back end for GPUs: TAMX_LLAMA_BACKENDS=libggml-vulkan.so; in software: Mesa's lavapipe and GGML_VK_VISIBLE_DEVICES=0).";
}
