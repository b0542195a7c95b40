namespace Tamx.Llama.Gguf;

public static partial class Preflight
{
    private const string ArchitectureKey = "general.architecture";
    private const string TokensKey = "tokenizer.ggml.tokens";
    private const string MergesKey = "tokenizer.ggml.merges";
    private const string TokenTypesKey = "tokenizer.ggml.token_type";
    private const string ScoresKey = "tokenizer.ggml.scores";
    private const string PreTokenizerKey = "tokenizer.ggml.pre";

    /// <summary>
    /// llama.cpp's names for Qwen's pre-tokenizer, which it has as code. Most others it has as regular expressions, and
    /// their matching recurses: a long run of digits or spaces in a prompt throws, or overflows the stack.
    /// </summary>
    private static readonly string[] PreTokenizers = ["qwen2", "deepseek-r1-qwen", "megrez"];

    // token_type by llama.cpp's numbers. 6 is a byte, which Qwen's vocabulary has none of: it uses the byte-to-unicode
    // table.
    private const int ControlToken = 3;
    private const int UserDefinedToken = 4;
    private const int LastTokenType = 5;

    /// <summary>Matrices of a layer. Each may have scales beside it, as in NVFP4 files.</summary>
    private static readonly string[] LayerMatrices =
    [
        "attn_q",
        "attn_k",
        "attn_v",
        "attn_output",
        "ffn_gate",
        "ffn_up",
        "ffn_down",
    ];

    /// <summary>Markers that make up prompts, and by which sequences are read.</summary>
    private static readonly string[] Markers =
    [
        "<|im_start|>",
        "<|im_end|>",
        "<|vision_start|>",
        "<|vision_end|>",
        "<|image_pad|>",
        "<|video_pad|>",
    ];

    /// <summary>Tokens that end an answer if the vocabulary has them.</summary>
    private static readonly string[] EndTokens =
    [
        "<|im_end|>",
        "<|endoftext|>",
        "<|fim_pad|>",
        "<|repo_name|>",
        "<|file_sep|>",
    ];

    /// <summary>Keys of a token that ends a text, a turn or a message.</summary>
    private static readonly string[] EndTokenKeys =
    [
        "tokenizer.ggml.eos_token_id",
        "tokenizer.ggml.eot_token_id",
        "tokenizer.ggml.eom_token_id",
    ];

    /// <summary>general.file_type: llama.cpp's number of the mix of types in a file.</summary>
    private static readonly Dictionary<long, string> FileTypes = new()
    {
        [0] = "F32",
        [1] = "F16",
        [2] = "Q4_0",
        [3] = "Q4_1",
        [7] = "Q8_0",
        [8] = "Q5_0",
        [9] = "Q5_1",
        [10] = "Q2_K",
        [11] = "Q3_K_S",
        [12] = "Q3_K_M",
        [13] = "Q3_K_L",
        [14] = "Q4_K_S",
        [15] = "Q4_K_M",
        [16] = "Q5_K_S",
        [17] = "Q5_K_M",
        [18] = "Q6_K",
        [19] = "IQ2_XXS",
        [20] = "IQ2_XS",
        [21] = "Q2_K_S",
        [22] = "IQ3_XS",
        [23] = "IQ3_XXS",
        [24] = "IQ1_S",
        [25] = "IQ4_NL",
        [26] = "IQ3_S",
        [27] = "IQ3_M",
        [28] = "IQ2_S",
        [29] = "IQ2_M",
        [30] = "IQ4_XS",
        [31] = "IQ1_M",
        [32] = "BF16",
        [36] = "TQ1_0",
        [37] = "TQ2_0",
        [38] = "MXFP4",
        [39] = "NVFP4",
        [40] = "Q1_0",
        [41] = "Q2_0",
    };

