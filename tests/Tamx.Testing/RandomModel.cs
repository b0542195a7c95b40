using Tamx.Llama.Gguf;

namespace Tamx.Testing;

/// <summary>
/// Writes small models of each family with random weights that llama.cpp loads and runs: text model and mmproj.
/// </summary>
/// <remarks>
/// The same options give the same bytes on every machine. Weights are scaled so that states and logits have the size of
/// a trained model's (|h| about 2 per element after the final norm, logits within about +-6), whole words win over word
/// parts and markers, and the answer depends on the picture.
/// </remarks>
public static class RandomModel
{
    private const string DefaultSystemText = "You are a helpful assistant.";

    /// <summary>Qwen3-VL's layout: no system turn unless the conversation brings one.</summary>
    private const string ChatTemplate = """
        {%- for message in messages -%}
        {{- '<|im_start|>' + message.role + '\n' -}}
        {%- if message.content is string -%}{{- message.content -}}
        {%- else -%}
        {%- for part in message.content -%}
        {%- if part.type == 'text' -%}{{- part.text -}}
        {%- elif part.type == 'video' -%}{{- '<|vision_start|><|video_pad|><|vision_end|>' -}}
        {%- else -%}{{- '<|vision_start|><|image_pad|><|vision_end|>' -}}
        {%- endif -%}
        {%- endfor -%}
        {%- endif -%}
        {{- '<|im_end|>\n' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}
        """;

    /// <summary>Gives the same prompts as the published template of Qwen3-VL Thinking.</summary>
    public const string ThinkingTemplate = """
        {%- macro written(content) -%}
        {%- if content is string -%}{{- content -}}
        {%- else -%}
        {%- for part in content -%}
        {%- if part.type == 'text' -%}{{- part.text -}}
        {%- elif part.type == 'video' -%}{{- '<|vision_start|><|video_pad|><|vision_end|>' -}}
        {%- else -%}{{- '<|vision_start|><|image_pad|><|vision_end|>' -}}
        {%- endif -%}
        {%- endfor -%}
        {%- endif -%}
        {%- endmacro -%}
        {%- set ns = namespace(last_query_index=messages|length - 1, is_found=false) -%}
        {%- for message in messages|reverse -%}
        {%- set text = written(message.content) -%}
        {%- set is_response = text.startswith('<tool_response>') and text.endswith('</tool_response>') -%}
        {%- if message.role == 'user' and not is_response and not ns.is_found -%}
        {%- set ns.is_found = true -%}
        {%- set ns.last_query_index = messages|length - loop.index -%}
        {%- endif -%}
        {%- endfor -%}
        {%- for message in messages -%}
        {%- set text = written(message.content) -%}
        {%- set thought = message.reasoning_content or '' -%}
        {%- if message.role == 'assistant' -%}
        {%- if message.reasoning_content is not string and '</think>' in text -%}
        {%- set thought = text.split('</think>')[0].split('<think>')[-1].strip('\n') -%}
        {%- set text = text.split('</think>')[-1].lstrip('\n') -%}
        {%- endif -%}
        {%- if loop.index0 > ns.last_query_index and (loop.last or thought) -%}
        {%- set text = '<think>\n' + thought.strip('\n') + '\n</think>\n\n' + text.lstrip('\n') -%}
        {%- endif -%}
        {%- endif -%}
        {{- '<|im_start|>' + message.role + '\n' + text + '<|im_end|>\n' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n<think>\n' -}}{%- endif -%}
        """;

    /// <summary>Gives the same prompts as the published templates of Qwen3.5, thinking on or off.</summary>
    public const string SwitchableTemplate = """
        {%- macro render_content(content) -%}
        {%- if content is string -%}{{- content -}}
        {%- else -%}
        {%- for part in content -%}
        {%- if part.type == 'text' -%}{{- part.text -}}
        {%- elif part.type == 'video' -%}{{- '<|vision_start|><|video_pad|><|vision_end|>' -}}
        {%- else -%}{{- '<|vision_start|><|image_pad|><|vision_end|>' -}}
        {%- endif -%}
        {%- endfor -%}
        {%- endif -%}
        {%- endmacro -%}
        {%- set ns = namespace(last_query_index=messages|length - 1, is_found=false) -%}
        {%- for message in messages|reverse -%}
        {%- set text = render_content(message.content)|trim -%}
        {%- set is_response = text.startswith('<tool_response>') and text.endswith('</tool_response>') -%}
        {%- if message.role == 'user' and not is_response and not ns.is_found -%}
        {%- set ns.is_found = true -%}
        {%- set ns.last_query_index = messages|length - loop.index -%}
        {%- endif -%}
        {%- endfor -%}
        {%- for message in messages -%}
        {%- set text = render_content(message.content)|trim -%}
        {%- if message.role == 'assistant' -%}
        {%- set thought = message.reasoning_content or '' -%}
        {%- if message.reasoning_content is not string and '</think>' in text -%}
        {%- set thought = text.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') -%}
        {%- set text = text.split('</think>')[-1].lstrip('\n') -%}
        {%- endif -%}
        {%- if loop.index0 > ns.last_query_index -%}
        {%- set text = '<think>\n' + thought|trim + '\n</think>\n\n' + text -%}
        {%- endif -%}
        {%- endif -%}
        {{- '<|im_start|>' + message.role + '\n' + text + '<|im_end|>\n' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}
        {{- '<|im_start|>assistant\n' -}}
        {%- if enable_thinking is defined and enable_thinking is false -%}
        {{- '<think>\n\n</think>\n\n' -}}
        {%- else -%}
        {{- '<think>\n' -}}
        {%- endif -%}
        {%- endif -%}
        """;

