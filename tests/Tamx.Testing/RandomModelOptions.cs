using Tamx.Llama.Gguf;

namespace Tamx.Testing;

/// <summary>
/// What <see cref="RandomModel"/> shall write. The default sizes keep rows at multiples of 256, so that llama.cpp can
/// make K-quants of them.
/// </summary>
public sealed record RandomModelOptions
{
    /// <summary>The smallest that llama.cpp loads: rows of a few elements, which no block format fits.</summary>
    public static RandomModelOptions Tiny { get; } =
        new()
        {
            Name = "tiny",
            HiddenSize = 16,
            FeedForwardSize = 32,
            LayerCount = 2,
            HeadCount = 2,
            KeyValueHeadCount = 1,
            AttentionInterval = 2,
            StateSize = 8,
            StateHeadCount = 2,
            DeepstackLayerCount = 1,
            IsTied = false,
            PatchSize = 4,
            ImageSize = 32,
            VisionHiddenSize = 8,
            VisionFeedForwardSize = 16,
            VisionLayerCount = 2,
            VisionHeadCount = 2,
        };

    /// <summary>One of <see cref="ModelArchitecture"/>.</summary>
    public string Architecture { get; init; } = ModelArchitecture.Qwen3Vl;

    /// <summary>
    /// qwen3vl_merger; for qwen2vl qwen2.5vl_merger or qwen2vl_merger; for qwen2, qwen3 and qwen3moe internvl; for
    /// gemma3 gemma3; for llama idefics3, mlp or
    /// pixtral.
    /// </summary>
    public string ProjectorType { get; init; } = "qwen3vl_merger";

    /// <summary>general.name; also the stem of the files' names.</summary>
    public string Name { get; init; } = "random";

    public uint Seed { get; init; } = 1;

    /// <summary>Type of the matrices: F32 or F16. Norms and biases are F32 always.</summary>
    public TensorType WeightType { get; init; } = TensorType.F32;

    /// <summary>True if the input embedding is the output embedding too.</summary>
    public bool IsTied { get; init; } = true;

    public int HiddenSize { get; init; } = 256;

    /// <summary>Width of the feed-forward layers, or of each expert.</summary>
    public int FeedForwardSize { get; init; } = 512;

    /// <summary>Experts of a layer, half of which take part in a token, where the architecture has some.</summary>
    public int ExpertCount { get; init; } = 4;

    /// <summary>Whether the architecture has experts.</summary>
    public bool HasExperts =>
        Architecture is ModelArchitecture.Qwen3VlMoe or ModelArchitecture.Qwen35Moe or ModelArchitecture.Qwen3Moe;

    /// <summary>Whether text model and mmproj are an InternVL.</summary>
    public bool IsInternVl => ProjectorType == "internvl";

    /// <summary>Whether they are a Gemma 3.</summary>
    public bool IsGemma3 => Architecture == ModelArchitecture.Gemma3;

    /// <summary>Whether they are a SmolVLM.</summary>
    public bool IsSmolVlm => ProjectorType == "idefics3";

    /// <summary>Whether pictures are squares of one size, and positions one after the other.</summary>
    public bool IsSquare => IsInternVl || IsGemma3 || IsSmolVlm || IsLlava;

    /// <summary>Whether they are a Pixtral or a Mistral Small.</summary>
    public bool IsMistral => ProjectorType == "pixtral";

    /// <summary>Whether it is a Mistral Small: two by two patches to a cell, and turns of the system.</summary>
    public bool IsMistralSmall { get; init; }

    /// <summary>Whether they are a LLaVA 1.5.</summary>
    public bool IsLlava => ProjectorType == "mlp";

    /// <summary>Whether the vocabulary is SentencePiece's.</summary>
    public bool IsSentencePiece => IsGemma3 || IsLlava;

    /// <summary>Tokens that most layers of a Gemma 3 see.</summary>
    public int SlidingWindow { get; init; } = 16;

    /// <summary>Patches per side that become a cell.</summary>
    public int MergeSize =>
        IsGemma3 ? 4
        : IsSmolVlm ? 3
        : IsLlava || (IsMistral && !IsMistralSmall) ? 1
        : 2;

    /// <summary>Whether gate and first matrix of the experts are one tensor (qwen35moe only).</summary>
    public bool HasFusedExperts { get; init; }

    /// <summary>Every so many layers one has softmax attention (qwen35 and qwen35moe only).</summary>
    public int AttentionInterval { get; init; } = 4;

    /// <summary>Size of a key and of a value of the recurrent layers.</summary>
    public int StateSize { get; init; } = 64;

    /// <summary>Heads of the recurrent layers' values; keys have half as many.</summary>
    public int StateHeadCount { get; init; } = 4;

    /// <summary>Layers at the end that only draft tokens ahead (qwen35 and qwen35moe only).</summary>
    public int DraftLayerCount { get; init; }

    public int LayerCount { get; init; } = 3;

    public int HeadCount { get; init; } = 4;

    public int KeyValueHeadCount { get; init; } = 2;

    public int ContextLength { get; init; } = 8192;

    /// <summary>The first layers of tower and text model that are joined by deepstack (qwen3vl only).</summary>
    public int DeepstackLayerCount { get; init; }

    /// <summary>Whether its chat template is <see cref="RandomModel.ThinkingTemplate"/>.</summary>
    public bool IsThinking { get; init; }

    /// <summary>Real words are filled up with made-up tokens to this size; 0 leaves the real words alone.</summary>
    public int VocabularySize { get; init; }

    public int PatchSize { get; init; } = 16;

    public int ImageSize { get; init; } = 512;

    public int VisionHiddenSize { get; init; } = 64;

    public int VisionFeedForwardSize { get; init; } = 128;

    public int VisionLayerCount { get; init; } = 3;

    public int VisionHeadCount { get; init; } = 2;
}
