namespace Tamx.Llama.Tests.Damage;

/// <summary>
/// Names that llama.cpp b10221 knows, for any architecture, as they stand in its libraries: a file that holds one of
/// them by accident or on purpose must not end the process.
/// </summary>
internal static class KnownNames
{
    /// <summary>Keys of a text model; A stands for the architecture.</summary>
    public static readonly string[] ModelKeys =
    [
        "general.alignment", "general.architecture", "general.author", "general.description", "general.file_type",
        "general.license", "general.name", "general.quantization_version", "general.sampling.min_p",
        "general.sampling.mirostat", "general.sampling.mirostat_eta", "general.sampling.mirostat_tau",
        "general.sampling.penalty_last_n", "general.sampling.penalty_repeat", "general.sampling.sequence",
        "general.sampling.temp", "general.sampling.top_k", "general.sampling.top_p",
        "general.sampling.xtc_probability", "general.sampling.xtc_threshold", "general.source.huggingface.repository",
        "general.source.url", "general.type", "general.url", "general.version", "split.count", "split.no",
        "split.tensors.count", "tokenizer.chat_template", "tokenizer.ggml.add_bos_token",
        "tokenizer.ggml.add_eos_token", "tokenizer.ggml.add_sep_token", "tokenizer.ggml.add_space_prefix",
        "tokenizer.ggml.bos_token_id", "tokenizer.ggml.cls_token_id", "tokenizer.ggml.eom_token_id",
        "tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.fim_mid_token_id",
        "tokenizer.ggml.fim_pad_token_id", "tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.fim_rep_token_id",
        "tokenizer.ggml.fim_sep_token_id", "tokenizer.ggml.fim_suf_token_id", "tokenizer.ggml.mask_token_id",
        "tokenizer.ggml.merges", "tokenizer.ggml.middle_token_id", "tokenizer.ggml.model",
        "tokenizer.ggml.normalizer.lowercase", "tokenizer.ggml.normalizer.strip_accents",
        "tokenizer.ggml.padding_token_id", "tokenizer.ggml.pre", "tokenizer.ggml.precompiled_charsmap",
        "tokenizer.ggml.prefix_token_id", "tokenizer.ggml.remove_extra_whitespaces", "tokenizer.ggml.scores",
        "tokenizer.ggml.seperator_token_id", "tokenizer.ggml.suffix_token_id", "tokenizer.ggml.suppress_tokens",
        "tokenizer.ggml.token_type", "tokenizer.ggml.token_type_count", "tokenizer.ggml.tokens",
        "tokenizer.ggml.unknown_token_id", "tokenizer.huggingface.json", "tokenizer.rwkv.world", "A.attention.causal",
        "A.attention.clamp_kqv", "A.attention.compress_ratios", "A.attention.compress_rope_freq_base",
        "A.attention.decay_lora_rank", "A.attention.gate_lora_rank", "A.attention.group_norm_epsilon",
        "A.attention.group_norm_groups", "A.attention.head_count", "A.attention.head_count_kv",
        "A.attention.iclr_lora_rank", "A.attention.indexer.block_size", "A.attention.indexer.head_count",
        "A.attention.indexer.key_length", "A.attention.indexer.local_blocks", "A.attention.indexer.top_k",
        "A.attention.indexer.types", "A.attention.key_length", "A.attention.key_length_mla",
        "A.attention.key_length_swa", "A.attention.kv_lora_rank", "A.attention.layer_norm_epsilon",
        "A.attention.layer_norm_rms_epsilon", "A.attention.max_alibi_bias", "A.attention.output_group_count",
        "A.attention.output_lora_rank", "A.attention.output_scale", "A.attention.q_lora_rank",
        "A.attention.recurrent_layers", "A.attention.relative_buckets_count", "A.attention.scale",
        "A.attention.shared_kv_layers", "A.attention.sliding_window", "A.attention.sliding_window_pattern",
        "A.attention.temperature_length", "A.attention.temperature_scale", "A.attention.value_length",
        "A.attention.value_length_mla", "A.attention.value_length_swa", "A.attention.value_residual_mix_lora_rank",
        "A.attention.value_scale", "A.attn_logit_softcapping", "A.block_count", "A.classifier.output_labels",
        "A.context_length", "A.convnext.block_count", "A.convnext.embedding_length", "A.decoder_block_count",
        "A.decoder_start_token_id", "A.deepstack_mapping", "A.dense_2_feat_in", "A.dense_2_feat_out",
        "A.dense_3_feat_in", "A.dense_3_feat_out", "A.embedding_length", "A.embedding_length_out",
        "A.embedding_length_per_layer_input", "A.embedding_scale", "A.expert_chunk_feed_forward_length",
        "A.expert_count", "A.expert_feed_forward_length", "A.expert_gating_func", "A.expert_group_count",
        "A.expert_group_scale", "A.expert_group_used_count", "A.expert_shared_count",
        "A.expert_shared_feed_forward_length", "A.expert_used_count", "A.expert_weights_norm",
        "A.expert_weights_scale", "A.experts_per_group", "A.features_length", "A.feed_forward_length",
        "A.final_logit_softcapping", "A.full_attention_interval", "A.hash_layer_count", "A.hidden_activation",
        "A.hyper_connection.count", "A.hyper_connection.epsilon", "A.hyper_connection.sinkhorn_iterations",
        "A.interleave_moe_layer_step", "A.kda.head_dim", "A.leading_dense_block_count", "A.logit_scale",
        "A.moe_every_n_layers", "A.moe_latent_size", "A.n_deepstack_layers", "A.nextn_predict_layers",
        "A.norm_before_fc", "A.norm_before_residual", "A.num_loops", "A.pooling_type", "A.posnet.block_count",
        "A.posnet.embedding_length", "A.rescale_every_n_layers", "A.residual_scale", "A.rope.dimension_count",
        "A.rope.dimension_count_swa", "A.rope.dimension_sections", "A.rope.freq_base", "A.rope.freq_base_swa",
        "A.rope.scale_linear", "A.rope.scaling.alpha", "A.rope.scaling.attn_factor", "A.rope.scaling.factor",
        "A.rope.scaling.finetuned", "A.rope.scaling.original_context_length", "A.rope.scaling.type",
        "A.rope.scaling.yarn_attn_factor", "A.rope.scaling.yarn_beta_fast", "A.rope.scaling.yarn_beta_slow",
        "A.rope.scaling.yarn_ext_factor", "A.rope.scaling.yarn_log_multiplier", "A.router_logit_softcapping",
        "A.shortconv.l_cache", "A.skip_loop_final_norm", "A.ssm.conv_kernel", "A.ssm.dt_b_c_rms", "A.ssm.group_count",
        "A.ssm.inner_size", "A.ssm.state_size", "A.ssm.time_step_rank", "A.swiglu_clamp_exp", "A.swiglu_clamp_shexp",
        "A.swin_norm", "A.target_hidden_size", "A.target_layers", "A.tensor_data_layout", "A.time_decay_extra_dim",
        "A.time_mix_extra_dim", "A.token_shift_count", "A.use_parallel_residual", "A.vocab_size", "A.wkv.head_size",
    ];