    /// <summary>Checks a text model.</summary>
    /// <param name="model">The opened file or files.</param>
    /// <returns>What the files say about the model.</returns>
    /// <exception cref="ModelFormatException">
    /// llama.cpp would refuse the model, crash on it, or compute something that it was not trained for.
    /// </exception>
    public static ModelFacts CheckModel(GgufModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var metadata = model.Metadata;
        var architecture = metadata.GetString(ArchitectureKey);
        if (architecture == ModelArchitecture.Clip)
        {
            FormattableString wayOut = $"the text model is needed here, and this file as {Settings.ProjectorPath}";
            throw ModelFormatException.Naming(model.Path, $"is an mmproj (vision part); {wayOut}");
        }

        if (architecture is not (ModelArchitecture.Qwen3Vl or ModelArchitecture.Qwen2Vl))
        {
            throw model.Error(
                $"architecture {OutsideText.Quoted(architecture)} is not supported; "
                    + $"{ModelArchitecture.Qwen3Vl} (Qwen3-VL) and {ModelArchitecture.Qwen2Vl} (Qwen2-VL, Qwen2.5-VL) are"
            );
        }

        CheckKeyTypes(model, ModelKeys, architecture);
        var hiddenSize = Integer(model, $"{architecture}.embedding_length", 1, 65536);
        var layerCount = Integer(model, $"{architecture}.block_count", 1, 512);
        var feedForwardSize = Integer(model, $"{architecture}.feed_forward_length", 1, 1 << 20);
        var headCount = Integer(model, $"{architecture}.attention.head_count", 1, 4096);
        var keyValueHeadCount = Integer(model, $"{architecture}.attention.head_count_kv", 1, headCount);
        var contextLength = Integer(model, $"{architecture}.context_length", 1, 1 << 30);
        var headSize = CheckHeads(model, architecture, hiddenSize, headCount, keyValueHeadCount);
        var deepstackLayerCount = CheckRest(model, architecture, hiddenSize, layerCount);
        CheckRotaryScaling(model, architecture);
        CheckName(model);
        var vocabularySize = CheckVocabulary(model);
        CheckTokenRoles(model, vocabularySize);
        if (metadata.FindInteger($"{architecture}.vocab_size") is { } statedSize && statedSize != vocabularySize)
        {
            throw Wrong(
                model,
                $"{architecture}.vocab_size",
                statedSize,
                $"absent or the number of tokens, {vocabularySize}"
            );
        }

        var outputEmbedding = CheckTensors(
            model,
            architecture,
            hiddenSize,
            layerCount,
            feedForwardSize,
            headSize * headCount,
            headSize * keyValueHeadCount,
            headSize,
            vocabularySize
        );

        return new ModelFacts
        {
            Path = model.Path,
            Architecture = architecture,
            Name = metadata.FindString("general.name"),
            Description = metadata.FindString("general.description"),
            Quantization = QuantizationOf(model),
            HiddenSize = hiddenSize,
            FeedForwardSize = feedForwardSize,
            LayerCount = layerCount,
            HeadCount = headCount,
            KeyValueHeadCount = keyValueHeadCount,
            HeadSize = headSize,
            ContextLength = contextLength,
            VocabularySize = vocabularySize,
            EndTokenIds = FindEndTokens(metadata),
            UserDefinedTokens = FindUserDefinedTokens(metadata),
            DeepstackLayerCount = deepstackLayerCount,
            OutputEmbedding = outputEmbedding,
            IsTied = outputEmbedding.Name == "token_embd.weight",
            InputEmbedding = model.FindTensor("token_embd.weight")!,
            OutputNorm = model.FindTensor("output_norm.weight")!,
            NormEpsilon = metadata.GetFloat($"{architecture}.attention.layer_norm_rms_epsilon"),
            AttentionOutputs =
            [
                .. Enumerable
                    .Range(0, layerCount)
                    .Select(layer => model.FindTensor($"blk.{layer}.attn_output.weight")!),
            ],
            AttentionOutputScales =
            [
                .. Enumerable.Range(0, layerCount).Select(layer => model.FindTensor($"blk.{layer}.attn_output.scale")),
            ],
            ParameterCount = model.Tensors.Sum(tensor => tensor.ElementCount),
            ChatTemplate = metadata.FindString("tokenizer.chat_template"),
            ByteCount = model.ByteCount,
        };
    }

