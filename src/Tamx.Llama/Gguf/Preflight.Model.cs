namespace Tamx.Llama.Gguf;

public static partial class Preflight
{
    private const string ArchitectureKey = "general.architecture";
    private const string TokensKey = "tokenizer.ggml.tokens";
    private const string MergesKey = "tokenizer.ggml.merges";
    private const string TokenTypesKey = "tokenizer.ggml.token_type";

    /// <summary>Markers that prompts are built from and sequences are read by.</summary>
    private static readonly string[] Markers =
        ["<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"];

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
    /// <exception cref="ModelFormatException">llama.cpp would refuse the model, crash on it, or compute something else than it was trained for.</exception>
    public static ModelFacts CheckModel(GgufModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        GgufMetadata metadata = model.Metadata;
        string architecture = metadata.GetString(ArchitectureKey);
        if (architecture == ModelArchitecture.Clip)
        {
            throw new ModelFormatException(model.Path, "is an mmproj (vision part); the text model is needed here, and this file as --mmproj");
        }

        if (architecture is not (ModelArchitecture.Qwen3Vl or ModelArchitecture.Qwen2Vl))
        {
            throw new ModelFormatException(
                model.Path,
                $"architecture {GgufFile.Quoted(architecture)} is not supported; "
                + $"{ModelArchitecture.Qwen3Vl} (Qwen3-VL) and {ModelArchitecture.Qwen2Vl} (Qwen2-VL, Qwen2.5-VL) are");
        }

        int hiddenSize = Integer(model, $"{architecture}.embedding_length", 1, 65536);
        int layerCount = Integer(model, $"{architecture}.block_count", 1, 512);
        int feedForwardSize = Integer(model, $"{architecture}.feed_forward_length", 1, 1 << 20);
        int headCount = Integer(model, $"{architecture}.attention.head_count", 1, 4096);
        int keyValueHeadCount = Integer(model, $"{architecture}.attention.head_count_kv", 1, headCount);
        int contextLength = Integer(model, $"{architecture}.context_length", 1, 1 << 30);
        int headSize = CheckHeads(model, architecture, hiddenSize, headCount, keyValueHeadCount);
        int deepstackLayerCount = CheckRest(model, architecture, hiddenSize, layerCount);
        int vocabularySize = CheckVocabulary(model);
        GgufTensor outputEmbedding = CheckTensors(
            model, architecture, hiddenSize, layerCount, feedForwardSize, headSize * headCount, headSize * keyValueHeadCount, headSize, vocabularySize);

        return new ModelFacts
        {
            Path = model.Path,
            Architecture = architecture,
            Name = metadata.FindString("general.name"),
            Quantization = QuantizationOf(model),
            HiddenSize = hiddenSize,
            FeedForwardSize = feedForwardSize,
            LayerCount = layerCount,
            HeadCount = headCount,
            KeyValueHeadCount = keyValueHeadCount,
            HeadSize = headSize,
            ContextLength = contextLength,
            VocabularySize = vocabularySize,
            DeepstackLayerCount = deepstackLayerCount,
            OutputEmbedding = outputEmbedding,
            IsTied = outputEmbedding.Name == "token_embd.weight",
            ParameterCount = model.Tensors.Sum(tensor => tensor.ElementCount),
            ChatTemplate = metadata.FindString("tokenizer.chat_template"),
            ByteCount = model.ByteCount,
        };
    }

    /// <returns>The size of a head.</returns>
    private static int CheckHeads(GgufModel model, string architecture, int hiddenSize, int headCount, int keyValueHeadCount)
    {
        string headKey = $"{architecture}.attention.head_count";
        if (headCount % keyValueHeadCount != 0)
        {
            throw Wrong(model, $"{headKey}_kv", keyValueHeadCount, $"a divisor of the {headCount} heads");
        }

        string keyLengthKey = $"{architecture}.attention.key_length";
        if ((architecture == ModelArchitecture.Qwen2Vl || !model.Metadata.Contains(keyLengthKey)) && hiddenSize % headCount != 0)
        {
            throw Wrong(model, headKey, headCount, $"a divisor of the hidden size {hiddenSize}");
        }

        int headSize = hiddenSize / headCount;
        if (model.Metadata.Contains(keyLengthKey))
        {
            // qwen2vl's matrices leave no room for another head size; qwen3vl's do.
            (int least, int most) = architecture == ModelArchitecture.Qwen2Vl ? (headSize, headSize) : (1, 8192);
            headSize = Integer(model, keyLengthKey, least, most);
        }

        if (headSize < 2 || headSize % 2 != 0)
        {
            throw new ModelFormatException(model.Path, $"the size of a head is {headSize}; rotary positions need an even size");
        }

        string valueLengthKey = $"{architecture}.attention.value_length";
        if ((model.Metadata.FindInteger(valueLengthKey) ?? hiddenSize / headCount) is var valueLength && valueLength != headSize)
        {
            throw Wrong(model, valueLengthKey, valueLength, $"the head size {headSize}");
        }

        string rotaryKey = $"{architecture}.rope.dimension_count";
        if (model.Metadata.FindInteger(rotaryKey) is { } rotarySize && rotarySize != headSize)
        {
            throw Wrong(model, rotaryKey, rotarySize, $"absent or the head size {headSize}");
        }

        string sectionsKey = $"{architecture}.rope.dimension_sections";
        long[] sections = model.Metadata.FindIntegers(sectionsKey) ?? throw model.Metadata.Missing(sectionsKey, "4 integers");
        if (model.Metadata.ElementTypeOf(sectionsKey) is not (GgufValueType.I32 or GgufValueType.U32) || sections.Length != 4
            || sections.Any(section => section < 0 || section > headSize) || sections.Sum() != headSize / 2)
        {
            throw Wrong(model, sectionsKey, $"[{string.Join(", ", sections.Take(8))}]", $"4 32-bit integers that sum to half the head size, {headSize / 2}");
        }

        return headSize;
    }