    /// <summary>Keys of an mmproj.</summary>
    public static readonly string[] ProjectorKeys =
    [
        "general.alignment", "general.architecture", "general.description", "general.file_type", "general.name",
        "split.count", "clip.has_vision_encoder", "clip.has_audio_encoder", "clip.has_gen_audio_encoder",
        "clip.projector_type", "clip.vision.projector_type", "clip.audio.projector_type", "clip.use_gelu",
        "clip.use_silu", "clip.minicpmv_version", "clip.minicpmv_query_num", "clip.vision.mm_patch_merge_type",
        "clip.vision.image_grid_pinpoints", "clip.vision.feature_layer", "clip.vision.image_crop_resolution",
        "clip.vision.attention.head_count", "clip.vision.attention.head_count_kv", "clip.vision.attention.head_dim",
        "clip.vision.attention.layer_norm_epsilon", "clip.vision.block_count", "clip.vision.embedding_length",
        "clip.vision.feed_forward_length", "clip.vision.projection_dim", "clip.vision.image_size",
        "clip.vision.patch_size", "clip.vision.image_mean", "clip.vision.image_std", "clip.vision.image_max_pixels",
        "clip.vision.image_min_pixels", "clip.vision.n_wa_pattern", "clip.vision.preproc_image_size",
        "clip.vision.preproc_max_tiles", "clip.vision.preproc_min_tiles", "clip.vision.projector.query_side",
        "clip.vision.projector.scale_factor", "clip.vision.projector.spatial_offsets",
        "clip.vision.projector.window_side", "clip.vision.sam.block_count", "clip.vision.sam.embedding_length",
        "clip.vision.sam.head_count", "clip.vision.spatial_merge_size", "clip.vision.wa_layer_indexes",
        "clip.vision.wa_pattern_mode", "clip.vision.window_size", "clip.vision.is_deepstack_layers",
    ];