    /// <summary>InternVL's layout, as its processor in transformers has it: a line feed follows each picture.</summary>
    public const string InternVlTemplate = """
        {%- for message in messages -%}
        {{- '<|im_start|>' + message.role + '\n' -}}
        {%- if message.content is string -%}{{- message.content -}}
        {%- else -%}
        {%- for part in message.content -%}
        {%- if part.type == 'text' -%}{{- part.text -}}
        {%- else -%}{{- '<IMG_CONTEXT>\n' -}}
        {%- endif -%}
        {%- endfor -%}
        {%- endif -%}
        {{- '<|im_end|>\n' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}
        """;

    /// <summary>Gives the same prompts as the published template of Gemma 3.</summary>
    public const string Gemma3Template = """
        {{- bos_token -}}
        {%- set before = '' -%}
        {%- set rest = messages -%}
        {%- if messages[0].role == 'system' -%}
        {%- set before = (messages[0].content if messages[0].content is string else messages[0].content[0].text) + '\n\n' -%}
        {%- set rest = messages[1:] -%}
        {%- endif -%}
        {%- for message in rest -%}
        {%- if (message.role == 'user') != (loop.index0 % 2 == 0) -%}
        {{- raise_exception('roles must alternate user and assistant') -}}
        {%- endif -%}
        {{- '<start_of_turn>' + ('model' if message.role == 'assistant' else message.role) + '\n' -}}
        {{- before if loop.first -}}
        {%- if message.content is string -%}{{- message.content|trim -}}
        {%- else -%}
        {%- for part in message.content -%}
        {%- if part.type == 'text' -%}{{- part.text|trim -}}
        {%- else -%}{{- '<start_of_image>' -}}
        {%- endif -%}
        {%- endfor -%}
        {%- endif -%}
        {{- '<end_of_turn>\n' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{- '<start_of_turn>model\n' -}}{%- endif -%}
        """;

    /// <summary>Gives the same prompts as the published template of SmolVLM2.</summary>
    public const string SmolVlmTemplate = """
        {{- '<|im_start|>' -}}
        {%- for message in messages -%}
        {{- message.role|capitalize + ':' -}}
        {%- if message.content is string -%}{{- ' ' + message.content -}}
        {%- else -%}
        {%- if message.content[0].type == 'text' -%}{{- ' ' -}}{%- endif -%}
        {%- for part in message.content -%}
        {%- if part.type == 'text' -%}{{- part.text -}}
        {%- else -%}{{- '<image>' -}}
        {%- endif -%}
        {%- endfor -%}
        {%- endif -%}
        {{- '<end_of_utterance>\n' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{- 'Assistant:' -}}{%- endif -%}
        """;

    /// <summary>What stands before it in Qwen2-VL's and Qwen2.5-VL's layout.</summary>
    private const string DefaultSystemTemplate = $$$"""
        {%- if messages[0].role != 'system' -%}{{- '<|im_start|>system\n{{{DefaultSystemText}}}<|im_end|>\n' -}}{%- endif -%}

        """;

    private static readonly string[] MistralControls =
    [
        "<s>",
        "</s>",
        "[INST]",
        "[/INST]",
        "[IMG]",
        "[IMG_BREAK]",
        "[IMG_END]",
    ];

    /// <summary>Writes NAME.gguf and mmproj-NAME.gguf into a folder.</summary>
    public static (string ModelPath, string ProjectorPath) Write(string folder, RandomModelOptions options)
    {
        Directory.CreateDirectory(folder);
        var modelPath = Path.Combine(folder, $"{options.Name}.gguf");
        var projectorPath = Path.Combine(folder, $"mmproj-{options.Name}.gguf");
        BuildModel(options).Save(modelPath);
        BuildProjector(options).Save(projectorPath);
        return (modelPath, projectorPath);
    }

