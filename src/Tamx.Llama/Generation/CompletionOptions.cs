namespace Tamx.Llama;

/// <summary>How an answer is generated.</summary>
public sealed record CompletionOptions
{
    /// <summary>Most tokens to generate. 256 by default.</summary>
    public int MaxNewTokens { get; init; } = 256;

    /// <summary>
    /// Context size in tokens; 0 (the default) for as much as prompt and answer need, within what the model was trained
    /// for.
    /// </summary>
    public int ContextSize { get; init; }

    /// <summary>
    /// Most tokens that a context chosen by itself may have; 0 (the default) for what the model was trained for.
    /// </summary>
    public int MaxContextSize { get; init; }

    /// <summary>
    /// Tokens per decode. 128 by default; more is faster on a GPU and costs memory of this x vocabulary x 8 bytes.
    /// </summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Sampling temperature; 0 (the default) takes the best token always.</summary>
    public float Temperature { get; init; }

    /// <summary>Sample from the best k tokens; 0 for all. 40 by default, as llama.cpp's.</summary>
    public int TopK { get; init; } = 40;

    /// <summary>
    /// Sample from the fewest tokens whose probabilities reach p; 1 for all. 0.95 by default, as llama.cpp's.
    /// </summary>
    public float TopP { get; init; } = 0.95f;

    /// <summary>
    /// Sample from tokens whose probability is at least this share of the best one's; 0 (the default) for all.
    /// </summary>
    public float MinP { get; init; }

    /// <summary>Taken off the logit of each token that the answer holds already. 0 (the default) for none.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Taken off a token's logit for each time that the answer holds it. 0 (the default) for none.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>
    /// What the logits of tokens that the answer holds already are divided by where they are positive, and multiplied
    /// by where they are negative. 1 (the default) for no change.
    /// </summary>
    public float RepeatPenalty { get; init; } = 1;

    /// <summary>
    /// How many of the answer's last tokens penalties look at; 0 for none, -1 for all. 64 by default, as llama.cpp's.
    /// </summary>
    public int RepeatLastN { get; init; } = 64;

    /// <summary>Seed of the sampling. 0 by default.</summary>
    public uint Seed { get; init; }

    /// <summary>Best tokens to record per step. 0 by default.</summary>
    public int CandidateCount { get; init; }

    /// <summary>
    /// Keep the hidden state of every position, which is what an answer is explained from. True by default; without it
    /// this is plain generation. Whoever explains has it on in any case.
    /// </summary>
    public bool CaptureHiddenStates { get; init; } = true;

    /// <summary>
    /// Keep keys and values in float32 and use plain attention: hidden states then do not depend on how tokens are cut
    /// into batches (2e-6 instead of 1e-3). Slower. False by default.
    /// </summary>
    public bool PreciseCache { get; init; }
}