    /// <returns>The size of a head.</returns>
    private static int CheckHeads(
        GgufModel model,
        string architecture,
        int hiddenSize,
        int headCount,
        int keyValueHeadCount
    )
    {
        var headKey = $"{architecture}.attention.head_count";
        if (headCount % keyValueHeadCount != 0)
        {
            throw Wrong(model, $"{headKey}_kv", keyValueHeadCount, $"a divisor of the {headCount} heads");
        }

        var keyLengthKey = $"{architecture}.attention.key_length";
        if (
            (architecture == ModelArchitecture.Qwen2Vl || !model.Metadata.Contains(keyLengthKey))
            && hiddenSize % headCount != 0
        )
        {
            throw Wrong(model, headKey, headCount, $"a divisor of the hidden size {hiddenSize}");
        }

        var headSize = hiddenSize / headCount;
        if (model.Metadata.Contains(keyLengthKey))
        {
            // qwen2vl's matrices leave no room for another head size; qwen3vl's do.
            var (least, most) = architecture == ModelArchitecture.Qwen2Vl ? (headSize, headSize) : (1, 8192);
            headSize = Integer(model, keyLengthKey, least, most);
        }

        if (headSize < 2 || headSize % 2 != 0)
        {
            throw model.Error($"the size of a head is {headSize}; rotary positions need an even size");
        }

        var valueLengthKey = $"{architecture}.attention.value_length";
        if (
            (model.Metadata.FindInteger(valueLengthKey) ?? hiddenSize / headCount) is var valueLength
            && valueLength != headSize
        )
        {
            throw Wrong(model, valueLengthKey, valueLength, $"the head size {headSize}");
        }

        // The last three are for layers with a sliding window, which Qwen-VL has none of.
        string[] names =
        [
            "rope.dimension_count",
            "rope.dimension_count_swa",
            "attention.key_length_swa",
            "attention.value_length_swa",
        ];
        foreach (var name in names)
        {
            if (model.Metadata.FindInteger($"{architecture}.{name}") is { } size && size != headSize)
            {
                throw Wrong(model, $"{architecture}.{name}", size, $"absent or the head size {headSize}");
            }
        }

        var sectionsKey = $"{architecture}.rope.dimension_sections";
        var sections =
            model.Metadata.FindIntegers(sectionsKey) ?? throw model.Metadata.Missing(sectionsKey, "4 integers");
        if (
            model.Metadata.ElementTypeOf(sectionsKey) is not (GgufValueType.I32 or GgufValueType.U32)
            || sections.Length != 4
            || sections.Any(section => section < 0 || section > headSize)
            || sections.Sum() != headSize / 2
            || sections.Take(3).All(section => section == 0)
        )
        {
            throw Wrong(
                model,
                sectionsKey,
                $"[{string.Join(", ", sections.Take(8))}]",
                $"4 32-bit integers that sum to half the head size, {headSize / 2}, the first three not all 0"
            );
        }

        return headSize;
    }

    /// <returns>The number of deepstack layers.</returns>
    private static int CheckRest(GgufModel model, string architecture, int hiddenSize, int layerCount)
    {
        var metadata = model.Metadata;
        var epsilonKey = $"{architecture}.attention.layer_norm_rms_epsilon";
        Finite(model, epsilonKey, metadata.GetFloat(epsilonKey), 0);
        var baseKey = $"{architecture}.rope.freq_base";
        Finite(model, baseKey, metadata.FindFloat(baseKey) ?? 10000, 1);

        // llama.cpp takes these from any model, and then computes something else or asserts. Qwen-VL has none of them.
        string[] keys =
        [
            "expert_count",
            "expert_used_count",
            "expert_group_count",
            "expert_group_used_count",
            "nextn_predict_layers",
        ];
        foreach (var key in keys)
        {
            Zero(model, $"{architecture}.{key}");
        }

        if (metadata.FindInteger($"{architecture}.embedding_length_out") is { } outputSize && outputSize != hiddenSize)
        {
            throw Wrong(model, $"{architecture}.embedding_length_out", outputSize, $"absent or {hiddenSize}");
        }

        if (metadata.FindBool($"{architecture}.attention.causal") == false)
        {
            throw Wrong(model, $"{architecture}.attention.causal", "false", "absent or true");
        }

        OptionalInteger(model, $"{architecture}.pooling_type", 0, 4);
        var deepstackKey = $"{architecture}.n_deepstack_layers";
        if (architecture != ModelArchitecture.Qwen3Vl || !metadata.Contains(deepstackKey))
        {
            return 0;
        }

        return Integer(model, deepstackKey, 0, layerCount);
    }