    /// <summary>Writes the text model in several parts, and mmproj-NAME.gguf, into a folder.</summary>
    public static (IReadOnlyList<string> ModelPaths, string ProjectorPath) WriteSplit(
        string folder,
        RandomModelOptions options,
        int partCount
    )
    {
        Directory.CreateDirectory(folder);
        var projectorPath = Path.Combine(folder, $"mmproj-{options.Name}.gguf");
        BuildProjector(options).Save(projectorPath);
        return (BuildModel(options).SaveSplit(folder, options.Name, partCount), projectorPath);
    }

    /// <summary>The text model.</summary>
    public static GgufWriter BuildModel(RandomModelOptions options)
    {
        var architecture = options.Architecture;
        var isQwen35 = architecture is ModelArchitecture.Qwen35 or ModelArchitecture.Qwen35Moe;
        var headSize = options.HiddenSize / options.HeadCount;
        GgufWriter writer = new();
        writer.Add("general.architecture", architecture);
        writer.Add("general.name", options.Name);
        writer.Add("general.description", "Random weights, untrained; for tests of software only");
        writer.Add("general.license", "apache-2.0");
        writer.Add("general.file_type", options.WeightType == TensorType.F16 ? 1u : 0u);
        writer.Add($"{architecture}.context_length", (uint)options.ContextLength);
        writer.Add($"{architecture}.embedding_length", (uint)options.HiddenSize);
        writer.Add($"{architecture}.block_count", (uint)(options.LayerCount + options.DraftLayerCount));
        writer.Add($"{architecture}.attention.head_count", (uint)options.HeadCount);
        writer.Add($"{architecture}.attention.head_count_kv", (uint)options.KeyValueHeadCount);
        writer.Add($"{architecture}.attention.key_length", (uint)headSize);
        writer.Add($"{architecture}.attention.value_length", (uint)headSize);
        writer.Add($"{architecture}.attention.layer_norm_rms_epsilon", 1e-6f);
        writer.Add($"{architecture}.rope.freq_base", 10000f);
        if (options.IsGemma3)
        {
            writer.Add($"{architecture}.attention.sliding_window", (uint)options.SlidingWindow);
        }
        else if (!options.IsSquare && !options.IsMistral)
        {
            writer.Add(
                $"{architecture}.rope.dimension_sections",
                RotarySections(architecture, isQwen35 ? headSize / 4 : headSize / 2)
            );
        }

        if (options.HasExperts)
        {
            writer.Add($"{architecture}.expert_count", (uint)options.ExpertCount);
            writer.Add($"{architecture}.expert_used_count", (uint)options.ExpertCount / 2);
            writer.Add($"{architecture}.expert_feed_forward_length", (uint)options.FeedForwardSize);
        }
        else
        {
            writer.Add($"{architecture}.feed_forward_length", (uint)options.FeedForwardSize);
        }

        if (isQwen35)
        {
            AddHybridKeys(writer, options, headSize);
        }
        else if (architecture != ModelArchitecture.Qwen2Vl && !options.IsSquare && !options.IsMistral)
        {
            writer.Add($"{architecture}.n_deepstack_layers", (uint)options.DeepstackLayerCount);
        }

        var vocabulary = VocabularyOf(options);
        var template =
            options.IsGemma3 ? Gemma3Template
            : options.IsSmolVlm ? SmolVlmTemplate
            : options.IsInternVl ? InternVlTemplate
            : isQwen35 ? SwitchableTemplate
            : options.IsThinking ? ThinkingTemplate
            : architecture == ModelArchitecture.Qwen2Vl ? DefaultSystemTemplate + ChatTemplate
            : ChatTemplate;
        if (options.IsSentencePiece)
        {
            AddPieces(writer, vocabulary, options);
        }
        else
        {
            var pre =
                isQwen35 ? "qwen35"
                : options.IsSmolVlm ? "smollm"
                : options.IsMistral ? "tekken"
                : "qwen2";
            var end =
                options.IsSmolVlm ? "<end_of_utterance>"
                : options.IsMistral ? "</s>"
                : "<|im_end|>";
            AddBytePairs(writer, vocabulary, pre, end);
        }

        if (!options.IsLlava && !options.IsMistral)
        {
            writer.Add("tokenizer.chat_template", template);
        }

        AddTextTensors(new TensorMaker(writer, options), options, vocabulary, headSize);
        return writer;
    }

