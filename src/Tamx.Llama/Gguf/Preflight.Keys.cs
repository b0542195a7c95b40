using System.Globalization;

namespace Tamx.Llama.Gguf;

public static partial class Preflight
{
    /// <summary>Keys that hold the id of a token with a role.</summary>
    private static readonly string[] TokenIdKeys =
    [
        .. (
            (string[])
                [
                    "bos",
                    "eos",
                    "eot",
                    "eom",
                    "unknown",
                    "seperator",
                    "padding",
                    "cls",
                    "mask",
                    "fim_pre",
                    "fim_suf",
                    "fim_mid",
                    "fim_pad",
                    "fim_rep",
                    "fim_sep",
                    "prefix",
                    "suffix",
                    "middle",
                ]
        ).Select(role => $"tokenizer.ggml.{role}_token_id"),
    ];

    /// <summary>
    /// Keys that llama.cpp reads for a text model of these architectures. It looks keys up by name, so a file may hold
    /// anything under other names.
    /// </summary>
    private static readonly KnownKey[] ModelKeys =
    [
        new("general.architecture", GgufValueType.Text),
        new("general.name", GgufValueType.Text),
        new("general.file_type", GgufValueType.U32),
        new("split.count", GgufValueType.U16),
        new("split.no", GgufValueType.U16),
        new("split.tensors.count", GgufValueType.I32),
        new("A.context_length", GgufValueType.U32),
        new("A.embedding_length", GgufValueType.U32),
        new("A.embedding_length_out", GgufValueType.U32),
        new("A.block_count", GgufValueType.U32),
        new("A.feed_forward_length", GgufValueType.U32),
        new("A.vocab_size", GgufValueType.U32),
        new("A.pooling_type", GgufValueType.U32),
        new("A.n_deepstack_layers", GgufValueType.U32),
        new("A.nextn_predict_layers", GgufValueType.U32),
        new("A.classifier.output_labels", GgufValueType.Text, IsArray: true),
        new("A.expert_count", GgufValueType.U32),
        new("A.expert_used_count", GgufValueType.U32),
        new("A.expert_group_count", GgufValueType.U32),
        new("A.expert_group_used_count", GgufValueType.U32),
        new("A.attention.causal", GgufValueType.Bool),
        new("A.attention.head_count", GgufValueType.U32),
        new("A.attention.head_count_kv", GgufValueType.U32),
        new("A.attention.key_length", GgufValueType.U32),
        new("A.attention.value_length", GgufValueType.U32),
        new("A.attention.key_length_swa", GgufValueType.U32),
        new("A.attention.value_length_swa", GgufValueType.U32),
        new("A.attention.layer_norm_rms_epsilon", GgufValueType.F32),
        new("A.rope.dimension_count", GgufValueType.U32),
        new("A.rope.dimension_count_swa", GgufValueType.U32),
        new("A.rope.freq_base", GgufValueType.F32),
        new("A.rope.scale_linear", GgufValueType.F32),
        new("A.rope.scaling.type", GgufValueType.Text),
        new("A.rope.scaling.factor", GgufValueType.F32),
        new("A.rope.scaling.attn_factor", GgufValueType.F32),
        new("A.rope.scaling.alpha", GgufValueType.F32),
        new("A.rope.scaling.original_context_length", GgufValueType.U32),
        new("A.rope.scaling.finetuned", GgufValueType.Bool),
        new("A.rope.scaling.yarn_ext_factor", GgufValueType.F32),
        new("A.rope.scaling.yarn_attn_factor", GgufValueType.F32),
        new("A.rope.scaling.yarn_beta_fast", GgufValueType.F32),
        new("A.rope.scaling.yarn_beta_slow", GgufValueType.F32),
        new("A.rope.scaling.yarn_log_multiplier", GgufValueType.F32),
        new("tokenizer.ggml.model", GgufValueType.Text),
        new(PreTokenizerKey, GgufValueType.Text),
        new(TokensKey, GgufValueType.Text, IsArray: true),
        new(MergesKey, GgufValueType.Text, IsArray: true),
        new(TokenTypesKey, GgufValueType.I32, IsArray: true),
        new(ScoresKey, GgufValueType.F32, IsArray: true),
        new("tokenizer.ggml.token_type_count", GgufValueType.U32),
        new("tokenizer.ggml.suppress_tokens", GgufValueType.I32, IsArray: true),
        new("tokenizer.ggml.add_bos_token", GgufValueType.Bool),
        new("tokenizer.ggml.add_eos_token", GgufValueType.Bool),
        new("tokenizer.ggml.add_sep_token", GgufValueType.Bool),
        new("tokenizer.ggml.add_space_prefix", GgufValueType.Bool),
        new("tokenizer.ggml.remove_extra_whitespaces", GgufValueType.Bool),
        new("tokenizer.ggml.normalizer.lowercase", GgufValueType.Bool),
        new("tokenizer.ggml.normalizer.strip_accents", GgufValueType.Bool),
        new("tokenizer.chat_template", GgufValueType.Text),
        .. TokenIdKeys.Select(key => new KnownKey(key, GgufValueType.U32)),
    ];

