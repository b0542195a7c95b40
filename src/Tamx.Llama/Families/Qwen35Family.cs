using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;

namespace Tamx.Llama.Families;

/// <summary>
/// Qwen3.5 and Qwen3.6, dense and with experts: most layers have a recurrent state in place of attention.
/// </summary>
internal sealed class Qwen35Family : ModelFamily
{
    public override string Name => "Qwen3.5, Qwen3.6";

    public override IReadOnlyList<string> Architectures { get; } =
    [ModelArchitecture.Qwen35, ModelArchitecture.Qwen35Moe];

    public override IReadOnlyDictionary<string, string> ModelTypes { get; } =
        new Dictionary<string, string>
        {
            ["qwen3_5"] = ModelArchitecture.Qwen35,
            ["qwen3_5_moe"] = ModelArchitecture.Qwen35Moe,
        };

    public override bool StoresNormsLessOne => true;

    public override IReadOnlyList<ProjectorKind> Projectors { get; } = [Qwen3VlFamily.Merger];

    public override IReadOnlyList<string> PreTokenizers { get; } = ["qwen35", "qwen2"];

    public override bool TrimsMessages => true;

    public override bool HasAttentionGates => true;

    public override IReadOnlyList<KnownKey> Keys { get; } =
    [
        .. TextLayers.ExpertKeys,
        new("A.full_attention_interval", GgufValueType.U32),
        new("A.ssm.conv_kernel", GgufValueType.U32),
        new("A.ssm.inner_size", GgufValueType.U32),
        new("A.ssm.state_size", GgufValueType.U32),
        new("A.ssm.time_step_rank", GgufValueType.U32),
        new("A.ssm.group_count", GgufValueType.U32),
    ];

    public override bool IsSystemFirstOnly(ThoughtLayout thoughts) => true;

    public override TextShape ReadShape(GgufModel model, TextShape shape)
    {
        var architecture = shape.Architecture;
        const int DefaultInterval = 4;
        var draftKey = $"{architecture}.nextn_predict_layers";
        var draftCount = model.Metadata.Contains(draftKey)
            ? Preflight.Integer(model, draftKey, 0, Math.Min(1, shape.LayerCount - 1))
            : 0;
        var layerCount = shape.LayerCount - draftCount;

        // llama.cpp divides by it, and its hybrid cache wants both kinds of layers.
        var intervalKey = $"{architecture}.full_attention_interval";
        var interval = (int)(model.Metadata.FindInteger(intervalKey) ?? DefaultInterval);
        if (interval < 2 || interval > layerCount)
        {
            var wanted = $"2 to the number of layers, {layerCount}";
            throw Preflight.Wrong(
                model,
                intervalKey,
                model.Metadata.Contains(intervalKey) ? interval : $"missing, so {DefaultInterval}",
                wanted
            );
        }

        Preflight.Absent(model, $"{architecture}.attention.recurrent_layers");
        shape = shape with
        {
            LayerCount = layerCount,
            DraftLayerCount = draftCount,
            AttentionInterval = interval,
            HeadSize = Preflight.CheckHeads(model, shape, (1, 8192), isWholeHeadRotated: false),
            Recurrent = ReadRecurrent(model, architecture),
        };
        if (architecture == ModelArchitecture.Qwen35)
        {
            return TextLayers.ReadDense(model, shape);
        }

        return TextLayers.ReadExperts(model, shape) with
        {
            SharedExpertSize = Preflight.Integer(
                model,
                $"{architecture}.expert_shared_feed_forward_length",
                1,
                1 << 20
            ),
        };
    }

    public override void CheckLayer(TensorChecklist tensors, TextShape shape, int layer)
    {
        var (prefix, hidden) = ($"blk.{layer}", shape.HiddenSize);
        tensors.Plain($"{prefix}.attn_norm.weight", hidden);
        tensors.Plain($"{prefix}.post_attention_norm.weight", hidden);
        if (shape.HasAttention(layer))
        {
            TextLayers.CheckAttention(tensors, shape, prefix, hasGate: true);
            TextLayers.CheckHeadNorms(tensors, shape, prefix);
        }
        else
        {
            CheckRecurrent(tensors, shape.Recurrent!, hidden, prefix);
        }

        TextLayers.CheckFeedForward(tensors, shape, prefix, mayFuseExperts: true);
        if (layer >= shape.LayerCount)
        {
            CheckDraft(tensors, shape, prefix);
        }
    }

    private static RecurrentShape ReadRecurrent(GgufModel model, string architecture)
    {
        var kernelSize = Preflight.Integer(model, $"{architecture}.ssm.conv_kernel", 2, 64);
        var stateSize = Preflight.Integer(model, $"{architecture}.ssm.state_size", 1, 1024);
        var valueHeads = Preflight.Integer(model, $"{architecture}.ssm.time_step_rank", 1, 4096);
        var keyHeads = Preflight.Integer(model, $"{architecture}.ssm.group_count", 1, valueHeads);
        if (valueHeads % keyHeads != 0)
        {
            throw Preflight.Wrong(
                model,
                $"{architecture}.ssm.group_count",
                keyHeads,
                $"a divisor of the {valueHeads} heads (time_step_rank)"
            );
        }

        var inner = stateSize * valueHeads;
        Preflight.Integer(model, $"{architecture}.ssm.inner_size", inner, inner);
        return new RecurrentShape(kernelSize, stateSize, keyHeads, valueHeads);
    }

    private static void CheckRecurrent(TensorChecklist tensors, RecurrentShape shape, int hidden, string layer)
    {
        tensors.Matrix($"{layer}.attn_qkv.weight", hidden, shape.MixedSize);
        tensors.Matrix($"{layer}.attn_gate.weight", hidden, shape.ValueSize);
        tensors.Plain($"{layer}.ssm_conv1d.weight", shape.KernelSize, shape.MixedSize);
        tensors.Plain($"{layer}.ssm_dt.bias", shape.ValueHeadCount);
        tensors.Plain($"{layer}.ssm_a", shape.ValueHeadCount);
        tensors.Matrix($"{layer}.ssm_beta.weight", hidden, shape.ValueHeadCount);
        tensors.Matrix($"{layer}.ssm_alpha.weight", hidden, shape.ValueHeadCount);
        tensors.Plain($"{layer}.ssm_norm.weight", shape.StateSize);
        tensors.Matrix($"{layer}.ssm_out.weight", shape.ValueSize, hidden);
    }

    /// <summary>What llama.cpp loads for drafts besides a layer like the others, and Tamx never computes.</summary>
    private static void CheckDraft(TensorChecklist tensors, TextShape shape, string layer)
    {
        var (hidden, vocabulary) = (shape.HiddenSize, shape.VocabularySize);
        tensors.Matrix($"{layer}.nextn.eh_proj.weight", 2 * hidden, hidden);
        tensors.Plain($"{layer}.nextn.enorm.weight", hidden);
        tensors.Plain($"{layer}.nextn.hnorm.weight", hidden);
        tensors.OptionalMatrix($"{layer}.nextn.embed_tokens.weight", hidden, vocabulary);
        tensors.OptionalMatrix($"{layer}.nextn.shared_head_head.weight", hidden, vocabulary);
        tensors.OptionalPlain($"{layer}.nextn.shared_head_norm.weight", hidden);
    }
}