    /// <summary>The text model's vocabulary.</summary>
    public static WordVocabulary VocabularyOf(RandomModelOptions options) =>
        options.IsGemma3
            ? WordVocabulary.SentencePiece(
                ["<pad>", "<eos>", "<bos>"],
                ["user", "model"],
                ["<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>"]
            )
        : options.IsLlava ? WordVocabulary.SentencePiece(["<s>", "</s>"], [], [])
        : new WordVocabulary(
            options.VocabularySize,
            options.IsInternVl ? ["<img>", "</img>", "<IMG_CONTEXT>"]
                : options.IsMistralSmall ? [.. MistralControls, "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"]
                : options.IsMistral ? MistralControls
                : options.IsSmolVlm ? ["<end_of_utterance>", "<fake_token_around_image>", "<global-img>", "<image>"]
                : []
        );

    /// <summary>The mmproj.</summary>
    public static GgufWriter BuildProjector(RandomModelOptions options)
    {
        var type = options.ProjectorType;
        GgufWriter writer = new();
        writer.Add("general.architecture", "clip");
        writer.Add("general.name", options.Name);
        writer.Add("general.description", "Random weights, untrained; for tests of software only");
        writer.Add("general.license", "apache-2.0");
        writer.Add("general.file_type", options.WeightType == TensorType.F16 ? 1u : 0u);
        writer.Add("clip.has_vision_encoder", true);
        writer.Add("clip.projector_type", type);
        writer.Add("clip.use_gelu", type == "qwen3vl_merger" || (options.IsSquare && !options.IsLlava));
        writer.Add("clip.use_silu", type == "qwen2.5vl_merger" || options.IsMistral);
        writer.Add("clip.vision.image_size", (uint)options.ImageSize);
        writer.Add("clip.vision.patch_size", (uint)options.PatchSize);
        if (options.IsInternVl)
        {
            writer.Add("clip.vision.projector.scale_factor", 2u);
            writer.Add("clip.vision.preproc_min_tiles", 1u);
            writer.Add("clip.vision.preproc_max_tiles", 12u);
        }
        else if (options.IsSmolVlm)
        {
            writer.Add("clip.vision.projector.scale_factor", (uint)options.MergeSize);
            writer.Add("clip.vision.preproc_image_size", 2 * (uint)options.ImageSize);
        }
        else if (!options.IsSquare)
        {
            writer.Add("clip.vision.spatial_merge_size", (uint)options.MergeSize);
        }

        writer.Add("clip.vision.embedding_length", (uint)options.VisionHiddenSize);
        writer.Add("clip.vision.feed_forward_length", (uint)options.VisionFeedForwardSize);
        writer.Add("clip.vision.block_count", (uint)options.VisionLayerCount);
        writer.Add("clip.vision.projection_dim", (uint)options.HiddenSize);
        writer.Add("clip.vision.attention.head_count", (uint)options.VisionHeadCount);
        writer.Add("clip.vision.attention.layer_norm_epsilon", 1e-6f);
        writer.Add("clip.vision.image_mean", (float[])[0.5f, 0.5f, 0.5f]);
        writer.Add("clip.vision.image_std", (float[])[0.5f, 0.5f, 0.5f]);
        if (type == "qwen2.5vl_merger")
        {
            writer.Add("clip.vision.n_wa_pattern", 2u);
        }

        AddVisionTensors(new TensorMaker(writer, options), options);
        return writer;
    }

    /// <summary>What a qwen35 has besides others: recurrent layers, and heads rotated by half.</summary>
    private static void AddHybridKeys(GgufWriter writer, RandomModelOptions options, int headSize)
    {
        var architecture = options.Architecture;
        writer.Add($"{architecture}.rope.dimension_count", (uint)headSize / 2);
        writer.Add($"{architecture}.full_attention_interval", (uint)options.AttentionInterval);
        writer.Add($"{architecture}.ssm.conv_kernel", 4u);
        writer.Add($"{architecture}.ssm.state_size", (uint)options.StateSize);
        writer.Add($"{architecture}.ssm.time_step_rank", (uint)options.StateHeadCount);
        writer.Add($"{architecture}.ssm.group_count", (uint)options.StateHeadCount / 2);
        writer.Add($"{architecture}.ssm.inner_size", (uint)(options.StateSize * options.StateHeadCount));
        if (options.HasExperts)
        {
            writer.Add($"{architecture}.expert_shared_feed_forward_length", (uint)options.FeedForwardSize);
        }

        if (options.DraftLayerCount > 0)
        {
            writer.Add($"{architecture}.nextn_predict_layers", (uint)options.DraftLayerCount);
        }
    }

