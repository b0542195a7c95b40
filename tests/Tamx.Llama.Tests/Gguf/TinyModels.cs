using Tamx.Llama.Gguf;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Gguf;

/// <summary>A model of each kind, as small as it gets: these files are built again and again.</summary>
internal static class TinyModels
{
    public static IReadOnlyList<string> Kinds { get; } =
    ["qwen3vl", "qwen3vlmoe", "qwen35", "qwen35moe", "qwen2.5vl", "qwen2vl", .. TestModels.WithoutVideos];

    public static RandomModelOptions Of(string kind) =>
        kind switch
        {
            "qwen3vl" => RandomModelOptions.Tiny,
            "qwen3vlmoe" => RandomModelOptions.Tiny with { Architecture = ModelArchitecture.Qwen3VlMoe },
            "qwen35" => Without(ModelArchitecture.Qwen35),
            "qwen35moe" => Without(ModelArchitecture.Qwen35Moe),
            "qwen2.5vl" => Without(ModelArchitecture.Qwen2Vl) with { ProjectorType = "qwen2.5vl_merger" },
            "qwen2vl" => Without(ModelArchitecture.Qwen2Vl) with { ProjectorType = "qwen2vl_merger" },
            "internvl3" => InternVl(ModelArchitecture.Qwen2),
            "internvl3.5" => InternVl(ModelArchitecture.Qwen3),
            "internvl3.5-moe" => InternVl(ModelArchitecture.Qwen3Moe),
            "gemma3" => Without(ModelArchitecture.Gemma3) with { ProjectorType = "gemma3" },
            "llava" => Without(ModelArchitecture.Llama) with { ProjectorType = "mlp" },
            "pixtral" => Without(ModelArchitecture.Llama) with { ProjectorType = "pixtral", VisionHeadCount = 1 },
            "mistral-small" => Of("pixtral") with { IsMistralSmall = true },
            "smolvlm" => Without(ModelArchitecture.Llama) with { ProjectorType = "idefics3", ImageSize = 26 },
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such kind"),
        };

    private static RandomModelOptions InternVl(string architecture) =>
        Without(architecture) with
        {
            ProjectorType = "internvl",
        };

    private static RandomModelOptions Without(string architecture) =>
        RandomModelOptions.Tiny with
        {
            Architecture = architecture,
            DeepstackLayerCount = 0,
        };
}
