namespace Tamx.Llama.Gguf;

/// <summary>What a text model's file says about it. Immutable.</summary>
public sealed record ModelFacts
{
    /// <summary>The file (the first, if the model is split).</summary>
    public required string Path { get; init; }

    /// <summary>One of <see cref="ModelArchitecture"/>.</summary>
    public required string Architecture { get; init; }

    /// <summary>What people call models of its family, for example Qwen3-VL.</summary>
    public required string Family { get; init; }

    /// <summary>The model's own name (general.name), or null.</summary>
    public string? Name { get; init; }

    /// <summary>What the model's maker says of it (general.description), or null.</summary>
    public string? Description { get; init; }

    /// <summary>For example <c>Q4_K_M</c>: from general.file_type, else the type that holds most elements.</summary>
    public required string Quantization { get; init; }

    /// <summary>Hidden size D.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Size of the feed-forward layers; of one expert, where there are experts.</summary>
    public required int FeedForwardSize { get; init; }

    /// <summary>Experts of each layer; 0 without.</summary>
    public required int ExpertCount { get; init; }

    /// <summary>Number of layers. Layers that only draft tokens ahead do not count: they are not computed.</summary>
    public required int LayerCount { get; init; }

    /// <summary>
    /// Layers with softmax attention, ascending. All, except in hybrids: their other layers carry a recurrent state,
    /// and have no attention weights to say where they read.
    /// </summary>
    public required IReadOnlyList<int> AttentionLayers { get; init; }

    /// <summary>Attention heads per layer.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Key and value heads per layer.</summary>
    public required int KeyValueHeadCount { get; init; }

    /// <summary>Size of one head.</summary>
    public required int HeadSize { get; init; }

    /// <summary>Longest context the model was trained for, in tokens.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Number of tokens in the vocabulary.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Ids of the tokens that end an answer, ascending: <c>&lt;|im_end|&gt;</c> at least.</summary>
    public required IReadOnlyList<int> EndTokenIds { get; init; }

    /// <summary>Names of special tokens that are no control tokens, such as <c>&lt;think&gt;</c>.</summary>
    internal IReadOnlyList<string> UserDefinedTokens { get; init; } = [];

    /// <summary>Layers besides the first that take image features from the projector; 0 without deepstack.</summary>
    public required int DeepstackLayerCount { get; init; }

    /// <summary>The tensor that holds the output embedding (lm_head), one row per token.</summary>
    public required GgufTensor OutputEmbedding { get; init; }

    /// <summary>True if the input embedding serves as output embedding too.</summary>
    public required bool IsTied { get; init; }

    /// <summary>Ids of SentencePiece's vocabulary; null for byte pairs.</summary>
    internal SentencePieceIds? Pieces { get; init; }

    /// <summary>
    /// Whether each layer scales what its attention wrote before it adds it, so that no position has a share.
    /// </summary>
    internal bool HasAttentionPostNorms { get; init; }

    /// <summary>Whether each query has a gate that what it reads is multiplied by.</summary>
    internal bool HasAttentionGates { get; init; }

    /// <summary>The tensor that holds the input embedding, one row per token.</summary>
    internal GgufTensor InputEmbedding { get; init; } = null!;

    /// <summary>The weights of the norm before the output embedding.</summary>
    internal GgufTensor OutputNorm { get; init; } = null!;

    /// <summary>What that norm adds to the mean square.</summary>
    internal double NormEpsilon { get; init; }

    /// <summary>
    /// Per layer with softmax attention the matrix that writes what the heads read into the residual stream.
    /// </summary>
    internal IReadOnlyDictionary<int, GgufTensor> AttentionOutputs { get; init; } = new Dictionary<int, GgufTensor>();

    /// <summary>Per such layer the factor of that matrix, as NVFP4 files have it, or null.</summary>
    internal IReadOnlyDictionary<int, GgufTensor?> AttentionOutputScales { get; init; } =
        new Dictionary<int, GgufTensor?>();

    /// <summary>Number of weights.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>The chat template (Jinja), or null.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>Size of the model's files together.</summary>
    public required long ByteCount { get; init; }

    /// <summary>Bytes that the keys and values of one token take. Layers with a recurrent state have none.</summary>
    /// <param name="layers">In how many layers.</param>
    /// <param name="precise">
    /// Whether in float32 (<see cref="CompletionOptions.PreciseCache"/>), not half precision.
    /// </param>
    public long ContextBytesPerToken(int layers, bool precise = false) =>
        2L
        * (layers * AttentionLayers.Count / Math.Max(1, LayerCount))
        * KeyValueHeadCount
        * HeadSize
        * (precise ? sizeof(float) : sizeof(ushort));
}