    /// <summary>
    /// Half the head's size shared out between time, height and width (and nothing) in the proportions of the published
    /// models.
    /// </summary>
    private static int[] RotarySections(string architecture, int half)
    {
        var side = architecture == ModelArchitecture.Qwen2Vl ? half * 24 / 64 : half * 20 / 64;
        return [half - (2 * side), side, side, 0];
    }

    private static void AddPieces(GgufWriter writer, WordVocabulary vocabulary, RandomModelOptions options)
    {
        writer.Add("tokenizer.ggml.model", "llama");
        writer.Add("tokenizer.ggml.tokens", vocabulary.Tokens);
        writer.Add("tokenizer.ggml.token_type", vocabulary.Types);
        writer.Add("tokenizer.ggml.scores", vocabulary.Scores);
        writer.Add("tokenizer.ggml.unknown_token_id", (uint)vocabulary.IdOf("<unk>"));
        if (options.IsLlava)
        {
            writer.Add("tokenizer.ggml.bos_token_id", (uint)vocabulary.IdOf("<s>"));
            writer.Add("tokenizer.ggml.eos_token_id", (uint)vocabulary.IdOf("</s>"));
            return;
        }

        writer.Add("tokenizer.ggml.eos_token_id", (uint)vocabulary.IdOf("<eos>"));
        writer.Add("tokenizer.ggml.eot_token_id", (uint)vocabulary.IdOf("<end_of_turn>"));
        writer.Add("tokenizer.ggml.padding_token_id", (uint)vocabulary.IdOf("<pad>"));
        writer.Add("tokenizer.ggml.bos_token_id", (uint)vocabulary.IdOf("<bos>"));
        writer.Add("tokenizer.ggml.add_space_prefix", false);
    }

    private static void AddBytePairs(GgufWriter writer, WordVocabulary vocabulary, string pre, string end)
    {
        writer.Add("tokenizer.ggml.model", "gpt2");
        writer.Add("tokenizer.ggml.pre", pre);
        writer.Add("tokenizer.ggml.tokens", vocabulary.Tokens);
        writer.Add("tokenizer.ggml.token_type", vocabulary.Types);
        writer.Add("tokenizer.ggml.merges", vocabulary.Merges);
        writer.Add("tokenizer.ggml.eos_token_id", (uint)vocabulary.IdOf(end));
        writer.Add("tokenizer.ggml.padding_token_id", (uint)vocabulary.IdOf("<|endoftext|>"));
        writer.Add("tokenizer.ggml.bos_token_id", (uint)vocabulary.IdOf("<|endoftext|>"));
        writer.Add("tokenizer.ggml.add_bos_token", false);
    }