    private static void CheckRotaryScaling(GgufModel model, string architecture)
    {
        var metadata = model.Metadata;
        var typeKey = $"{architecture}.rope.scaling.type";
        if (metadata.FindString(typeKey) is { } type && type is not ("none" or "linear" or "yarn" or "longrope"))
        {
            throw Wrong(model, typeKey, OutsideText.Quoted(type), "none, linear, yarn or longrope");
        }

        OptionalInteger(model, $"{architecture}.rope.scaling.original_context_length", 1, 1 << 30);
        foreach (
            var name in (string[])
                [
                    "rope.scale_linear",
                    "rope.scaling.factor",
                    "rope.scaling.attn_factor",
                    "rope.scaling.alpha",
                    "rope.scaling.yarn_ext_factor",
                    "rope.scaling.yarn_attn_factor",
                    "rope.scaling.yarn_beta_fast",
                    "rope.scaling.yarn_beta_slow",
                    "rope.scaling.yarn_log_multiplier",
                ]
        )
        {
            // -1 stands for "as the type says" in some of these.
            if (metadata.FindFloat($"{architecture}.{name}") is { } value)
            {
                Finite(model, $"{architecture}.{name}", value, -1);
            }
        }
    }

    /// <summary>
    /// llama.cpp takes a model of such a name for Phi-3, and throws if it lacks a token that Phi-3 has.
    /// </summary>
    private static void CheckName(GgufModel model)
    {
        const string Key = "general.name";
        if (
            model.Metadata.FindString(Key) is { } name
            && (
                name.Contains("phi-3", StringComparison.OrdinalIgnoreCase)
                || name.Contains("phi3", StringComparison.OrdinalIgnoreCase)
            )
        )
        {
            throw Wrong(model, Key, OutsideText.Quoted(name), "another name: llama.cpp takes the model for Phi-3");
        }
    }

    /// <returns>The size of the vocabulary.</returns>
    private static int CheckVocabulary(GgufModel model)
    {
        var metadata = model.Metadata;
        const string ModelKey = "tokenizer.ggml.model";
        if (metadata.GetString(ModelKey) is var kind && kind != "gpt2")
        {
            throw Wrong(model, ModelKey, OutsideText.Quoted(kind), "'gpt2', as Qwen's tokenizer is called");
        }

        var preTokenizers = string.Join(", ", PreTokenizers);
        var pre =
            metadata.FindString(PreTokenizerKey) ?? throw metadata.Missing(PreTokenizerKey, $"one of {preTokenizers}");
        if (!PreTokenizers.Contains(pre))
        {
            throw Wrong(
                model,
                PreTokenizerKey,
                OutsideText.Quoted(pre),
                $"one of {preTokenizers}, as Qwen's way to cut text is called"
            );
        }

        var tokens = metadata.FindStrings(TokensKey) ?? throw metadata.Missing(TokensKey, "the vocabulary");
        CheckMerges(model);

        // llama.cpp cuts each token at a zero byte, names the empty ones, and then asserts that none occurs twice.
        var distinct = new HashSet<string>(tokens.Length, StringComparer.Ordinal);
        for (var id = 0; id < tokens.Length; id++)
        {
            var end = tokens[id].IndexOf('\0', StringComparison.Ordinal);
            var seen = end < 0 ? tokens[id] : tokens[id][..end];
            if (!distinct.Add(seen.Length == 0 ? $"[EMPTY_{id}]" : seen))
            {
                throw model.Error($"key {TokensKey} holds token {id}, {OutsideText.Quoted(tokens[id])}, twice");
            }
        }

        foreach (var marker in Markers)
        {
            if (!distinct.Contains(marker))
            {
                throw model.Error(
                    $"key {TokensKey} lacks the marker {marker}; the vocabulary of a Qwen-VL model is needed"
                );
            }
        }

        CheckTokenTypes(model, tokens);
        if (metadata.Contains(ScoresKey) && metadata.CountOf(ScoresKey) < tokens.Length)
        {
            var found = $"{metadata.CountOf(ScoresKey)} x {GgufValueType.F32}";
            throw Wrong(model, ScoresKey, found, $"absent or {tokens.Length} x {GgufValueType.F32}");
        }

        return tokens.Length;
    }