    /// <summary>Tensors of a text model besides its own; N stands for a layer.</summary>
    public static readonly string[] ModelTensors =
    [
        "output.weight", "output.bias", "output.scale", "output.input_scale", "output_norm.bias",
        "token_embd_norm.weight", "token_types.weight", "position_embd.weight", "rope_freqs.weight",
        "rope_factors_long.weight", "rope_factors_short.weight", "cls.weight", "cls.bias", "cls.output.weight",
        "cls.output.bias", "cls.norm.weight", "per_layer_token_embd.weight", "blk.N.attn_norm.bias",
        "blk.N.attn_q.bias", "blk.N.attn_k.bias", "blk.N.attn_v.bias", "blk.N.attn_output.bias", "blk.N.attn_q.scale",
        "blk.N.attn_k.scale", "blk.N.attn_v.scale", "blk.N.attn_output.scale", "blk.N.ffn_gate.scale",
        "blk.N.ffn_up.scale", "blk.N.ffn_down.scale", "blk.N.attn_q.input_scale", "blk.N.attn_k.input_scale",
        "blk.N.attn_v.input_scale", "blk.N.attn_output.input_scale", "blk.N.ffn_gate.input_scale",
        "blk.N.ffn_up.input_scale", "blk.N.ffn_down.input_scale", "blk.N.attn_qkv.weight", "blk.N.attn_qkv.bias",
        "blk.N.attn_q_norm.weight", "blk.N.attn_k_norm.weight", "blk.N.ffn_gate.bias", "blk.N.ffn_up.bias",
        "blk.N.ffn_down.bias", "blk.N.ffn_norm.bias", "blk.N.ffn_gate_inp.weight", "blk.N.ffn_gate_exps.weight",
        "blk.N.attn_sinks.weight", "blk.N.post_attention_norm.weight", "blk.N.nextn.eh_proj.weight",
        "blk.N.attn_rot_embd.weight",
    ];

    /// <summary>Tensors of an mmproj besides its own; N stands for a layer.</summary>
    public static readonly string[] ProjectorTensors =
    [
        "v.class_embd", "v.pre_ln.weight", "v.pre_ln.bias", "v.post_ln.bias", "v.patch_embd.bias",
        "v.patch_embd.weight.2", "v.position_embd.weight", "v.patch_embd.norm.weight", "v.norm_embd.weight",
        "v.norm_embd.bias", "mm.0.weight", "mm.1.weight", "mm.1.bias", "mm.2.bias", "mm.4.weight",
        "mm.input_norm.weight", "mm.patch_merger.weight", "model.image_newline", "v.view_seperator",
        "v.image_newline", "a.conv1d.1.weight", "v.deepstack.N.norm.weight", "v.deepstack.N.fc1.weight",
        "v.deepstack.N.fc2.bias", "v.blk.N.attn_qkv.weight", "v.blk.N.attn_qkv.bias", "v.blk.N.attn_q.weight",
        "v.blk.N.attn_q.bias", "v.blk.N.attn_k.weight", "v.blk.N.attn_v.weight", "v.blk.N.attn_v.bias",
        "v.blk.N.attn_q_norm.weight", "v.blk.N.attn_k_norm.weight", "v.blk.N.attn_out.bias", "v.blk.N.attn_sinks",
        "v.blk.N.attn_post_norm.weight", "v.blk.N.ffn_post_norm.weight", "v.blk.N.ls1.weight", "v.blk.N.ls2.weight",
        "v.blk.N.out_scale.weight", "v.blk.N.ln1.bias", "v.blk.N.ln2.bias", "v.blk.N.ffn_gate.weight",
        "v.blk.N.ffn_gate.bias", "v.blk.N.ffn_up.bias", "v.blk.N.ffn_gate_exps.weight", "v.blk.N.ffn_gate_inp.weight",
        "v.blk.N.conv_dw.weight", "v.blk.N.attn_pre_norm.weight", "v.blk.N.linear_pos.weight",
    ];
}