    private static void AddTextTensors(
        TensorMaker tensors,
        RandomModelOptions options,
        WordVocabulary vocabulary,
        int headSize
    )
    {
        const float FinalNorm = 2f;
        const float LogitDeviation = 1.75f;
        var hidden = options.HiddenSize;
        var querySize = headSize * options.HeadCount;
        var keySize = headSize * options.KeyValueHeadCount;

        // Rows of word parts and markers are short, so that their logits stay near 0 and whole words win.
        var wordDeviation = LogitDeviation / (FinalNorm * MathF.Sqrt(hidden));
        float DeviationOf(long id) => vocabulary.IsWord((int)id) ? wordDeviation : wordDeviation / 4;

        tensors.AddMatrix("token_embd.weight", hidden, vocabulary.Tokens.Count, DeviationOf);
        tensors.AddNorm("output_norm", hidden, FinalNorm);
        if (!options.IsTied)
        {
            tensors.AddMatrix("output.weight", hidden, vocabulary.Tokens.Count, DeviationOf);
        }

        for (var i = 0; i < options.LayerCount + options.DraftLayerCount; i++)
        {
            var layer = $"blk.{i}";
            tensors.AddNorm($"{layer}.attn_norm", hidden);

            // The first layer says little about the context, so that the (short) embedding of the token itself reaches
            // its feed-forward part: else all positions would look alike and the answer would repeat one word.
            var outputGain = i == 0 ? 0.1f : 1.5f;
            switch (options.Architecture)
            {
                case ModelArchitecture.Qwen2Vl or ModelArchitecture.Qwen2:
                    tensors.AddLinear($"{layer}.attn_q", hidden, querySize, 1.6f);
                    tensors.AddLinear($"{layer}.attn_k", hidden, keySize, 1.6f);
                    tensors.AddLinear($"{layer}.attn_v", hidden, keySize, 1);
                    tensors.AddLinear($"{layer}.attn_output", querySize, hidden, outputGain, hasBias: false);
                    tensors.AddNorm($"{layer}.ffn_norm", hidden);
                    break;
                case ModelArchitecture.Qwen35 or ModelArchitecture.Qwen35Moe:
                    if (i < options.LayerCount && (i + 1) % options.AttentionInterval != 0)
                    {
                        AddRecurrentLayer(tensors, options, layer, outputGain);
                    }
                    else
                    {
                        // Each query has a gate beside it, which lets half through on average.
                        AddAttention(tensors, layer, hidden, headSize, 2 * querySize, keySize);
                        tensors.AddLinear($"{layer}.attn_output", querySize, hidden, 3 * outputGain, hasBias: false);
                    }

                    tensors.AddNorm($"{layer}.post_attention_norm", hidden);
                    break;
                case ModelArchitecture.Gemma3:
                    // What the norms after attention and feed-forward part let through takes the gains' place.
                    AddAttention(tensors, layer, hidden, headSize, querySize, keySize);
                    tensors.AddLinear($"{layer}.attn_output", querySize, hidden, 1, hasBias: false);
                    tensors.AddNorm($"{layer}.post_attention_norm", hidden, outputGain);
                    tensors.AddNorm($"{layer}.ffn_norm", hidden);
                    tensors.AddNorm($"{layer}.post_ffw_norm", hidden, 1.5f);
                    break;
                case ModelArchitecture.Llama:
                    tensors.AddLinear($"{layer}.attn_q", hidden, querySize, 1.6f, hasBias: false);
                    tensors.AddLinear($"{layer}.attn_k", hidden, keySize, 1.6f, hasBias: false);
                    tensors.AddLinear($"{layer}.attn_v", hidden, keySize, 1, hasBias: false);
                    tensors.AddLinear($"{layer}.attn_output", querySize, hidden, outputGain, hasBias: false);
                    tensors.AddNorm($"{layer}.ffn_norm", hidden);
                    break;
                default:
                    AddAttention(tensors, layer, hidden, headSize, querySize, keySize);
                    tensors.AddLinear($"{layer}.attn_output", querySize, hidden, outputGain, hasBias: false);
                    tensors.AddNorm($"{layer}.ffn_norm", hidden);
                    break;
            }

            AddFeedForward(tensors, options, layer);
            if (i >= options.LayerCount)
            {
                tensors.AddLinear($"{layer}.nextn.eh_proj", 2 * hidden, hidden, 1, hasBias: false);
                tensors.AddNorm($"{layer}.nextn.enorm", hidden);
                tensors.AddNorm($"{layer}.nextn.hnorm", hidden);
            }
        }
    }

    /// <summary>Attention scores with a deviation of about 1.6 * 1.6: neither uniform nor all on one token.</summary>
    private static void AddAttention(
        TensorMaker tensors,
        string layer,
        int hidden,
        int headSize,
        int querySize,
        int keySize
    )
    {
        tensors.AddLinear($"{layer}.attn_q", hidden, querySize, 1, hasBias: false);
        tensors.AddLinear($"{layer}.attn_k", hidden, keySize, 1, hasBias: false);
        tensors.AddNorm($"{layer}.attn_q_norm", headSize, 1.6f);
        tensors.AddNorm($"{layer}.attn_k_norm", headSize, 1.6f);
        tensors.AddLinear($"{layer}.attn_v", hidden, keySize, 1, hasBias: false);
    }

    /// <summary>A gated delta net that forgets about half of its state per token.</summary>
    private static void AddRecurrentLayer(
        TensorMaker tensors,
        RandomModelOptions options,
        string layer,
        float outputGain
    )
    {
        var (hidden, heads) = (options.HiddenSize, options.StateHeadCount);
        var valueSize = options.StateSize * heads;
        tensors.AddLinear($"{layer}.attn_qkv", hidden, 2 * valueSize, 1, hasBias: false);
        tensors.AddLinear($"{layer}.attn_gate", hidden, valueSize, 1, hasBias: false);
        tensors.AddVector($"{layer}.ssm_conv1d.weight", 0.25f, 0.5f, 4, 2 * valueSize);
        tensors.AddVector($"{layer}.ssm_dt.bias", 0, 0.5f, heads);
        tensors.AddVector($"{layer}.ssm_a", -1, 0.3f, heads);
        tensors.AddLinear($"{layer}.ssm_beta", hidden, heads, 1, hasBias: false);
        tensors.AddLinear($"{layer}.ssm_alpha", hidden, heads, 1, hasBias: false);
        tensors.AddNorm($"{layer}.ssm_norm", options.StateSize);
        tensors.AddLinear($"{layer}.ssm_out", valueSize, hidden, outputGain, hasBias: false);
    }