    /// <summary>Merges are looked up by their two parts, so any that can be read are harmless.</summary>
    private static void CheckMerges(GgufModel model)
    {
        if (model.Metadata.FindStrings(MergesKey) is null)
        {
            throw model.Metadata.Missing(MergesKey, "the tokenizer's merges");
        }
    }

    private static void CheckTokenTypes(GgufModel model, string[] tokens)
    {
        // Without types every token is text, even the markers of pictures and turns.
        var types =
            model.Metadata.FindIntegers(TokenTypesKey)
            ?? throw model.Metadata.Missing(TokenTypesKey, $"{tokens.Length} x {GgufValueType.I32}");
        if (types.Length < tokens.Length)
        {
            throw Wrong(
                model,
                TokenTypesKey,
                $"{types.Length} x {GgufValueType.I32}",
                $"{tokens.Length} x {GgufValueType.I32}"
            );
        }

        for (var id = 0; id < tokens.Length; id++)
        {
            if (types[id] is < 1 or > LastTokenType)
            {
                throw Wrong(
                    model,
                    TokenTypesKey,
                    $"{types[id]} for token {id}, {OutsideText.Quoted(tokens[id])}",
                    $"1 to {LastTokenType}"
                );
            }

            if (types[id] is not (ControlToken or UserDefinedToken) && Markers.Contains(tokens[id]))
            {
                var found = $"{types[id]} for the marker {tokens[id]}";
                throw Wrong(
                    model,
                    TokenTypesKey,
                    found,
                    $"{ControlToken} (control), or else the marker is read as text"
                );
            }
        }
    }

    /// <summary>Ids of tokens with a role, and whether they are added to texts.</summary>
    private static void CheckTokenRoles(GgufModel model, int vocabularySize)
    {
        var metadata = model.Metadata;
        foreach (var key in TokenIdKeys)
        {
            OptionalInteger(model, key, 0, vocabularySize - 1);
        }

        foreach (var (role, name) in ((string, string)[])[("bos", "bos"), ("eos", "eos"), ("sep", "seperator")])
        {
            var key = $"tokenizer.ggml.add_{role}_token";
            var idKey = $"tokenizer.ggml.{name}_token_id";
            if (metadata.FindBool(key) == true && !metadata.Contains(idKey))
            {
                throw Wrong(model, key, "true", $"false where {idKey} is missing");
            }
        }

        const string SuppressKey = "tokenizer.ggml.suppress_tokens";
        long[] strange = [.. (metadata.FindIntegers(SuppressKey) ?? []).Where(id => id < 0 || id >= vocabularySize)];
        if (strange.Length > 0)
        {
            throw Wrong(model, SuppressKey, $"a list with {strange[0]}", $"ids of tokens, 0 to {vocabularySize - 1}");
        }
    }

    /// <summary>
    /// Ids of the tokens that end an answer: those with a known name, and those that the file's keys name. Where a file
    /// names none, llama.cpp takes token 11, the comma in Qwen's vocabulary. A converter may have written such a guess
    /// down, so a named token that is text does not count.
    /// </summary>
    private static int[] FindEndTokens(GgufMetadata metadata)
    {
        var tokens = metadata.FindStrings(TokensKey)!;
        var types = metadata.FindIntegers(TokenTypesKey)!;
        var named = EndTokenKeys
            .Select(metadata.FindInteger)
            .OfType<long>()
            .Select(id => (int)id)
            .Where(id => types[id] is ControlToken or UserDefinedToken);
        return [.. EndTokens.Select(token => Array.IndexOf(tokens, token)).Where(id => id >= 0).Union(named).Order()];
    }

