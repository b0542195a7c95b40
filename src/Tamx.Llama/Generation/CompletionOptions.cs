using System.Text.Json.Serialization;

namespace Tamx.Llama;

/// <summary>
/// How an answer is generated. Sampling options mean what they mean in llama.cpp.
/// </summary>
public sealed record CompletionOptions
{
    /// <summary>Greatest bias of a token's logit, up or down.</summary>
    public const float MaxLogitBias = 100;

    /// <summary>Most tokens to generate. 256 by default.</summary>
    public int MaxNewTokens { get; init; } = 256;

    /// <summary>
    /// Context size in tokens; 0 (the default) for what prompt and answer need, as far as the model can.
    /// </summary>
    public int ContextSize { get; init; }

    /// <summary>Largest context that is chosen if none is given; 0 (the default) for what the model can.</summary>
    public int MaxContextSize { get; init; }

    /// <summary>
    /// Most tokens per decode. 128 by default. More is faster on a GPU; each takes vocabulary x 8 bytes. On the CPU it
    /// is fewer (32 of a model with 150,000 words) where hidden states are captured.
    /// </summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Sampling temperature; 0 (the default) always takes the best token.</summary>
    public float Temperature { get; init; }

    /// <summary>Sample from the best k tokens; 0 for all. 40 by default.</summary>
    public int TopK { get; init; } = 40;

    /// <summary>Sample from the fewest tokens with a probability of p in all; 1 for all. 0.95 by default.</summary>
    public float TopP { get; init; } = 0.95f;

    /// <summary>Sample from tokens with at least this share of the best one's probability. 0 by default: all.</summary>
    public float MinP { get; init; }

    /// <summary>Subtracted from the logit of each token that the answer already holds. 0 by default.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Subtracted from a token's logit for each time that the answer already holds it. 0 by default.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>
    /// Divides positive and multiplies negative logits of tokens that the answer holds. 1 by default.
    /// </summary>
    public float RepeatPenalty { get; init; } = 1;

    /// <summary>How many of the answer's last tokens count for penalties; -1 for all. 64 by default.</summary>
    public int RepeatLastN { get; init; } = 64;

    /// <summary>
    /// Added to tokens' logits before one is chosen, by token id: from -100 (never) to 100 (always, in effect). None by
    /// default.
    /// </summary>
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = new Dictionary<int, float>();

    /// <summary>
    /// Texts before which an answer ends, whatever tokens they fall into. They are none of the answer. None by default;
    /// a given answer is read to its end.
    /// </summary>
    public IReadOnlyList<string> StopTexts { get; init; } = [];

    /// <summary>
    /// Whether the answer begins with a thought, where the model's chat template has a switch for that
    /// (<see cref="Chat.ChatTemplate.CanSwitchThinking"/>). Null (the default) for what the template does by itself.
    /// </summary>
    public bool? Thinking { get; init; }

    /// <summary>
    /// A region of a picture that is hidden, kept alone or looked at; null (the default) for none. Looking needs hidden
    /// states, which are then captured in any case.
    /// </summary>
    public PictureRegion? Region { get; init; }

    /// <summary>Seed of the sampling. 0 by default.</summary>
    public uint Seed { get; init; }

    /// <summary>Best tokens to record per step. 0 by default.</summary>
    public int CandidateCount { get; init; }

    /// <summary>
    /// Keep the hidden state of every position, from which an answer is explained. True by default; off, this is plain
    /// generation. Explaining turns it on in any case.
    /// </summary>
    public bool CaptureHiddenStates { get; init; } = true;

    /// <summary>
    /// Layers, from 0, whose residual stream (llama.cpp's <c>l_out-K</c>) is kept for every position, too. None by
    /// default. Each takes hidden size x 4 bytes per position.
    /// </summary>
    public IReadOnlyList<int> Layers { get; init; } = [];

    /// <summary>
    /// Keep what attention reads, for evidence maps (<see cref="Completion.Attention"/>). Flash attention is off then.
    /// False by default. Gemma 3 has no such maps, and refuses it.
    /// </summary>
    public bool CaptureAttention { get; init; }

    /// <summary>
    /// Keep keys and values in float32 and use plain attention. Hidden states then hardly depend on how tokens are cut
    /// into batches (2e-6 instead of 1e-3). Slower. False by default.
    /// </summary>
    public bool PreciseCache { get; init; }

    /// <summary>
    /// Where the prompt's beginning is taken from, if the completion before it had the same, and left for the next.
    /// Null (the default): the prompt is computed whole.
    /// </summary>
    [JsonIgnore]
    public PromptCache? PromptCache { get; init; }

    /// <summary>Refuses values that no answer can be generated with, whatever the model.</summary>
    /// <exception cref="InvalidInputException">A value is out of its range; the message names it.</exception>
    public void Validate()
    {
        Settings.RequireAtLeast(0, MaxNewTokens, Settings.MaxNewTokens);
        Settings.RequireAtLeast(0, ContextSize, Settings.ContextSize);
        Settings.RequireAtLeast(0, MaxContextSize, Settings.MaxContextSize);
        Settings.RequireAtLeast(2, BatchSize, Settings.BatchSize);
        Settings.RequireAtLeast(0, CandidateCount, Settings.CandidateCount);
        Settings.RequireAtLeast(-1, RepeatLastN, Settings.RepeatLastN);
        Region?.Validate();
        if (!(RepeatPenalty > 0))
        {
            throw InvalidInputException.Naming($"{Settings.RepeatPenalty} is {RepeatPenalty}; it must be more than 0");
        }

        if (StopTexts.Any(string.IsNullOrEmpty))
        {
            throw InvalidInputException.Naming(
                $"a stop text ({Settings.StopTexts}) is empty; every answer would end before its first token"
            );
        }

        foreach (var (id, bias) in LogitBias)
        {
            if (!(bias >= -MaxLogitBias && bias <= MaxLogitBias))
            {
                throw InvalidInputException.Naming(
                    $"the bias of token {id} ({Settings.LogitBias}) is {bias}; it must be from {-MaxLogitBias} to {MaxLogitBias}"
                );
            }
        }
    }
}