    private static void AddFeedForward(TensorMaker tensors, RandomModelOptions options, string layer)
    {
        var (hidden, inner) = (options.HiddenSize, options.FeedForwardSize);
        if (!options.HasExperts)
        {
            tensors.AddLinear($"{layer}.ffn_gate", hidden, inner, 1, hasBias: false);
            tensors.AddLinear($"{layer}.ffn_up", hidden, inner, 1, hasBias: false);
            tensors.AddLinear($"{layer}.ffn_down", inner, hidden, 1.5f, hasBias: false);
            return;
        }

        tensors.AddLinear($"{layer}.ffn_gate_inp", hidden, options.ExpertCount, 1, hasBias: false);
        if (options.HasFusedExperts)
        {
            tensors.AddExperts($"{layer}.ffn_gate_up_exps", hidden, 2 * inner, options.ExpertCount, 1);
        }
        else
        {
            tensors.AddExperts($"{layer}.ffn_gate_exps", hidden, inner, options.ExpertCount, 1);
            tensors.AddExperts($"{layer}.ffn_up_exps", hidden, inner, options.ExpertCount, 1);
        }

        tensors.AddExperts($"{layer}.ffn_down_exps", inner, hidden, options.ExpertCount, 2);
        if (options.Architecture == ModelArchitecture.Qwen35Moe)
        {
            tensors.AddVector($"{layer}.ffn_gate_inp_shexp.weight", 0, 1 / MathF.Sqrt(hidden), hidden);
            tensors.AddLinear($"{layer}.ffn_gate_shexp", hidden, inner, 1, hasBias: false);
            tensors.AddLinear($"{layer}.ffn_up_shexp", hidden, inner, 1, hasBias: false);
            tensors.AddLinear($"{layer}.ffn_down_shexp", inner, hidden, 1.5f, hasBias: false);
        }
    }

    private static void AddVisionTensors(TensorMaker tensors, RandomModelOptions options)
    {
        var hidden = options.VisionHiddenSize;
        var cell = options.MergeSize * options.MergeSize * hidden;
        var patch = options.PatchSize;
        var isQwen3 = options.ProjectorType == "qwen3vl_merger";
        var isQwen25 = options.ProjectorType == "qwen2.5vl_merger";
        var hasBias = !options.IsMistral;
        tensors.AddKernel("v.patch_embd.weight", patch, hidden);
        if (!options.IsSquare && !options.IsMistral)
        {
            tensors.AddKernel("v.patch_embd.weight.1", patch, hidden);
        }

        if (isQwen3 || options.IsSquare)
        {
            var side = options.ImageSize / patch;
            if (!options.IsLlava)
            {
                tensors.AddVector("v.patch_embd.bias", 0, 0.1f, hidden);
            }

            var places = (side * side) + (options.IsInternVl || options.IsLlava ? 1 : 0);
            tensors.AddVector("v.position_embd.weight", 0, 0.5f, hidden, places);
        }

        if (options.IsInternVl || options.IsLlava)
        {
            tensors.AddVector("v.class_embd", 0, 0.5f, hidden);
        }

        if (options.IsLlava || options.IsMistral)
        {
            tensors.AddNorm("v.pre_ln", hidden, 1, hasBias: options.IsLlava);
        }

        for (var i = 0; i < options.VisionLayerCount; i++)
        {
            var layer = $"v.blk.{i}";
            tensors.AddNorm($"{layer}.ln1", hidden, 1, hasBias: !isQwen25 && hasBias);
            tensors.AddNorm($"{layer}.ln2", hidden, 1, hasBias: !isQwen25 && hasBias);
            if (isQwen3)
            {
                tensors.AddLinear($"{layer}.attn_qkv", hidden, 3 * hidden, 1.3f);
            }
            else
            {
                tensors.AddLinear($"{layer}.attn_q", hidden, hidden, 1.3f, hasBias);
                tensors.AddLinear($"{layer}.attn_k", hidden, hidden, 1.3f, hasBias);
                tensors.AddLinear($"{layer}.attn_v", hidden, hidden, 1.3f, hasBias);
            }

            tensors.AddLinear($"{layer}.attn_out", hidden, hidden, 1, hasBias);
            tensors.AddLinear($"{layer}.ffn_up", hidden, options.VisionFeedForwardSize, 1, hasBias);
            tensors.AddLinear($"{layer}.ffn_down", options.VisionFeedForwardSize, hidden, 1, hasBias);
            if (isQwen25 || options.IsMistral)
            {
                tensors.AddLinear($"{layer}.ffn_gate", hidden, options.VisionFeedForwardSize, 1, hasBias);
            }

            if (options.IsInternVl)
            {
                tensors.AddVector($"{layer}.ls1.weight", 0.7f, 0.1f, hidden);
                tensors.AddVector($"{layer}.ls2.weight", 0.7f, 0.1f, hidden);
            }
        }

        if (options.IsInternVl)
        {
            tensors.AddNorm("mm.model.mlp.0", cell, 1, hasBias: true);
            tensors.AddLinear("mm.model.mlp.1", cell, options.HiddenSize, 1);
            tensors.AddLinear("mm.model.mlp.3", options.HiddenSize, options.HiddenSize, 1.5f);
            return;
        }

        if (options.IsMistral)
        {
            if (options.IsMistralSmall)
            {
                tensors.AddNorm("mm.input_norm", hidden);
                tensors.AddLinear("mm.patch_merger", cell, hidden, 1, hasBias: false);
            }

            tensors.AddLinear("mm.1", hidden, options.HiddenSize, 1, hasBias: !options.IsMistralSmall);
            tensors.AddLinear("mm.2", options.HiddenSize, options.HiddenSize, 1.5f, hasBias: !options.IsMistralSmall);
            tensors.AddVector("v.token_embd.img_break", 0, 1, options.HiddenSize);
            return;
        }

        if (options.IsLlava)
        {
            tensors.AddLinear("mm.0", hidden, options.HiddenSize, 1);
            tensors.AddLinear("mm.2", options.HiddenSize, options.HiddenSize, 1.5f);
            return;
        }

        tensors.AddNorm("v.post_ln", hidden, 1, hasBias: !isQwen25);
        if (options.IsGemma3)
        {
            tensors.AddNorm("mm.soft_emb_norm", hidden);
            tensors.AddVector("mm.input_projection.weight", 0, 1 / MathF.Sqrt(hidden), options.HiddenSize, hidden);
            return;
        }

        if (options.IsSmolVlm)
        {
            tensors.AddLinear("mm.model.fc", cell, options.HiddenSize, 1, hasBias: false);
            return;
        }

        tensors.AddLinear("mm.0", cell, cell, 1);
        tensors.AddLinear("mm.2", cell, options.HiddenSize, 1);
        for (var i = 0; i < options.DeepstackLayerCount; i++)
        {
            tensors.AddNorm($"v.deepstack.{i}.norm", cell, 1, hasBias: true);
            tensors.AddLinear($"v.deepstack.{i}.fc1", cell, cell, 1);
            tensors.AddLinear($"v.deepstack.{i}.fc2", cell, options.HiddenSize, 0.7f);
        }
    }