    private static string[] FindUserDefinedTokens(GgufMetadata metadata)
    {
        var types = metadata.FindIntegers(TokenTypesKey)!;
        return [.. metadata.FindStrings(TokensKey)!.Where((_, id) => types[id] == UserDefinedToken)];
    }

    /// <returns>The output embedding.</returns>
    private static GgufTensor CheckTensors(
        GgufModel model,
        string architecture,
        int hiddenSize,
        int layerCount,
        int feedForwardSize,
        int querySize,
        int keySize,
        int headSize,
        int vocabularySize
    )
    {
        var tensors = new TensorChecklist(model, architecture);
        var inputEmbedding = tensors.Matrix("token_embd.weight", hiddenSize, vocabularySize);
        tensors.Plain("output_norm.weight", hiddenSize);
        for (var i = 0; i < layerCount; i++)
        {
            var layer = $"blk.{i}";
            tensors.Plain($"{layer}.attn_norm.weight", hiddenSize);
            tensors.Matrix($"{layer}.attn_q.weight", hiddenSize, querySize);
            tensors.Matrix($"{layer}.attn_k.weight", hiddenSize, keySize);
            tensors.Matrix($"{layer}.attn_v.weight", hiddenSize, keySize);
            tensors.Matrix($"{layer}.attn_output.weight", querySize, hiddenSize);
            if (architecture == ModelArchitecture.Qwen3Vl)
            {
                tensors.Plain($"{layer}.attn_q_norm.weight", headSize);
                tensors.Plain($"{layer}.attn_k_norm.weight", headSize);
                tensors.OptionalPlain($"{layer}.attn_q.bias", querySize);
                tensors.OptionalPlain($"{layer}.attn_k.bias", keySize);
                tensors.OptionalPlain($"{layer}.attn_v.bias", keySize);
            }
            else
            {
                tensors.Plain($"{layer}.attn_q.bias", querySize);
                tensors.Plain($"{layer}.attn_k.bias", keySize);
                tensors.Plain($"{layer}.attn_v.bias", keySize);
            }

            tensors.Plain($"{layer}.ffn_norm.weight", hiddenSize);
            tensors.Matrix($"{layer}.ffn_gate.weight", hiddenSize, feedForwardSize);
            tensors.Matrix($"{layer}.ffn_up.weight", hiddenSize, feedForwardSize);
            tensors.Matrix($"{layer}.ffn_down.weight", feedForwardSize, hiddenSize);
            foreach (var matrix in LayerMatrices)
            {
                tensors.OptionalPlain($"{layer}.{matrix}.scale", 1);
                tensors.OptionalPlain($"{layer}.{matrix}.input_scale", 1);
            }
        }

        if (architecture == ModelArchitecture.Qwen3Vl)
        {
            // Rerankers have it. llama.cpp loads it, but computes with it only if asked for ranks.
            var labelCount = model.Metadata.CountOf($"{architecture}.classifier.output_labels");
            tensors.OptionalMatrix("cls.output.weight", hiddenSize, Math.Max(1, labelCount));
        }

        var outputEmbedding = tensors.OptionalMatrix("output.weight", hiddenSize, vocabularySize) ?? inputEmbedding;
        tensors.RefuseOthers("loads no file with a tensor that it does not know");
        return outputEmbedding;
    }

    private static string QuantizationOf(GgufModel model)
    {
        if (
            model.Metadata.FindInteger("general.file_type") is { } number
            && FileTypes.TryGetValue(number, out var label)
        )
        {
            return label;
        }

        return model
            .Tensors.GroupBy(tensor => tensor.Type)
            .MaxBy(group => group.Sum(tensor => tensor.ElementCount))!
            .Key.Name;
    }
}
