using Tamx.Llama.Families;

namespace Tamx.Llama.Gguf;

public static partial class Preflight
{
    private const string ArchitectureKey = "general.architecture";
    internal const string TokensKey = "tokenizer.ggml.tokens";
    private const string MergesKey = "tokenizer.ggml.merges";
    private const string TokenTypesKey = "tokenizer.ggml.token_type";
    private const string ScoresKey = "tokenizer.ggml.scores";
    private const string PreTokenizerKey = "tokenizer.ggml.pre";

    // token_type by llama.cpp's numbers. Byte pairs have no tokens of the last type: they use the byte-to-unicode
    // table.
    private const int UnknownToken = 2;
    private const int ControlToken = 3;
    private const int UserDefinedToken = 4;
    private const int UnusedToken = 5;
    private const int ByteToken = 6;

    /// <summary>Tokens that end an answer if the vocabulary has them.</summary>
    private static readonly string[] EndTokens =
    [
        "<|im_end|>",
        "<|endoftext|>",
        "<end_of_turn>",
        "<end_of_utterance>",
        "</s>",
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

        var family = ModelFamily.Of(model, architecture);
        CheckKeyTypes(model, ModelKeys.Concat(family.Keys), architecture);
        var hiddenSize = Integer(model, $"{architecture}.embedding_length", 1, 65536);
        var layerCount = Integer(model, $"{architecture}.block_count", 1, 512);
        var headCount = Integer(model, $"{architecture}.attention.head_count", 1, 4096);
        var keyValueHeadCount = Integer(model, $"{architecture}.attention.head_count_kv", 1, headCount);
        var contextLength = Integer(model, $"{architecture}.context_length", 1, 1 << 30);
        var shape = family.ReadShape(
            model,
            new TextShape
            {
                Architecture = architecture,
                HiddenSize = hiddenSize,
                LayerCount = layerCount,
                HeadCount = headCount,
                KeyValueHeadCount = keyValueHeadCount,
                VocabularySize = (int)metadata.CountOf(TokensKey),
            }
        );
        shape = CheckRest(model, family, shape);
        CheckRotaryScaling(model, architecture);
        CheckName(model);
        var vocabularySize = CheckVocabulary(model, family);
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

        var outputEmbedding = CheckTensors(model, family, shape);
        int[] attentionLayers = [.. Enumerable.Range(0, shape.LayerCount).Where(shape.HasAttention)];

        return new ModelFacts
        {
            Path = model.Path,
            Architecture = architecture,
            Family = family.Name,
            Name = metadata.FindString("general.name"),
            Description = metadata.FindString("general.description"),
            Quantization = QuantizationOf(model),
            HiddenSize = hiddenSize,
            FeedForwardSize = shape.FeedForwardSize,
            ExpertCount = shape.ExpertCount,
            LayerCount = shape.LayerCount,
            AttentionLayers = attentionLayers,
            HasAttentionGates = family.HasAttentionGates,
            HasAttentionPostNorms = family.HasAttentionPostNorms,
            HeadCount = headCount,
            KeyValueHeadCount = keyValueHeadCount,
            HeadSize = shape.HeadSize,
            ContextLength = contextLength,
            VocabularySize = vocabularySize,
            EndTokenIds = FindEndTokens(metadata),
            UserDefinedTokens = FindTokens(metadata, UserDefinedToken).ToArray(),
            Pieces = family.Tokenizer == ModelFamily.SentencePiece ? ReadPieces(metadata) : null,
            DeepstackLayerCount = shape.DeepstackLayerCount,
            OutputEmbedding = outputEmbedding,
            IsTied = outputEmbedding.Name == "token_embd.weight",
            InputEmbedding = model.FindTensor("token_embd.weight")!,
            OutputNorm = model.FindTensor("output_norm.weight")!,
            NormEpsilon = metadata.GetFloat($"{architecture}.attention.layer_norm_rms_epsilon"),
            AttentionOutputs = attentionLayers.ToDictionary(
                layer => layer,
                layer => model.FindTensor($"blk.{layer}.attn_output.weight")!
            ),
            AttentionOutputScales = attentionLayers.ToDictionary(
                layer => layer,
                layer => model.FindTensor($"blk.{layer}.attn_output.scale")
            ),
            ParameterCount = model.Tensors.Sum(tensor => tensor.ElementCount),
            ChatTemplate = metadata.FindString("tokenizer.chat_template"),
            ByteCount = model.ByteCount,
        };
    }