    /// <summary>Adds random tensors, each with a stream of random numbers of its own.</summary>
    private sealed class TensorMaker(GgufWriter writer, RandomModelOptions options)
    {
        /// <summary>A matrix whose product with inputs of size 1 has size <paramref name="gain"/>.</summary>
        public void AddLinear(string name, int inputSize, int outputSize, float gain, bool hasBias = true)
        {
            AddMatrix($"{name}.weight", inputSize, outputSize, _ => gain / MathF.Sqrt(inputSize));
            if (hasBias)
            {
                AddVector($"{name}.bias", 0, 0.05f, outputSize);
            }
        }

        public void AddMatrix(string name, int columnCount, int rowCount, Func<long, float> deviationOfRow) =>
            Add(name, options.WeightType, [columnCount, rowCount], 0, deviationOfRow);

        /// <summary>A matrix like <see cref="AddLinear"/>'s for each expert.</summary>
        public void AddExperts(string name, int inputSize, int outputSize, int count, float gain) =>
            Add(
                $"{name}.weight",
                options.WeightType,
                [inputSize, outputSize, count],
                0,
                _ => gain / MathF.Sqrt(inputSize)
            );

        public void AddNorm(string name, int size, float gain = 1, bool hasBias = false)
        {
            AddVector($"{name}.weight", gain, 0.1f * gain, size);
            if (hasBias)
            {
                AddVector($"{name}.bias", 0, 0.05f, size);
            }
        }

        public void AddKernel(string name, int patch, int hidden) =>
            Add(name, options.WeightType, [patch, patch, 3, hidden], 0, _ => 1 / MathF.Sqrt(3 * patch * patch));

        public void AddVector(string name, float mean, float deviation, params long[] shape) =>
            Add(name, TensorType.F32, shape, mean, _ => deviation);

        private void Add(string name, TensorType type, long[] shape, float mean, Func<long, float> deviationOfRow)
        {
            var rowCount = shape[1..].Aggregate(1L, (product, size) => product * size);
            writer.AddTensor(
                name,
                type,
                shape,
                new RandomWeights(options.Seed, name).Fill(type, rowCount, shape[0], mean, deviationOfRow)
            );
        }
    }
}