    /// <summary>
    /// Keys of an mmproj. clip.cpp checks no type before it takes a value, and gguf.cpp then asserts it. Keys of other
    /// projectors are here too, since builds differ in which of them they read for all projectors.
    /// </summary>
    private static readonly KnownKey[] ProjectorKeys =
    [
        new("general.architecture", GgufValueType.Text),
        new("general.name", GgufValueType.Text),
        new("general.description", GgufValueType.Text),
        new(ProjectorTypeKey, GgufValueType.Text),
        new("clip.vision.projector_type", GgufValueType.Text),
        new("clip.audio.projector_type", GgufValueType.Text),
        new("clip.vision.mm_patch_merge_type", GgufValueType.Text),
        new("clip.has_vision_encoder", GgufValueType.Bool),
        new("clip.has_audio_encoder", GgufValueType.Bool),
        new("clip.has_gen_audio_encoder", GgufValueType.Bool),
        new("clip.use_gelu", GgufValueType.Bool),
        new("clip.use_silu", GgufValueType.Bool),
        new("clip.minicpmv_version", GgufValueType.I32),
        new("clip.minicpmv_query_num", GgufValueType.U32),
        new("clip.vision.embedding_length", GgufValueType.U32),
        new("clip.vision.feed_forward_length", GgufValueType.U32),
        new("clip.vision.block_count", GgufValueType.U32),
        new("clip.vision.projection_dim", GgufValueType.U32),
        new("clip.vision.attention.head_count", GgufValueType.U32),
        new("clip.vision.attention.head_count_kv", GgufValueType.U32),
        new("clip.vision.attention.head_dim", GgufValueType.U32),
        new("clip.vision.attention.layer_norm_epsilon", GgufValueType.F32),
        new("clip.vision.image_size", GgufValueType.U32),
        new("clip.vision.patch_size", GgufValueType.U32),
        new("clip.vision.spatial_merge_size", GgufValueType.U32),
        new("clip.vision.image_min_pixels", GgufValueType.U32),
        new("clip.vision.image_max_pixels", GgufValueType.U32),
        new("clip.vision.n_wa_pattern", GgufValueType.U32),
        new("clip.vision.window_size", GgufValueType.U32),
        new("clip.vision.preproc_image_size", GgufValueType.U32),
        new("clip.vision.preproc_min_tiles", GgufValueType.U32),
        new("clip.vision.preproc_max_tiles", GgufValueType.U32),
        new("clip.vision.projector.scale_factor", GgufValueType.U32),
        new("clip.vision.projector.query_side", GgufValueType.U32),
        new("clip.vision.projector.window_side", GgufValueType.U32),
        new("clip.vision.image_mean", GgufValueType.F32, IsArray: true),
        new("clip.vision.image_std", GgufValueType.F32, IsArray: true),
        new(PinpointsKey, GgufValueType.I32, IsArray: true),
        new("clip.vision.feature_layer", GgufValueType.I32, IsArray: true),
        new("clip.vision.wa_layer_indexes", GgufValueType.I32, IsArray: true),
        new("clip.vision.wa_pattern_mode", GgufValueType.I32, IsArray: true),
        new("clip.vision.projector.spatial_offsets", GgufValueType.I32, IsArray: true),
    ];

