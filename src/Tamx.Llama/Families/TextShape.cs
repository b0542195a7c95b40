using Tamx.Llama.Gguf;

namespace Tamx.Llama.Families;

/// <summary>Sizes of a text model, from which the shapes of its tensors follow.</summary>
internal sealed record TextShape
{
    public required string Architecture { get; init; }

    public required int HiddenSize { get; init; }

    /// <summary>Layers that are computed, so without <see cref="DraftLayerCount"/>.</summary>
    public required int LayerCount { get; init; }

    public required int HeadCount { get; init; }

    public required int KeyValueHeadCount { get; init; }

    public required int VocabularySize { get; init; }

    public int HeadSize { get; init; }

    /// <summary>Width of the feed-forward layers; of one expert, where there are experts.</summary>
    public int FeedForwardSize { get; init; }

    /// <summary>Experts of each layer; 0 for a plain feed-forward part.</summary>
    public int ExpertCount { get; init; }

    /// <summary>Width of the expert that takes part in every token; 0 without one.</summary>
    public int SharedExpertSize { get; init; }

    /// <summary>Layers after the others that only draft tokens ahead, which Tamx does not use.</summary>
    public int DraftLayerCount { get; init; }

    /// <summary>Layers that take image features besides the first.</summary>
    public int DeepstackLayerCount { get; init; }

    /// <summary>Every so many layers one has softmax attention, the others a recurrent state; 1 for all.</summary>
    public int AttentionInterval { get; init; } = 1;

    /// <summary>Sizes of the recurrent layers, or null without any.</summary>
    public RecurrentShape? Recurrent { get; init; }

    public int QuerySize => HeadCount * HeadSize;

    public int KeySize => KeyValueHeadCount * HeadSize;

    /// <summary>Whether a layer has softmax attention.</summary>
    public bool HasAttention(int layer) => layer >= LayerCount || (layer + 1) % AttentionInterval == 0;
}

/// <summary>Sizes of layers with a gated delta net.</summary>
/// <param name="KernelSize">Tokens that the convolution sees.</param>
/// <param name="StateSize">Size of a key and of a value.</param>
/// <param name="KeyHeadCount">Heads of the keys.</param>
/// <param name="ValueHeadCount">Heads of the values.</param>
internal sealed record RecurrentShape(int KernelSize, int StateSize, int KeyHeadCount, int ValueHeadCount)
{
    public int ValueSize => StateSize * ValueHeadCount;

    public int MixedSize => (2 * StateSize * KeyHeadCount) + ValueSize;
}

/// <summary>Keys and tensors that several families have in common.</summary>
internal static class TextLayers
{
    /// <summary>llama.cpp's LLAMA_MAX_EXPERTS.</summary>
    private const int MaxExperts = 512;

    /// <summary>Keys of a mixture of experts.</summary>
    public static IReadOnlyList<KnownKey> ExpertKeys { get; } =
    [
        new("A.expert_feed_forward_length", GgufValueType.U32),
        new("A.expert_shared_feed_forward_length", GgufValueType.U32),
        new("A.expert_shared_count", GgufValueType.U32),
        new("A.expert_gating_func", GgufValueType.U32),
        new("A.expert_weights_scale", GgufValueType.F32),
        new("A.expert_weights_norm", GgufValueType.Bool),
    ];

    /// <summary>The width of a plain feed-forward part, and that there are no experts.</summary>
    public static TextShape ReadDense(GgufModel model, TextShape shape)
    {
        Preflight.Zero(model, $"{shape.Architecture}.expert_count");
        Preflight.Zero(model, $"{shape.Architecture}.expert_used_count");
        return shape with
        {
            FeedForwardSize = Preflight.Integer(model, $"{shape.Architecture}.feed_forward_length", 1, 1 << 20),
        };
    }

    /// <summary>Heads of a size of their own, and a plain feed-forward part; positions one after the other.</summary>
    public static TextShape ReadDenseInARow(GgufModel model, TextShape shape) =>
        ReadDense(model, shape with { HeadSize = Preflight.CheckHeads(model, shape, (1, 8192), hasSections: false) });

    /// <summary>The experts. Only the graph says how they are computed with, so other keys do not matter.</summary>
    public static TextShape ReadExperts(GgufModel model, TextShape shape)
    {
        var count = Preflight.Integer(model, $"{shape.Architecture}.expert_count", 1, MaxExperts);
        Preflight.Integer(model, $"{shape.Architecture}.expert_used_count", 1, count);
        Preflight.OptionalInteger(model, $"{shape.Architecture}.feed_forward_length", 0, 1 << 20);
        return shape with
        {
            ExpertCount = count,
            FeedForwardSize = Preflight.Integer(model, $"{shape.Architecture}.expert_feed_forward_length", 1, 1 << 20),
        };
    }

    /// <summary>Checks heads whose size is the hidden size's share: the matrices leave no room for another.</summary>
    /// <param name="model">The file.</param>
    /// <param name="shape">Hidden size and numbers of heads.</param>
    /// <param name="hasSections">Whether positions lie on M-RoPE's axes.</param>
    /// <returns>The size of a head.</returns>
    public static int ReadDividedHeads(GgufModel model, TextShape shape, bool hasSections = true)
    {
        if (shape.HiddenSize % shape.HeadCount != 0)
        {
            throw Preflight.Wrong(
                model,
                $"{shape.Architecture}.attention.head_count",
                shape.HeadCount,
                $"a divisor of the hidden size {shape.HiddenSize}"
            );
        }

        var headSize = shape.HiddenSize / shape.HeadCount;
        return Preflight.CheckHeads(model, shape, (headSize, headSize), hasSections: hasSections);
    }

