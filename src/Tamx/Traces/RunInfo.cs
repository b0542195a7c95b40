using Tamx.Llama;

namespace Tamx;

/// <summary>How a trace was made, with all that a reader needs to make it again. Unknown values are null.</summary>
public sealed record RunInfo
{
    /// <summary>Model name (general.name) or file name.</summary>
    public string? Model { get; init; }

    /// <summary>What the model's file says of it (general.description).</summary>
    public string? ModelDescription { get; init; }

    /// <summary>Model file name without folder.</summary>
    public string? ModelFile { get; init; }

    /// <summary>Projector file name without folder.</summary>
    public string? ProjectorFile { get; init; }

    /// <summary>Architecture, for example <c>qwen3vl</c>.</summary>
    public string? Architecture { get; init; }

    /// <summary>
    /// How many layers have softmax attention, for example <c>16 of 64</c>; null where all have. Evidence comes from
    /// these layers alone.
    /// </summary>
    public string? AttentionLayers { get; init; }

    /// <summary>Quantization, for example <c>Q8_0</c>.</summary>
    public string? Quantization { get; init; }

    /// <summary>Version of the native llama.cpp.</summary>
    public string? LlamaVersion { get; init; }

    /// <summary>Version of Tamx.</summary>
    public string? TamxVersion { get; init; }

    /// <summary>When the answer was written.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>Sampling temperature; 0 means greedy.</summary>
    public float? Temperature { get; init; }

    /// <summary>Sampling top-k.</summary>
    public int? TopK { get; init; }

    /// <summary>Sampling top-p.</summary>
    public float? TopP { get; init; }

    /// <summary>Sampling min-p; null for none.</summary>
    public float? MinP { get; init; }

    /// <summary>Presence penalty; null for none.</summary>
    public float? PresencePenalty { get; init; }

    /// <summary>Frequency penalty; null for none.</summary>
    public float? FrequencyPenalty { get; init; }

    /// <summary>Repeat penalty; null for none.</summary>
    public float? RepeatPenalty { get; init; }

    /// <summary>How many of the last tokens get penalties; null without penalties.</summary>
    public int? RepeatLastN { get; init; }

    /// <summary>What was added to tokens' logits, by token id; null for nothing.</summary>
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }

    /// <summary>Texts before which the answer was to end; null for none.</summary>
    public IReadOnlyList<string>? StopTexts { get; init; }

    /// <summary>The region that was hidden, kept alone or looked at; null for none.</summary>
    public PictureRegion? Region { get; init; }

    /// <summary>Sampling seed.</summary>
    public uint? Seed { get; init; }

    /// <summary>Context size in tokens.</summary>
    public int? ContextSize { get; init; }

    /// <summary>Threads used by the model.</summary>
    public int? ThreadCount { get; init; }

    /// <summary>Layers on the GPU.</summary>
    public int? GpuLayerCount { get; init; }

    /// <summary>Seconds per phase, for example <c>load</c>, <c>prefill</c>, <c>generate</c>, <c>maps</c>.</summary>
    public IReadOnlyDictionary<string, double> Seconds { get; init; } = new Dictionary<string, double>();
}