    /// <summary>Checks the heads of softmax attention, and how they are rotated.</summary>
    /// <param name="model">The file.</param>
    /// <param name="shape">Hidden size and numbers of heads.</param>
    /// <param name="range">What attention.key_length may be.</param>
    /// <param name="isWholeHeadRotated">Whether rope.dimension_count must be the size of a head.</param>
    /// <param name="hasSections">Whether positions lie on M-RoPE's axes, which share a head's rotations.</param>
    /// <returns>The size of a head.</returns>
    internal static int CheckHeads(
        GgufModel model,
        TextShape shape,
        (int Least, int Most) range,
        bool isWholeHeadRotated = true,
        bool hasSections = true
    )
    {
        var (architecture, hiddenSize, headCount) = (shape.Architecture, shape.HiddenSize, shape.HeadCount);
        var headKey = $"{architecture}.attention.head_count";
        if (headCount % shape.KeyValueHeadCount != 0)
        {
            throw Wrong(model, $"{headKey}_kv", shape.KeyValueHeadCount, $"a divisor of the {headCount} heads");
        }

        var keyLengthKey = $"{architecture}.attention.key_length";
        if (!model.Metadata.Contains(keyLengthKey) && hiddenSize % headCount != 0)
        {
            throw Wrong(model, headKey, headCount, $"a divisor of the hidden size {hiddenSize}");
        }

        var headSize = model.Metadata.Contains(keyLengthKey)
            ? Integer(model, keyLengthKey, range.Least, range.Most)
            : hiddenSize / headCount;
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

        var rotatedKey = $"{architecture}.rope.dimension_count";
        var rotatedSize = isWholeHeadRotated ? headSize : (int)(model.Metadata.FindInteger(rotatedKey) ?? headSize);
        if (rotatedSize < 2 || rotatedSize % 2 != 0 || rotatedSize > headSize)
        {
            throw Wrong(model, rotatedKey, rotatedSize, $"absent or an even number up to the head size {headSize}");
        }

        // The last three are for layers with a sliding window, which these models have none of.
        (string Name, int Size)[] sizes =
        [
            ("rope.dimension_count", rotatedSize),
            ("rope.dimension_count_swa", rotatedSize),
            ("attention.key_length_swa", headSize),
            ("attention.value_length_swa", headSize),
        ];
        foreach (var (name, wanted) in sizes)
        {
            if (model.Metadata.FindInteger($"{architecture}.{name}") is { } size && size != wanted)
            {
                var meaning = wanted == headSize ? "the head size" : "the rotated part of a head";
                throw Wrong(model, $"{architecture}.{name}", size, $"absent or {meaning} {wanted}");
            }
        }

        if (!hasSections)
        {
            return headSize;
        }

        var sectionsKey = $"{architecture}.rope.dimension_sections";
        var sections =
            model.Metadata.FindIntegers(sectionsKey) ?? throw model.Metadata.Missing(sectionsKey, "4 integers");
        if (
            model.Metadata.ElementTypeOf(sectionsKey) is not (GgufValueType.I32 or GgufValueType.U32)
            || sections.Length != 4
            || sections.Any(section => section < 0 || section > rotatedSize)
            || sections.Sum() != rotatedSize / 2
            || sections.Take(3).All(section => section == 0)
        )
        {
            throw Wrong(
                model,
                sectionsKey,
                $"[{string.Join(", ", sections.Take(8))}]",
                $"4 32-bit integers that sum to half {(isWholeHeadRotated ? "the head size" : rotatedKey)}, {rotatedSize / 2}, the first three not all 0"
            );
        }

        return headSize;
    }