    /// <summary>A layer of Qwen2 and Qwen2.5: queries, keys and values have biases.</summary>
    public static void CheckQwen2(TensorChecklist tensors, TextShape shape, int layer)
    {
        var prefix = $"blk.{layer}";
        tensors.Plain($"{prefix}.attn_norm.weight", shape.HiddenSize);
        CheckAttention(tensors, shape, prefix);
        tensors.Plain($"{prefix}.attn_q.bias", shape.QuerySize);
        tensors.Plain($"{prefix}.attn_k.bias", shape.KeySize);
        tensors.Plain($"{prefix}.attn_v.bias", shape.KeySize);
        tensors.Plain($"{prefix}.ffn_norm.weight", shape.HiddenSize);
        CheckFeedForward(tensors, shape, prefix);
    }

    /// <summary>A layer of Qwen3, dense or with experts: queries and keys have norms.</summary>
    public static void CheckQwen3(TensorChecklist tensors, TextShape shape, int layer)
    {
        var prefix = $"blk.{layer}";
        tensors.Plain($"{prefix}.attn_norm.weight", shape.HiddenSize);
        CheckAttention(tensors, shape, prefix);
        CheckHeadNorms(tensors, shape, prefix);
        tensors.OptionalPlain($"{prefix}.attn_q.bias", shape.QuerySize);
        tensors.OptionalPlain($"{prefix}.attn_k.bias", shape.KeySize);
        tensors.OptionalPlain($"{prefix}.attn_v.bias", shape.KeySize);
        tensors.Plain($"{prefix}.ffn_norm.weight", shape.HiddenSize);
        CheckFeedForward(tensors, shape, prefix);
    }

    /// <summary>
    /// What rerankers have. llama.cpp loads it, but computes with it only if asked for ranks.
    /// </summary>
    public static void CheckRanking(TensorChecklist tensors, GgufModel model, TextShape shape)
    {
        var labelCount = model.Metadata.CountOf($"{shape.Architecture}.classifier.output_labels");
        tensors.OptionalMatrix("cls.output.weight", shape.HiddenSize, Math.Max(1, labelCount));
    }

    /// <summary>Matrices of a layer's softmax attention.</summary>
    /// <param name="tensors">The file's tensors.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="layer">The layer's prefix.</param>
    /// <param name="hasGate">Whether the queries' matrix gives each query a gate, too.</param>
    public static void CheckAttention(TensorChecklist tensors, TextShape shape, string layer, bool hasGate = false)
    {
        var querySize = shape.QuerySize * (hasGate ? 2 : 1);
        tensors.Matrix($"{layer}.attn_q.weight", shape.HiddenSize, querySize);
        tensors.Matrix($"{layer}.attn_k.weight", shape.HiddenSize, shape.KeySize);
        tensors.Matrix($"{layer}.attn_v.weight", shape.HiddenSize, shape.KeySize);
        tensors.Matrix($"{layer}.attn_output.weight", shape.QuerySize, shape.HiddenSize);
        CheckScales(tensors, layer, "attn_q", "attn_k", "attn_v", "attn_output");
    }

    /// <summary>Norms of a layer's queries and keys.</summary>
    public static void CheckHeadNorms(TensorChecklist tensors, TextShape shape, string layer)
    {
        tensors.Plain($"{layer}.attn_q_norm.weight", shape.HeadSize);
        tensors.Plain($"{layer}.attn_k_norm.weight", shape.HeadSize);
    }

    /// <summary>A layer's feed-forward part, plain or of experts.</summary>
    /// <param name="tensors">The file's tensors.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="layer">The layer's prefix.</param>
    /// <param name="mayFuseExperts">Whether gate and first matrix of the experts may be one.</param>
    public static void CheckFeedForward(
        TensorChecklist tensors,
        TextShape shape,
        string layer,
        bool mayFuseExperts = false
    )
    {
        var (hidden, inner, experts) = (shape.HiddenSize, shape.FeedForwardSize, shape.ExpertCount);
        if (experts == 0)
        {
            tensors.Matrix($"{layer}.ffn_gate.weight", hidden, inner);
            tensors.Matrix($"{layer}.ffn_up.weight", hidden, inner);
            tensors.Matrix($"{layer}.ffn_down.weight", inner, hidden);
            CheckScales(tensors, layer, "ffn_gate", "ffn_up", "ffn_down");
            return;
        }

        tensors.Matrix($"{layer}.ffn_gate_inp.weight", hidden, experts);
        if (
            !mayFuseExperts
            || tensors.OptionalMatrix($"{layer}.ffn_gate_up_exps.weight", hidden, 2 * inner, experts) is null
        )
        {
            tensors.Matrix($"{layer}.ffn_gate_exps.weight", hidden, inner, experts);
            tensors.Matrix($"{layer}.ffn_up_exps.weight", hidden, inner, experts);
        }

        tensors.Matrix($"{layer}.ffn_down_exps.weight", inner, hidden, experts);
        if (shape.SharedExpertSize is > 0 and var shared)
        {
            tensors.Matrix($"{layer}.ffn_gate_inp_shexp.weight", hidden);
            tensors.Matrix($"{layer}.ffn_gate_shexp.weight", hidden, shared);
            tensors.Matrix($"{layer}.ffn_up_shexp.weight", hidden, shared);
            tensors.Matrix($"{layer}.ffn_down_shexp.weight", shared, hidden);
        }
    }

    /// <summary>Matrices may have scales beside them, as in NVFP4 files.</summary>
    private static void CheckScales(TensorChecklist tensors, string layer, params ReadOnlySpan<string> matrices)
    {
        foreach (var matrix in matrices)
        {
            tensors.OptionalPlain($"{layer}.{matrix}.scale", 1);
            tensors.OptionalPlain($"{layer}.{matrix}.input_scale", 1);
        }
    }
}