    /// <returns>The number of deepstack layers.</returns>
    private static int CheckRest(GgufModel model, string architecture, int hiddenSize, int layerCount)
    {
        GgufMetadata metadata = model.Metadata;
        string epsilonKey = $"{architecture}.attention.layer_norm_rms_epsilon";
        Finite(model, epsilonKey, metadata.GetFloat(epsilonKey), 0);
        string baseKey = $"{architecture}.rope.freq_base";
        Finite(model, baseKey, metadata.FindFloat(baseKey) ?? 10000, 1);

        // llama.cpp takes these from any model and then computes something else, or asserts; Qwen-VL has none of them.
        foreach (string key in (string[])["expert_count", "expert_used_count", "expert_group_count", "expert_group_used_count", "nextn_predict_layers"])
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

        string scalingKey = $"{architecture}.rope.scaling.type";
        if (metadata.FindString(scalingKey) is { } scaling && scaling is not ("none" or "linear" or "yarn" or "longrope"))
        {
            throw Wrong(model, scalingKey, GgufFile.Quoted(scaling), "none, linear, yarn or longrope");
        }

        string deepstackKey = $"{architecture}.n_deepstack_layers";
        if (architecture != ModelArchitecture.Qwen3Vl || !metadata.Contains(deepstackKey))
        {
            return 0;
        }

        return Integer(model, deepstackKey, 0, layerCount);
    }

    /// <returns>The size of the vocabulary.</returns>
    private static int CheckVocabulary(GgufModel model)
    {
        GgufMetadata metadata = model.Metadata;
        const string ModelKey = "tokenizer.ggml.model";
        if (metadata.GetString(ModelKey) is var kind && kind != "gpt2")
        {
            throw Wrong(model, ModelKey, GgufFile.Quoted(kind), "'gpt2', as Qwen's tokenizer is called");
        }

        string[] tokens = metadata.FindStrings(TokensKey) ?? throw metadata.Missing(TokensKey, "the vocabulary");
        if (metadata.TypeOf(MergesKey) is null)
        {
            throw metadata.Missing(MergesKey, "the tokenizer's merges");
        }

        if (metadata.ElementTypeOf(MergesKey) != GgufValueType.Text || metadata.TypeOf(MergesKey) != GgufValueType.Array)
        {
            throw Wrong(model, MergesKey, $"of type {metadata.ElementTypeOf(MergesKey)}", "an array of texts");
        }

        // llama.cpp asserts that no token occurs twice, after it has cut each at a zero byte and named the empty ones.
        HashSet<string> distinct = new(tokens.Length, StringComparer.Ordinal);
        for (int id = 0; id < tokens.Length; id++)
        {
            int end = tokens[id].IndexOf('\0', StringComparison.Ordinal);
            string seen = end < 0 ? tokens[id] : tokens[id][..end];
            if (!distinct.Add(seen.Length == 0 ? $"[EMPTY_{id}]" : seen))
            {
                throw new ModelFormatException(model.Path, $"key {TokensKey} holds token {id}, {GgufFile.Quoted(tokens[id])}, twice");
            }
        }

        foreach (string marker in Markers)
        {
            if (!distinct.Contains(marker))
            {
                throw new ModelFormatException(model.Path, $"key {TokensKey} lacks the marker {marker}; the vocabulary of a Qwen-VL model is needed");
            }
        }

        if (metadata.Contains(TokenTypesKey) && (metadata.TypeOf(TokenTypesKey) != GgufValueType.Array
            || metadata.ElementTypeOf(TokenTypesKey) != GgufValueType.I32 || metadata.CountOf(TokenTypesKey) < tokens.Length))
        {
            string found = $"{metadata.CountOf(TokenTypesKey)} x {metadata.ElementTypeOf(TokenTypesKey)}";
            throw Wrong(model, TokenTypesKey, found, $"{tokens.Length} x {GgufValueType.I32}");
        }

        return tokens.Length;
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
        int vocabularySize)
    {
        TensorChecklist tensors = new(model);
        GgufTensor inputEmbedding = tensors.Matrix("token_embd.weight", hiddenSize, vocabularySize);
        tensors.Plain("output_norm.weight", hiddenSize);
        for (int i = 0; i < layerCount; i++)
        {
            string layer = $"blk.{i}";
            tensors.Plain($"{layer}.attn_norm.weight", hiddenSize);
            tensors.Matrix($"{layer}.attn_q.weight", hiddenSize, querySize);
            tensors.Matrix($"{layer}.attn_k.weight", hiddenSize, keySize);
            tensors.Matrix($"{layer}.attn_v.weight", hiddenSize, keySize);
            tensors.Matrix($"{layer}.attn_output.weight", querySize, hiddenSize);
            if (architecture == ModelArchitecture.Qwen3Vl)
            {
                tensors.Plain($"{layer}.attn_q_norm.weight", headSize);
                tensors.Plain($"{layer}.attn_k_norm.weight", headSize);
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
        }

        return model.FindTensor("output.weight") is null ? inputEmbedding : tensors.Matrix("output.weight", hiddenSize, vocabularySize);
    }

    private static string QuantizationOf(GgufModel model)
    {
        if (model.Metadata.FindInteger("general.file_type") is { } number && FileTypes.TryGetValue(number, out string? label))
        {
            return label;
        }

        return model.Tensors.GroupBy(tensor => tensor.Type).MaxBy(group => group.Sum(tensor => tensor.ElementCount))!.Key.Name;
    }
}