    /// <returns>The sizes, with the number of deepstack layers.</returns>
    private static TextShape CheckRest(GgufModel model, ModelFamily family, TextShape shape)
    {
        var (metadata, architecture) = (model.Metadata, shape.Architecture);
        var epsilonKey = $"{architecture}.attention.layer_norm_rms_epsilon";
        Finite(model, epsilonKey, metadata.GetFloat(epsilonKey), 0);
        var baseKey = $"{architecture}.rope.freq_base";
        Finite(model, baseKey, metadata.FindFloat(baseKey) ?? 10000, 1);

        // llama.cpp takes these from any model, and then computes something else or asserts.
        string[] keys = ["expert_group_count", "expert_group_used_count"];
        foreach (var key in shape.DraftLayerCount > 0 ? keys : keys.Append("nextn_predict_layers"))
        {
            Zero(model, $"{architecture}.{key}");
        }

        if (
            metadata.FindInteger($"{architecture}.embedding_length_out") is { } outputSize
            && outputSize != shape.HiddenSize
        )
        {
            throw Wrong(model, $"{architecture}.embedding_length_out", outputSize, $"absent or {shape.HiddenSize}");
        }

        if (metadata.FindBool($"{architecture}.attention.causal") == false)
        {
            throw Wrong(model, $"{architecture}.attention.causal", "false", "absent or true");
        }

        OptionalInteger(model, $"{architecture}.pooling_type", 0, 4);
        var deepstackKey = $"{architecture}.n_deepstack_layers";
        if (!family.HasDeepstack)
        {
            Zero(model, deepstackKey);
            return shape;
        }

        return metadata.Contains(deepstackKey)
            ? shape with
            {
                DeepstackLayerCount = Integer(model, deepstackKey, 0, shape.LayerCount),
            }
            : shape;
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
    private static int CheckVocabulary(GgufModel model, ModelFamily family)
    {
        var metadata = model.Metadata;
        const string ModelKey = "tokenizer.ggml.model";
        if (metadata.GetString(ModelKey) is var kind && kind != family.Tokenizer)
        {
            throw Wrong(
                model,
                ModelKey,
                OutsideText.Quoted(kind),
                $"'{family.Tokenizer}', as the tokenizer of {family.Name} is called"
            );
        }

        var isSentencePiece = family.Tokenizer == ModelFamily.SentencePiece;
        if (!isSentencePiece)
        {
            CheckBytePairs(model, family);
        }

        var tokens = metadata.FindStrings(TokensKey) ?? throw metadata.Missing(TokensKey, "the vocabulary");

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

        foreach (var marker in family.Markers.All)
        {
            if (!distinct.Contains(marker))
            {
                throw model.Error(
                    $"key {TokensKey} lacks the marker {marker}; the vocabulary of {family.Name} is needed"
                );
            }
        }

        CheckTokenTypes(model, tokens, family.Markers.All, isSentencePiece ? ByteToken : UnusedToken);
        if (isSentencePiece)
        {
            CheckPieces(model, tokens, distinct);
        }
        else if (metadata.Contains(ScoresKey) && metadata.CountOf(ScoresKey) < tokens.Length)
        {
            var found = $"{metadata.CountOf(ScoresKey)} x {GgufValueType.F32}";
            throw Wrong(model, ScoresKey, found, $"absent or {tokens.Length} x {GgufValueType.F32}");
        }

        return tokens.Length;
    }

    /// <summary>Merges are looked up by their two parts, so any that can be read are harmless.</summary>
    private static void CheckBytePairs(GgufModel model, ModelFamily family)
    {
        var metadata = model.Metadata;
        var preTokenizers = string.Join(", ", family.PreTokenizers);
        var pre =
            metadata.FindString(PreTokenizerKey) ?? throw metadata.Missing(PreTokenizerKey, $"one of {preTokenizers}");
        if (!family.PreTokenizers.Contains(pre))
        {
            throw Wrong(
                model,
                PreTokenizerKey,
                OutsideText.Quoted(pre),
                $"one of {preTokenizers}, as its way to cut text is called"
            );
        }

        if (metadata.FindStrings(MergesKey) is null)
        {
            throw metadata.Missing(MergesKey, "the tokenizer's merges");
        }
    }

    /// <summary>
    /// Scores say which pieces are merged first. A character without a piece of its own falls into bytes, and
    /// llama.cpp throws out of its tokenizer if one of them has no token.
    /// </summary>
    private static void CheckPieces(GgufModel model, string[] tokens, HashSet<string> distinct)
    {
        var metadata = model.Metadata;
        if (metadata.FindFloats(ScoresKey) is not { } scores)
        {
            throw metadata.Missing(ScoresKey, $"{tokens.Length} x {GgufValueType.F32}");
        }

        if (scores.Length < tokens.Length)
        {
            var found = $"{scores.Length} x {GgufValueType.F32}";
            throw Wrong(model, ScoresKey, found, $"{tokens.Length} x {GgufValueType.F32}");
        }

        if (Array.FindIndex(scores, double.IsNaN) is >= 0 and var id)
        {
            throw Wrong(model, ScoresKey, $"NaN for token {id}", "numbers");
        }

        if (SentencePieceText.ByteTokens.FirstOrDefault(token => !distinct.Contains(token)) is { } missing)
        {
            throw model.Error($"key {TokensKey} lacks the byte {missing}; text would end llama.cpp's tokenizer");
        }
    }

    private static void CheckTokenTypes(GgufModel model, string[] tokens, IReadOnlyList<string> markers, int lastType)
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
            if (types[id] < 1 || types[id] > lastType)
            {
                throw Wrong(
                    model,
                    TokenTypesKey,
                    $"{types[id]} for token {id}, {OutsideText.Quoted(tokens[id])}",
                    $"1 to {lastType}"
                );
            }

            if (types[id] is not (UnknownToken or ControlToken or UserDefinedToken) && markers.Contains(tokens[id]))
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

    private static IEnumerable<string> FindTokens(GgufMetadata metadata, int type)
    {
        var types = metadata.FindIntegers(TokenTypesKey)!;
        return metadata.FindStrings(TokensKey)!.Where((_, id) => types[id] == type);
    }

    private static SentencePieceIds ReadPieces(GgufMetadata metadata)
    {
        var types = metadata.FindIntegers(TokenTypesKey)!;
        var tokens = metadata.FindStrings(TokensKey)!;
        return new SentencePieceIds(
            Enumerable.Range(0, tokens.Length).Where(id => types[id] is UnknownToken or ControlToken).ToHashSet(),
            [.. SentencePieceText.ByteTokens.Select(token => Array.IndexOf(tokens, token))]
        );
    }

    /// <returns>The output embedding.</returns>
    private static GgufTensor CheckTensors(GgufModel model, ModelFamily family, TextShape shape)
    {
        var tensors = new TensorChecklist(model, shape.Architecture);
        var inputEmbedding = tensors.Matrix("token_embd.weight", shape.HiddenSize, shape.VocabularySize);
        tensors.Plain("output_norm.weight", shape.HiddenSize);
        for (var i = 0; i < shape.LayerCount + shape.DraftLayerCount; i++)
        {
            family.CheckLayer(tensors, shape, i);
        }

        family.CheckOthers(tensors, model, shape);
        var outputEmbedding =
            tensors.OptionalMatrix("output.weight", shape.HiddenSize, shape.VocabularySize) ?? inputEmbedding;
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
