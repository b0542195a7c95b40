using Tamx.Llama.Gguf;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Gguf;

public class PreflightTests
{
    private static RandomModelOptions TinyQwen25 => TinyModels.Of("qwen2.5vl");

    private static RandomModelOptions TinyQwen2 => TinyModels.Of("qwen2vl");

    /// <summary>Keys that may be left out without harm; every other key of the generator's files is required.</summary>
    private static readonly string[] OptionalKeys =
    [
        "clip.vision.preproc_min_tiles",
        "clip.vision.preproc_max_tiles",
        "general.name",
        "general.description",
        "general.license",
        "general.file_type",
        "A.attention.key_length",
        "A.attention.value_length",
        "A.rope.freq_base",
        "A.n_deepstack_layers",
        "tokenizer.ggml.eos_token_id",
        "tokenizer.ggml.eot_token_id",
        "tokenizer.ggml.unknown_token_id",
        "tokenizer.ggml.padding_token_id",
        "tokenizer.ggml.bos_token_id",
        "tokenizer.ggml.add_bos_token",
        "tokenizer.chat_template",
        "clip.use_gelu",
        "clip.use_silu",
        "clip.vision.spatial_merge_size",
    ];

    public static TheoryData<string> Kinds => [.. TinyModels.Kinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Check_RandomModel_GivesItsFacts(string kind)
    {
        var options = OptionsOf(kind);

        var model = Check(RandomModel.BuildModel(options));
        var projector = CheckProjector(RandomModel.BuildProjector(options));
        Preflight.CheckPair(model, projector);

        Assert.Equal(options.Architecture, model.Architecture);
        Assert.Equal("tiny", model.Name);
        Assert.Equal("F32", model.Quantization);
        Assert.Equal(16, model.HiddenSize);
        Assert.Equal(2, model.LayerCount);
        Assert.Equal(2, model.HeadCount);
        Assert.Equal(1, model.KeyValueHeadCount);
        Assert.Equal(8, model.HeadSize);
        Assert.Equal(8192, model.ContextLength);
        Assert.Equal(RandomModel.VocabularyOf(options).Tokens.Count, model.VocabularySize);
        Assert.Equal(options.DeepstackLayerCount, model.DeepstackLayerCount);
        Assert.False(model.IsTied);
        Assert.Equal("output.weight", model.OutputEmbedding.Name);
        if (model.ChatTemplate is not null)
        {
            var turn = options.IsGemma3 ? "<start_of_turn>" : "<|im_start|>";
            Assert.Contains(turn, model.ChatTemplate, StringComparison.Ordinal);
        }

        Assert.Equal(options.ProjectorType, projector.ProjectorType);
        Assert.Equal(4, projector.PatchSize);
        Assert.Equal(4 * options.MergeSize, projector.CellSize);
        Assert.Equal(options.ImageSize, projector.ImageSize);
        Assert.Equal(16, projector.ProjectionSize);
        Assert.Equal(options.DeepstackLayerCount == 1 ? [0] : [], projector.DeepstackLayerIndices);
    }

    // Cells of 8 x 8 pixels. What is not given is llama.cpp's 8 to 4096, or less if the file says so.
    [Theory]
    [InlineData(null, null, 0, 0, 8, 4096)]
    [InlineData(null, 9216u, 0, 0, 8, 144)]
    [InlineData(1000u, null, 0, 0, 16, 4096)]
    [InlineData(1000u, 2000u, 0, 0, 16, 31)]
    [InlineData(null, 64u, 0, 0, 1, 1)]
    [InlineData(400_000u, null, 0, 0, 4096, 4096)]
    [InlineData(65_536u, 16_777_216u, 0, 0, 1024, 4096)]
    [InlineData(null, 9216u, 0, 200, 8, 200)]
    [InlineData(null, 9216u, 200, 0, 200, 200)]
    [InlineData(1000u, 2000u, 0, 4, 4, 4)]
    [InlineData(1000u, 2000u, 2, 3, 2, 3)]
    public void ImageTokenBounds_OfAFileThatHasItsOwn_AreTheFilesWhereNoneIsGiven(
        uint? leastPixels,
        uint? mostPixels,
        int givenLeast,
        int givenMost,
        int least,
        int most
    )
    {
        var projector = RandomModel.BuildProjector(RandomModelOptions.Tiny);
        if (leastPixels is { } fewest)
        {
            projector.Add("clip.vision.image_min_pixels", fewest);
        }

        if (mostPixels is { } greatest)
        {
            projector.Add("clip.vision.image_max_pixels", greatest);
        }

        var options = new ModelOptions
        {
            ModelPath = "model.gguf",
            MinImageTokens = givenLeast,
            MaxImageTokens = givenMost,
        };

        Assert.Equal((least, most), options.ImageTokenBounds(CheckProjector(projector)));
    }

    [Theory]
    [InlineData(0u, 9216u, "clip.vision.image_min_pixels is 0")]
    [InlineData(64u, 63u, "clip.vision.image_max_pixels is 63")]
    [InlineData(64u, uint.MaxValue, "clip.vision.image_max_pixels is 4294967295")]
    public void CheckProjector_ImpossibleBoundsOfPixels_AreNamed(uint least, uint most, string expected)
    {
        var projector = RandomModel.BuildProjector(RandomModelOptions.Tiny);
        projector.Add("clip.vision.image_min_pixels", least);
        projector.Add("clip.vision.image_max_pixels", most);

        var error = Assert.Throws<ModelFormatException>(() => CheckProjector(projector));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CheckProjector_FeedForwardKeyOfPublishedQwen2Vl_TensorsDecide()
    {
        // llama.cpp's converter writes the text model's hidden size there.
        var projector = RandomModel.BuildProjector(TinyQwen2);
        projector.Add("clip.vision.feed_forward_length", 12u);

        Assert.Equal(16, CheckProjector(projector).FeedForwardSize);
    }

    [Theory]
    [InlineData("qwen2vl", true)]
    [InlineData("qwen3vl", false)]
    public void CheckProjector_FeedForwardNamesOfOldConverters_AreTakenAsLlamaTakesThem(string kind, bool accepted)
    {
        var projector = RandomModel.BuildProjector(OptionsOf(kind));
        projector.Add("clip.vision.feed_forward_length", 0u);
        for (var i = 0; i < 2; i++)
        {
            foreach (var name in (string[])["ffn_up.weight", "ffn_up.bias", "ffn_down.weight", "ffn_down.bias"])
            {
                Assert.True(projector.RemoveTensor($"v.blk.{i}.{name}"));
            }

            projector.AddZeros($"v.blk.{i}.ffn_up.weight", 16, 8);
            projector.AddZeros($"v.blk.{i}.ffn_up.bias", 8);
            projector.AddZeros($"v.blk.{i}.ffn_down.weight", 8, 16);
            projector.AddZeros($"v.blk.{i}.ffn_down.bias", 16);
        }

        if (accepted)
        {
            Assert.Equal(16, CheckProjector(projector).FeedForwardSize);
        }
        else
        {
            Assert.Contains(
                "v.blk.0.ffn_up.weight",
                Assert.Throws<ModelFormatException>(() => CheckProjector(projector)).Message,
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public void CheckModel_TiedModel_TakesTheInputEmbedding()
    {
        var facts = Check(
            RandomModel.BuildModel(RandomModelOptions.Tiny with { IsTied = true, WeightType = TensorType.F16 })
        );

        Assert.True(facts.IsTied);
        Assert.Equal("token_embd.weight", facts.OutputEmbedding.Name);
        Assert.Equal(TensorType.F16, facts.OutputEmbedding.Type);
        Assert.Equal("F16", facts.Quantization);
    }

    [Fact]
    public void CheckModel_WithoutFileType_TakesTheTypeOfMostElements()
    {
        var writer = RandomModel.BuildModel(RandomModelOptions.Tiny with { WeightType = TensorType.F16 });
        writer.Remove("general.file_type");

        Assert.Equal("F16", Check(writer).Quantization);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Check_AnyKeyLeftOut_IsNamedOrOptional(string kind)
    {
        var options = OptionsOf(kind);
        AssertEachIsNeeded(() => RandomModel.BuildModel(options), writer => Check(writer), options.Architecture);
        AssertEachIsNeeded(
            () => RandomModel.BuildProjector(options),
            writer => CheckProjector(writer),
            options.Architecture
        );
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Check_AnyTensorLeftOut_IsNamed(string kind)
    {
        var options = OptionsOf(kind) with { IsTied = true };
        AssertEachTensorIsNeeded(() => RandomModel.BuildModel(options), writer => Check(writer));
        AssertEachTensorIsNeeded(() => RandomModel.BuildProjector(options), writer => CheckProjector(writer));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Check_AnyTensorMisshapen_IsNamed(string kind)
    {
        var options = OptionsOf(kind);
        AssertEachShapeIsChecked(() => RandomModel.BuildModel(options), writer => Check(writer));
        AssertEachShapeIsChecked(() => RandomModel.BuildProjector(options), writer => CheckProjector(writer));
    }

    [Fact]
    public void CheckModel_UnsupportedArchitecture_IsNamedWithTheSupportedOnes()
    {
        var writer = RandomModel.BuildModel(RandomModelOptions.Tiny);
        writer.Add("general.architecture", "bert");

        var message = Assert.Throws<ModelFormatException>(() => Check(writer)).Message;

        Assert.Contains("'bert'", message, StringComparison.Ordinal);
        Assert.Contains("qwen3vl", message, StringComparison.Ordinal);
        Assert.Contains("qwen2vl", message, StringComparison.Ordinal);
    }

    /// <summary>A Llama is of one of several families by its vocabulary, or of none.</summary>
    [Fact]
    public void CheckModel_LlamaWithoutPictures_SaysWhatItsVocabularyLacks()
    {
        var writer = RandomModel.BuildModel(RandomModelOptions.Tiny);
        writer.Add("general.architecture", "llama");

        var message = Assert.Throws<ModelFormatException>(() => Check(writer)).Message;

        Assert.Contains("SmolVLM, SmolVLM2 has <end_of_utterance>", message, StringComparison.Ordinal);
        Assert.Contains("Idefics 3 has <|begin_of_text|>", message, StringComparison.Ordinal);
        Assert.Equal("SmolVLM, SmolVLM2", Check(RandomModel.BuildModel(TinyModels.Of("smolvlm"))).Family);
    }

    [Theory]
    [InlineData("clip.vision.projector.scale_factor", 0u, "is 0; it must be 1 to 16")]
    [InlineData("clip.vision.projector.scale_factor", 17u, "is 17; it must be 1 to 16")]
    [InlineData("clip.vision.projector.scale_factor", 4u, "so many patches of 4 that 4 divides")]
    [InlineData("clip.vision.preproc_image_size", 25u, "is 25; it must be 26 to 8192")]
    [InlineData("clip.vision.preproc_image_size", 9000u, "is 9000; it must be 26 to 8192")]
    public void CheckProjector_ImpossibleSmolVlm_IsNamed(string key, uint value, string message)
    {
        var writer = RandomModel.BuildProjector(TinyModels.Of("smolvlm"));
        writer.Add(key, value);

        Assert.Contains(
            message,
            Assert.Throws<ModelFormatException>(() => CheckProjector(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Check_FilesExchanged_SaysWhichIsWhich()
    {
        Assert.Contains(
            "is an mmproj",
            Assert
                .Throws<ModelFormatException>(() => Check(RandomModel.BuildProjector(RandomModelOptions.Tiny)))
                .Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "is a text model",
            Assert
                .Throws<ModelFormatException>(() => CheckProjector(RandomModel.BuildModel(RandomModelOptions.Tiny)))
                .Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("qwen3vl.attention.head_count", 3, "blk.0.attn_q.weight has shape")]
    [InlineData("qwen3vl.attention.head_count", 0, "head_count is 0")]
    [InlineData("qwen3vl.attention.head_count_kv", 5, "head_count_kv is 5")]
    [InlineData("qwen3vl.block_count", 513, "block_count is 513")]
    [InlineData("qwen3vl.block_count", 3, "blk.2.attn_norm.weight is missing")]
    [InlineData("qwen3vl.embedding_length", 17, "token_embd.weight has shape")]
    [InlineData("qwen3vl.feed_forward_length", -1, "feed_forward_length is 4294967295")]
    [InlineData("qwen3vl.attention.key_length", 10, "it must be")]
    [InlineData("qwen3vl.rope.dimension_count", 4, "dimension_count is 4")]
    [InlineData("qwen3vl.n_deepstack_layers", 3, "n_deepstack_layers is 3")]
    [InlineData("qwen3vl.expert_count", 8, "expert_count is 8")]
    [InlineData("qwen3vl.rope.freq_base", 10000, "rope.freq_base is of type U32; it must be of type F32")]
    public void CheckModel_BadNumber_NamesTheKey(string key, int value, string message)
    {
        var writer = RandomModel.BuildModel(RandomModelOptions.Tiny);
        writer.Add(key, unchecked((uint)value));

        Assert.Contains(
            message,
            Assert.Throws<ModelFormatException>(() => Check(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(new[] { 2, 1, 1 })]
    [InlineData(new[] { 2, 1, 1, 0, 0 })]
    [InlineData(new[] { 4, 4, 4, 0 })]
    [InlineData(new[] { 6, -1, -1, 0 })]
    [InlineData(new[] { 0, 0, 0, 4 })]
    public void CheckModel_BadRotarySections_AreNamed(int[] sections)
    {
        var writer = RandomModel.BuildModel(RandomModelOptions.Tiny);
        writer.Add("qwen3vl.rope.dimension_sections", sections);

        Assert.Contains(
            "rope.dimension_sections",
            Assert.Throws<ModelFormatException>(() => Check(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("model", "llama", "'llama'")]
    [InlineData("twice", "!", "token 1, '!', twice")]
    [InlineData("twice", "!\0hidden", "token 1, '!\\u0000hidden', twice")]
    [InlineData("marker", "x", "lacks the marker <|image_pad|>")]
    public void CheckModel_BadTokenizer_IsNamed(string what, string text, string message)
    {
        var writer = RandomModel.BuildModel(RandomModelOptions.Tiny);
        string[] tokens = [.. new WordVocabulary().Tokens];
        if (what == "model")
        {
            writer.Add("tokenizer.ggml.model", text);
        }
        else
        {
            tokens[what == "twice" ? 1 : Array.IndexOf(tokens, "<|image_pad|>")] = text;
            writer.Add(
                "tokenizer.ggml.tokens",
                what == "marker" ? [.. tokens.Select((token, i) => token == "x" && i < 256 ? "y'" : token)] : tokens
            );
        }

        Assert.Contains(
            message,
            Assert.Throws<ModelFormatException>(() => Check(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("clip.vision.image_size", 9000, "image_size is 9000")]
    [InlineData("clip.vision.image_size", 2, "image_size is 2")]
    [InlineData("clip.vision.image_size", 64, "v.position_embd.weight has shape")]
    [InlineData("clip.vision.patch_size", 0, "patch_size is 0")]
    [InlineData("clip.vision.attention.head_count", 3, "head_count is 3")]
    [InlineData("clip.vision.attention.head_count", 4, "head_count is 4")]
    [InlineData("clip.vision.spatial_merge_size", 4, "spatial_merge_size is 4")]
    [InlineData("clip.vision.block_count", 3, "v.blk.2.ln1.weight is missing")]
    [InlineData("clip.vision.block_count", 0, "block_count is 0")]
    [InlineData("clip.vision.projection_dim", 17, "mm.2.weight has shape")]
    public void CheckProjector_BadNumber_NamesTheKey(string key, int value, string message)
    {
        var writer = RandomModel.BuildProjector(RandomModelOptions.Tiny);
        writer.Add(key, (uint)value);

        Assert.Contains(
            message,
            Assert.Throws<ModelFormatException>(() => CheckProjector(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void CheckProjector_KeyOfAnotherType_IsNamed()
    {
        // clip.cpp asserts these types and ends the process.
        var writer = RandomModel.BuildProjector(RandomModelOptions.Tiny);
        writer.Add("clip.vision.patch_size", 4);
        Assert.Contains(
            "patch_size is of type I32; it must be of type U32",
            Assert.Throws<ModelFormatException>(() => CheckProjector(writer)).Message,
            StringComparison.Ordinal
        );

        writer = RandomModel.BuildProjector(RandomModelOptions.Tiny);
        writer.Add("clip.use_gelu", 1u);
        Assert.Contains(
            "clip.use_gelu is of type U32",
            Assert.Throws<ModelFormatException>(() => CheckProjector(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("clip.minicpmv_query_num")]
    [InlineData("clip.vision.window_size")]
    [InlineData("clip.vision.projector.scale_factor")]
    [InlineData("clip.vision.image_max_pixels")]
    public void CheckProjector_NumberBeyondAnInt_IsNamed(string key)
    {
        // libmtmd keeps it as an int, and throws.
        var writer = RandomModel.BuildProjector(RandomModelOptions.Tiny);
        writer.Add(key, 1u << 31);

        Assert.Contains(
            $"key {key} is 2147483648; it must be at most 2147483647",
            Assert.Throws<ModelFormatException>(() => CheckProjector(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("image_mean", new[] { 0.5f, 0.5f })]
    [InlineData("image_mean", new[] { 0.5f, 0.5f, 40000f })]
    [InlineData("image_mean", new[] { float.NaN, 0.5f, 0.5f })]
    [InlineData("image_std", new[] { 0f, 0.5f, 0.5f })]
    public void CheckProjector_BadColours_AreNamed(string name, float[] values)
    {
        var writer = RandomModel.BuildProjector(RandomModelOptions.Tiny);
        writer.Add($"clip.vision.{name}", values);

        Assert.Contains(
            name,
            Assert.Throws<ModelFormatException>(() => CheckProjector(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void CheckProjector_TensorThatStopsLlamaCpp_IsNamed()
    {
        var writer = RandomModel.BuildProjector(RandomModelOptions.Tiny);
        writer.AddZeros("v.class_embd", 8);
        Assert.Contains(
            "v.class_embd",
            Assert.Throws<ModelFormatException>(() => CheckProjector(writer)).Message,
            StringComparison.Ordinal
        );

        writer = RandomModel.BuildProjector(RandomModelOptions.Tiny);
        writer.AddZeros("v.deepstack.7.fc1.weight", 8);
        Assert.Contains(
            "v.deepstack.7.fc1.weight",
            Assert.Throws<ModelFormatException>(() => CheckProjector(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void CheckModel_NormInHalfPrecision_IsNamed()
    {
        var writer = RandomModel.BuildModel(RandomModelOptions.Tiny);
        writer.RemoveTensor("output_norm.weight");
        writer.AddTensor("output_norm.weight", TensorType.F16, [16], new byte[32]);

        Assert.Contains(
            "output_norm.weight is stored as F16; it must be F32",
            Assert.Throws<ModelFormatException>(() => Check(writer)).Message,
            StringComparison.Ordinal
        );
    }

    /// <summary>
    /// llama.cpp takes each of these in one type, and says no more than that it could not load, or ends the process.
    /// </summary>
    [Theory]
    [InlineData(
        "qwen3vl.classifier.output_labels",
        "qwen3vl.classifier.output_labels is of type U32; it must be an array of Text"
    )]
    [InlineData(
        "tokenizer.ggml.suppress_tokens",
        "tokenizer.ggml.suppress_tokens is of type U32; it must be an array of I32"
    )]
    [InlineData("tokenizer.ggml.scores", "tokenizer.ggml.scores is of type U32; it must be an array of F32")]
    [InlineData("qwen3vl.rope.scaling.factor", "rope.scaling.factor is of type U32; it must be of type F32")]
    [InlineData("tokenizer.ggml.add_bos_token", "add_bos_token is of type U32; it must be of type Bool")]
    [InlineData("general.name", "general.name is of type U32; it must be of type Text")]
    public void CheckModel_KeyOfAnotherType_IsNamed(string key, string message)
    {
        var writer = RandomModel.BuildModel(RandomModelOptions.Tiny);
        writer.Add(key, 1u);

        Assert.Contains(
            message,
            Assert.Throws<ModelFormatException>(() => Check(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("clip.vision.feature_layer", "clip.vision.feature_layer is of type U32; it must be an array of I32")]
    [InlineData(
        "clip.vision.image_grid_pinpoints",
        "clip.vision.image_grid_pinpoints is of type U32; it must be an array of I32"
    )]
    public void CheckProjector_ListThatIsNone_IsNamed(string key, string message)
    {
        var writer = RandomModel.BuildProjector(RandomModelOptions.Tiny);
        writer.Add(key, 1u);
        Assert.Contains(
            message,
            Assert.Throws<ModelFormatException>(() => CheckProjector(writer)).Message,
            StringComparison.Ordinal
        );

        writer.Add(key, (float[])[1, 2]);
        Assert.Contains(
            $"{key} is an array of F32; it must be an array of I32",
            Assert.Throws<ModelFormatException>(() => CheckProjector(writer)).Message,
            StringComparison.Ordinal
        );

        writer.Add(key, (int[])[]);
        CheckProjector(writer);
    }

    [Theory]
    [InlineData("resampler", "they are no places in it, so there is no map")]
    [InlineData(
        "gemma4v",
        "it must be qwen3vl_merger, qwen2.5vl_merger, qwen2vl_merger, internvl, gemma3, idefics3, pixtral or mlp"
    )]
    public void CheckProjector_OtherKind_SaysWhy(string type, string message)
    {
        var writer = RandomModel.BuildProjector(RandomModelOptions.Tiny);
        writer.Add("clip.projector_type", type);

        Assert.Contains(
            message,
            Assert.Throws<ModelFormatException>(() => CheckProjector(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("qwen35.full_attention_interval", 0u, "is 0; it must be 2 to")]
    [InlineData("qwen35.full_attention_interval", 1u, "is 1; it must be 2 to")]
    [InlineData("qwen35.full_attention_interval", 3u, "is 3; it must be 2 to")]
    [InlineData("qwen35.ssm.group_count", 0u, "is 0")]
    [InlineData("qwen35.ssm.inner_size", 17u, "is 17; it must be 16 to 16")]
    [InlineData("qwen35.ssm.conv_kernel", 1u, "is 1")]
    [InlineData("qwen35.rope.dimension_count", 3u, "is 3; it must be absent or an even number")]
    [InlineData("qwen35.nextn_predict_layers", 2u, "is 2; it must be 0 to 1")]
    [InlineData("qwen35.attention.recurrent_layers", 1u, "it must be absent")]
    [InlineData("qwen35.expert_count", 4u, "it must be absent or 0")]
    [InlineData("qwen35.n_deepstack_layers", 1u, "it must be absent or 0")]
    public void CheckModel_ImpossibleHybrid_IsNamed(string key, uint value, string message)
    {
        var writer = RandomModel.BuildModel(TinyModels.Of("qwen35"));
        writer.Add(key, value);

        var error = Assert.Throws<ModelFormatException>(() => Check(writer));
        Assert.Contains(key, error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("qwen3vlmoe.expert_count", 0u, "is 0; it must be 1 to 512")]
    [InlineData("qwen3vlmoe.expert_count", 513u, "is 513; it must be 1 to 512")]
    [InlineData("qwen3vlmoe.expert_used_count", 5u, "is 5; it must be 1 to 4")]
    [InlineData("qwen3vlmoe.expert_used_count", 0u, "is 0; it must be 1 to 4")]
    [InlineData("qwen3vlmoe.expert_group_count", 2u, "it must be absent or 0")]
    public void CheckModel_ImpossibleExperts_AreNamed(string key, uint value, string message)
    {
        var writer = RandomModel.BuildModel(TinyModels.Of("qwen3vlmoe"));
        writer.Add(key, value);

        var error = Assert.Throws<ModelFormatException>(() => Check(writer));
        Assert.Contains($"{key} ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("clip.vision.projector.scale_factor", 4u, "is 4; it must be 2")]
    [InlineData("clip.vision.image_size", 36u, "is 36; it must be a multiple of a cell's side, 8")]
    [InlineData("clip.vision.image_size", 64u, "v.position_embd.weight has shape [8, 65]; it must be [8, 257]")]
    [InlineData("clip.vision.preproc_min_tiles", 13u, "is 13; it must be at most clip.vision.preproc_max_tiles (12")]
    [InlineData("clip.vision.preproc_min_tiles", 0u, "is 0; it must be 1 to 256")]
    [InlineData("clip.vision.preproc_max_tiles", 0u, "is 0; it must be 1 to 256")]
    [InlineData("clip.vision.preproc_max_tiles", 257u, "is 257; it must be 1 to 256")]
    public void CheckProjector_ImpossibleInternVl_IsNamed(string key, uint value, string message)
    {
        var writer = RandomModel.BuildProjector(TinyModels.Of("internvl3"));
        writer.Add(key, value);

        Assert.Contains(
            message,
            Assert.Throws<ModelFormatException>(() => CheckProjector(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void CheckProjector_InternVlWithoutTileKeys_Passes()
    {
        var writer = RandomModel.BuildProjector(TinyModels.Of("internvl3"));
        writer.Remove("clip.vision.preproc_min_tiles");
        writer.Remove("clip.vision.preproc_max_tiles");
        var facts = CheckProjector(writer);

        Assert.True(facts.IsSquare);
        Assert.Equal((8, 32), (facts.CellSize, facts.ImageSize));
    }

    /// <summary>A text model of the same architecture is no InternVL: its vocabulary has no pictures.</summary>
    [Fact]
    public void CheckModel_TextModelWithoutPictures_IsNamed()
    {
        var writer = RandomModel.BuildModel(TinyModels.Of("internvl3"));
        writer.Add("tokenizer.ggml.tokens", (string[])[.. new WordVocabulary(0, "<a>", "<b>", "<c>").Tokens]);

        Assert.Contains(
            "lacks the marker <img>; the vocabulary of InternVL 2.5, InternVL 3, InternVL 3.5 is needed",
            Assert.Throws<ModelFormatException>(() => Check(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("gemma3.attention.sliding_window", 0f, "is 0; it must be 1 to")]
    [InlineData("gemma3.final_logit_softcapping", 30f, "is 30; it must be absent or 0")]
    [InlineData("gemma3.attn_logit_softcapping", 50f, "is 50; it must be absent or 0")]
    [InlineData("gemma3.rope.freq_base_swa", float.NaN, "is NaN; it must be a finite number")]
    [InlineData("tokenizer.ggml.scores", 2f, "is 1 x F32; it must be ")]
    [InlineData("tokenizer.ggml.add_space_prefix", 1f, "is true; it must be false")]
    [InlineData("tokenizer.ggml.model", 0f, "is 'gpt2'; it must be 'llama', as the tokenizer of Gemma 3 is called")]
    public void CheckModel_ImpossibleGemma3_IsNamed(string key, float value, string message)
    {
        var writer = RandomModel.BuildModel(TinyModels.Of("gemma3"));
        switch (key)
        {
            case "gemma3.attention.sliding_window":
                writer.Add(key, (uint)value);
                break;
            case "tokenizer.ggml.scores":
                writer.Add(key, (float[])[value]);
                break;
            case "tokenizer.ggml.add_space_prefix":
                writer.Add(key, true);
                break;
            case "tokenizer.ggml.model":
                writer.Add(key, "gpt2");
                break;
            default:
                writer.Add(key, value);
                break;
        }

        var error = Assert.Throws<ModelFormatException>(() => Check(writer));
        Assert.Contains($"{key} {message}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a byte", "lacks the byte <0x0A>")]
    [InlineData("a marker", "lacks the marker <start_of_image>")]
    [InlineData("a score", "is NaN for token 5; it must be numbers")]
    [InlineData("a type", "is 7 for token 9")]
    public void CheckModel_VocabularyOfPiecesThatLacksSomething_IsNamed(string what, string message)
    {
        var writer = RandomModel.BuildModel(TinyModels.Of("gemma3"));
        var vocabulary = RandomModel.VocabularyOf(TinyModels.Of("gemma3"));
        string[] tokens = [.. vocabulary.Tokens];
        float[] scores = [.. vocabulary.Scores];
        int[] types = [.. vocabulary.Types];
        switch (what)
        {
            case "a byte":
                tokens[vocabulary.IdOf("<0x0A>")] = "<0x0a>";
                break;
            case "a marker":
                tokens[vocabulary.IdOf("<start_of_image>")] = "<image>";
                break;
            case "a score":
                scores[5] = float.NaN;
                break;
            default:
                types[9] = 7;
                break;
        }

        writer.Add("tokenizer.ggml.tokens", tokens);
        writer.Add("tokenizer.ggml.scores", scores);
        writer.Add("tokenizer.ggml.token_type", types);
        Assert.Contains(
            message,
            Assert.Throws<ModelFormatException>(() => Check(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("internvl3", "qwen3vl")]
    [InlineData("qwen3vl", "internvl3")]
    [InlineData("internvl3", "gemma3")]
    [InlineData("gemma3", "internvl3")]
    public void CheckPair_OfTwoFamilies_IsRefused(string model, string projector)
    {
        var facts = Check(RandomModel.BuildModel(TinyModels.Of(model)));
        var other = CheckProjector(RandomModel.BuildProjector(TinyModels.Of(projector)));

        Assert.Contains(
            $"its projector {other.ProjectorType} does not belong to {facts.Family}",
            Assert.Throws<ModelFormatException>(() => Preflight.CheckPair(facts, other)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void CheckModel_Hybrid_SaysWhichLayersHaveAttention()
    {
        var options = TinyModels.Of("qwen35moe") with { LayerCount = 6, DraftLayerCount = 1, AttentionInterval = 3 };
        var facts = Check(RandomModel.BuildModel(options));

        Assert.Equal(6, facts.LayerCount);
        Assert.Equal([2, 5], facts.AttentionLayers);
        Assert.Equal(4, facts.ExpertCount);
        Assert.Equal("Qwen3.5, Qwen3.6", facts.Family);
    }

    [Fact]
    public void CheckProjector_OddPinpoints_AreNamed()
    {
        var writer = RandomModel.BuildProjector(RandomModelOptions.Tiny);
        writer.Add("clip.vision.image_grid_pinpoints", (int[])[336, 672, 336]);

        Assert.Contains(
            "image_grid_pinpoints is 3 numbers",
            Assert.Throws<ModelFormatException>(() => CheckProjector(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("blk.0.attn_qkv.weight")]
    [InlineData("blk.2.attn_norm.weight")]
    [InlineData("rope_freqs.weight")]
    [InlineData("output.bias")]
    [InlineData("v.patch_embd.weight")]
    public void CheckModel_UnknownTensor_IsNamed(string name)
    {
        var writer = RandomModel.BuildModel(RandomModelOptions.Tiny);
        writer.AddZeros(name, 16);

        Assert.Contains(
            $"tensor '{name}' must not be there: a qwen3vl has none",
            Assert.Throws<ModelFormatException>(() => Check(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("qwen3vl", "v.pre_ln.weight")]
    [InlineData("qwen3vl", "v.blk.0.ls1.weight")]
    [InlineData("qwen3vl", "v.blk.0.attn_q.weight")]
    [InlineData("qwen3vl", "v.blk.2.ln1.weight")]
    [InlineData("qwen2.5vl", "v.blk.0.ln1.bias")]
    [InlineData("qwen2.5vl", "v.patch_embd.bias")]
    [InlineData("qwen2.5vl", "v.deepstack.0.norm.weight")]
    [InlineData("qwen2vl", "v.blk.0.ffn_gate.weight")]
    [InlineData("qwen2vl", "mm.1.weight")]
    [InlineData("internvl3", "v.post_ln.weight")]
    [InlineData("internvl3", "v.blk.0.attn_q_norm.weight")]
    [InlineData("internvl3", "v.patch_embd.weight.1")]
    [InlineData("gemma3", "v.class_embd")]
    [InlineData("gemma3", "mm.0.weight")]
    [InlineData("smolvlm", "mm.model.fc.bias")]
    [InlineData("llava", "v.post_ln.weight")]
    [InlineData("llava", "model.image_newline")]
    [InlineData("pixtral", "mm.patch_merger.weight")]
    [InlineData("pixtral", "v.blk.0.attn_q.bias")]
    [InlineData("mistral-small", "v.post_ln.weight")]
    public void CheckProjector_UnknownTensor_IsNamed(string kind, string name)
    {
        var writer = RandomModel.BuildProjector(OptionsOf(kind));
        writer.AddZeros(name, 8);

        Assert.Contains(
            $"tensor '{name}' must not be there",
            Assert.Throws<ModelFormatException>(() => CheckProjector(writer)).Message,
            StringComparison.Ordinal
        );
    }

    /// <summary>What converters write besides what is needed.</summary>
    [Fact]
    public void Check_FilesOfConverters_Pass()
    {
        var model = RandomModel.BuildModel(RandomModelOptions.Tiny);
        model.Add("general.type", "model");
        model.Add("general.size_label", "2B");
        model.Add("general.tags", (string[])["image-text-to-text"]);
        model.Add("general.quantization_version", 2u);
        model.Add("general.sampling.top_k", 20);
        model.Add("quantize.imatrix.file", "imatrix.gguf");
        model.Add("qwen3vl.pooling_type", 3u);
        model.Add("qwen3vl.classifier.output_labels", (string[])["yes", "no"]);
        model.Add("qwen3vl.rope.scaling.type", "yarn");
        model.Add("qwen3vl.rope.scaling.factor", 4f);
        model.Add("qwen3vl.rope.scaling.original_context_length", 32768u);
        model.Add("tokenizer.ggml.add_eos_token", false);
        model.AddZeros("cls.output.weight", 16, 2);
        model.AddZeros("blk.0.attn_q.scale", 1);
        model.AddZeros("blk.1.ffn_down.input_scale", 1);
        Check(model);

        var projector = RandomModel.BuildProjector(RandomModelOptions.Tiny);
        projector.Add("clip.vision.image_min_pixels", 65536u);
        projector.Add("clip.vision.image_max_pixels", 16777216u);
        CheckProjector(projector);

        var old = RandomModel.BuildProjector(TinyQwen2);
        old.AddZeros("v.position_embd.weight", 10, 10);
        CheckProjector(old);
    }

    [Theory]
    [InlineData("v.patch_embd.weight")]
    [InlineData("v.patch_embd.weight.1")]
    public void CheckProjector_KernelInBrainFloats_IsNamed(string name)
    {
        var writer = RandomModel.BuildProjector(RandomModelOptions.Tiny);
        writer.RemoveTensor(name);
        writer.AddTensor(name, TensorType.Find(30)!, [4, 4, 3, 8], new byte[4 * 4 * 3 * 8 * 2]);

        var message = Assert.Throws<ModelFormatException>(() => CheckProjector(writer)).Message;
        Assert.Contains($"tensor {name} is stored as BF16; it must be F32 or F16", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("blk.0.attn_q.bias", 16)]
    [InlineData("blk.0.attn_q.scale", 1)]
    public void CheckModel_OptionalVectorInHalfPrecision_IsNamed(string name, int size)
    {
        var writer = RandomModel.BuildModel(RandomModelOptions.Tiny);
        writer.AddTensor(name, TensorType.F16, [size], new byte[2 * size]);

        Assert.Contains(
            $"tensor {name} is stored as F16; it must be F32",
            Assert.Throws<ModelFormatException>(() => Check(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("tokenizer.ggml.pre", "default", "tokenizer.ggml.pre is 'default'; it must be one of qwen2")]
    [InlineData("general.name", "Phi-3-Qwen", "general.name is 'Phi-3-Qwen'")]
    [InlineData("qwen3vl.rope.scaling.type", "dynamic", "rope.scaling.type is 'dynamic'")]
    public void CheckModel_TextThatStopsLlamaCpp_IsNamed(string key, string text, string message)
    {
        var writer = RandomModel.BuildModel(RandomModelOptions.Tiny);
        writer.Add(key, text);

        Assert.Contains(
            message,
            Assert.Throws<ModelFormatException>(() => Check(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("type", 6, "is 6 for token 0, '!'; it must be 1 to 5")]
    [InlineData("type", -1, "is -1 for token 0")]
    [InlineData("marker", 1, "is 1 for the marker <|image_pad|>; it must be 3 (control)")]
    [InlineData("eos", 1_000_000, "eos_token_id is 1000000")]
    [InlineData("sep", 0, "add_sep_token is True")]
    [InlineData("vocabulary", 17, "vocab_size is 17")]
    [InlineData("suppress", -1, "suppress_tokens is a list with -1")]
    public void CheckModel_BadTokenNumber_IsNamed(string what, int value, string message)
    {
        var writer = RandomModel.BuildModel(RandomModelOptions.Tiny);
        var vocabulary = new WordVocabulary();
        int[] types = [.. vocabulary.Types];
        switch (what)
        {
            case "type" or "marker":
                types[what == "type" ? 0 : vocabulary.IdOf("<|image_pad|>")] = value;
                writer.Add("tokenizer.ggml.token_type", types);
                break;
            case "eos":
                writer.Add("tokenizer.ggml.eos_token_id", (uint)value);
                break;
            case "sep":
                writer.Add("tokenizer.ggml.add_sep_token", true);
                break;
            case "vocabulary":
                writer.Add("qwen3vl.vocab_size", (uint)value);
                break;
            default:
                writer.Add("tokenizer.ggml.suppress_tokens", (int[])[1, value]);
                break;
        }

        Assert.Contains(
            message,
            Assert.Throws<ModelFormatException>(() => Check(writer)).Message,
            StringComparison.OrdinalIgnoreCase
        );
    }

    [Theory]
    [InlineData(null, null, "<|endoftext|> <|im_end|>")]
    [InlineData(",", null, "<|endoftext|> <|im_end|>")]
    [InlineData("!", "user", "<|endoftext|> <|im_end|>")]
    [InlineData("<|endoftext|>", null, "<|endoftext|> <|im_end|>")]
    [InlineData("<|quad_end|>", null, "<|endoftext|> <|im_end|> <|quad_end|>")]
    [InlineData("<|im_end|>", "</think>", "<|endoftext|> <|im_end|> </think>")]
    public void CheckModel_EndTokens_AreThoseOfTheVocabularyAndNoText(string? eos, string? eot, string expected)
    {
        var vocabulary = new WordVocabulary();
        var writer = RandomModel.BuildModel(RandomModelOptions.Tiny);
        foreach (var (role, token) in ((string, string?)[])[("eos", eos), ("eot", eot)])
        {
            var key = $"tokenizer.ggml.{role}_token_id";
            writer.Remove(key);
            if (token is not null)
            {
                writer.Add(key, (uint)vocabulary.IdOf(token));
            }
        }

        Assert.Equal(expected, string.Join(' ', Check(writer).EndTokenIds.Select(id => vocabulary.Tokens[id])));
    }

    [Theory]
    [InlineData("eos", uint.MaxValue)]
    [InlineData("bos", 500_000u)]
    [InlineData("padding", 400_000u)]
    [InlineData("eot", 1u << 31)]
    public void CheckModel_TokenIdBeyondTheVocabulary_IsNamed(string role, uint id)
    {
        var writer = RandomModel.BuildModel(RandomModelOptions.Tiny);
        var key = $"tokenizer.ggml.{role}_token_id";
        writer.Remove(key);
        writer.Add(key, id);

        Assert.Contains(
            $"{key} is {id}",
            Assert.Throws<ModelFormatException>(() => Check(writer)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void CheckPair_MmprojOfAnotherModel_SaysWhy()
    {
        var model = Check(RandomModel.BuildModel(RandomModelOptions.Tiny));

        AssertMisfit(
            model,
            RandomModelOptions.Tiny with
            {
                HiddenSize = 32,
            },
            "32 values, the model's hidden size is 16"
        );
        AssertMisfit(
            model,
            RandomModelOptions.Tiny with
            {
                DeepstackLayerCount = 2,
            },
            "2 deepstack layers, the model expects 1"
        );
        AssertMisfit(model, TinyQwen25, "qwen2.5vl_merger does not belong to Qwen3-VL");
        AssertMisfit(
            Check(RandomModel.BuildModel(TinyQwen25)),
            RandomModelOptions.Tiny,
            "qwen3vl_merger does not belong to Qwen2-VL, Qwen2.5-VL"
        );
    }

    private static void AssertMisfit(ModelFacts model, RandomModelOptions options, string message)
    {
        var projector = CheckProjector(RandomModel.BuildProjector(options));
        Assert.Contains(
            message,
            Assert.Throws<ModelFormatException>(() => Preflight.CheckPair(model, projector)).Message,
            StringComparison.Ordinal
        );
    }

    private static RandomModelOptions OptionsOf(string kind) => TinyModels.Of(kind);

    private static ModelFacts Check(GgufWriter writer) =>
        Preflight.CheckModel(GgufModel.Of(GgufBytes.Read(writer.ToArray())));

    private static ProjectorFacts CheckProjector(GgufWriter writer) =>
        Preflight.CheckProjector(GgufModel.Of(GgufBytes.Read(writer.ToArray())));

    private static void AssertEachIsNeeded(Func<GgufWriter> build, Action<GgufWriter> check, string architecture)
    {
        var isProjector = build().Keys.Contains("clip.projector_type");
        var hasMerger = build().TensorNames.Contains("mm.patch_merger.weight");
        foreach (var key in build().Keys)
        {
            var writer = build();
            writer.Remove(key);
            if (
                (
                    OptionalKeys.Contains(key.Replace(architecture + ".", "A.", StringComparison.Ordinal))
                    && !(hasMerger && key == "clip.vision.spatial_merge_size")
                ) || (isProjector && key == "general.architecture")
            )
            {
                check(writer);
            }
            else
            {
                Assert.Contains(
                    key,
                    Assert.Throws<ModelFormatException>(() => check(writer)).Message,
                    StringComparison.Ordinal
                );
            }
        }
    }

    private static void AssertEachTensorIsNeeded(Func<GgufWriter> build, Action<GgufWriter> check)
    {
        foreach (var name in build().TensorNames)
        {
            var writer = build();
            writer.RemoveTensor(name);
            Assert.Contains(
                $"tensor {name} is missing",
                Assert.Throws<ModelFormatException>(() => check(writer)).Message,
                StringComparison.Ordinal
            );
        }
    }

    private static void AssertEachShapeIsChecked(Func<GgufWriter> build, Action<GgufWriter> check)
    {
        foreach (var name in build().TensorNames)
        {
            var writer = build();
            writer.RemoveTensor(name);
            writer.AddZeros(name, 3, 5);
            Assert.Contains(
                $"tensor {name} has shape [3, 5]",
                Assert.Throws<ModelFormatException>(() => check(writer)).Message,
                StringComparison.Ordinal
            );
        }
    }
}