    private static void CheckKeyTypes(GgufModel model, IEnumerable<KnownKey> keys, string architecture)
    {
        foreach (var key in keys)
        {
            var name = key.Name.StartsWith("A.", StringComparison.Ordinal) ? architecture + key.Name[1..] : key.Name;
            if (model.Metadata.TypeOf(name) is not { } found)
            {
                continue;
            }

            var element = model.Metadata.ElementTypeOf(name)!.Value;
            var isArray = found == GgufValueType.Array;
            if (element != key.Type || isArray != key.IsArray)
            {
                var wanted = key.IsArray ? $"an array of {key.Type}" : $"of type {key.Type}";
                throw Wrong(model, name, isArray ? $"an array of {element}" : $"of type {element}", wanted);
            }

            // llama.cpp keeps nearly all of them as int, and libmtmd throws on a greater one.
            if (
                key.Type == GgufValueType.U32
                && !isArray
                && model.Metadata.FindInteger(name) is > int.MaxValue and var value
            )
            {
                throw Wrong(model, name, value, $"at most {int.MaxValue}");
            }
        }
    }

    internal static ModelFormatException Wrong(GgufModel model, string key, object found, string wanted) =>
        new(model.Path, string.Create(CultureInfo.InvariantCulture, $"key {key} is {found}; it must be {wanted}"));

    /// <summary>An integer within a range. llama.cpp's tables and 32-bit products set the upper bounds.</summary>
    internal static int Integer(GgufModel model, string key, int least, int most)
    {
        var value = model.Metadata.GetInteger(key);
        return value >= least && value <= most ? (int)value : throw Wrong(model, key, value, $"{least} to {most}");
    }

    /// <summary>An optional integer within a range.</summary>
    internal static void OptionalInteger(GgufModel model, string key, int least, int most)
    {
        if (model.Metadata.Contains(key))
        {
            Integer(model, key, least, most);
        }
    }

    /// <summary>An optional finite number of at least some value.</summary>
    internal static void OptionalFinite(GgufModel model, string key, double least)
    {
        if (model.Metadata.FindFloat(key) is { } value)
        {
            Finite(model, key, value, least);
        }
    }

    /// <summary>A key that must be absent or 0: it turns on something that these architectures do not have.</summary>
    internal static void Zero(GgufModel model, string key)
    {
        var value =
            model.Metadata.TypeOf(key) == GgufValueType.F32
                ? model.Metadata.FindFloat(key)
                : model.Metadata.FindInteger(key);
        if (value is not null and not 0)
        {
            throw Wrong(model, key, value, "absent or 0");
        }
    }

    /// <summary>A key that must say no: without it, llama.cpp takes yes.</summary>
    internal static void False(GgufModel model, string key)
    {
        if (model.Metadata.FindBool(key) ?? throw model.Metadata.Missing(key, "false"))
        {
            throw Wrong(model, key, "true", "false");
        }
    }

    /// <summary>A key that must not be there: llama.cpp would compute something that Tamx does not know.</summary>
    internal static void Absent(GgufModel model, string key)
    {
        if (model.Metadata.TypeOf(key) is { } type)
        {
            throw Wrong(model, key, $"there ({type})", "absent");
        }
    }

    private static void Finite(GgufModel model, string key, double value, double least)
    {
        if (!double.IsFinite((float)value) || value < least)
        {
            var wanted = string.Create(CultureInfo.InvariantCulture, $"a finite number of at least {least}");
            throw Wrong(model, key, value, wanted);
        }
    }
}
