using System.Text.Json.Nodes;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>A dump takes from a model's own folder what it takes from its GGUF.</summary>
public sealed class CheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Dump => _folder.File("dump.safetensors");

    private string Model => _folder.File("model");

    public void Dispose() => _folder.Dispose();

    /// <summary>Bfloat16 has 8 bits: rows and norm are off by up to 2^-8 of themselves, F16 by up to 2^-11.</summary>
    [Theory]
    [InlineData("F32", false, 0)]
    [InlineData("F32", true, 0)]
    [InlineData("F16", true, 2e-2)]
    [InlineData("BF16", true, 0.1)]
    public async Task Load_DumpOfVllmWithTheFolder_GivesTheMapsOfTheGguf(string dtype, bool isSharded, double tolerance)
    {
        var trace = await ServerDumps.Run.Value;
        ServerDumps.WriteVllm(Dump, trace, isHalf: false);
        CheckpointFolder.Write(Model, TestModels.Qwen3VlUntied.ModelPath, dtype, isSharded);
        var options = ServerDumps.Options(trace) with { DumpLayers = [0, ServerDumps.LayerCount - 1] };
        var expected = TraceFile.Load(Dump, TestModels.Qwen3VlUntied.ModelPath, options);
        var loaded = TraceFile.Load(Dump, Model, options);

        Assert.Equal(expected.TokenIds, loaded.TokenIds);
        Assert.Equal(expected.OutputIds, loaded.OutputIds);
        Assert.Equal(expected.Markers, loaded.Markers);
        Assert.Equal(expected.ImageGrids, loaded.ImageGrids);
        Assert.All(expected.OutputIds, id => Assert.Equal(expected.FindText(id), loaded.FindText(id)));
        Assert.Equal(("qwen3vl", dtype, "model"), (loaded.Run.Architecture, loaded.Run.Quantization, loaded.Run.Model));
        FloatAssert.Equal(expected.OutputRows.Span, loaded.OutputRows.Span, tolerance, "row");
        FloatAssert.Equal(
            expected.Layers.Single().HiddenStates.Span,
            loaded.Layers.Single().HiddenStates.Span,
            tolerance,
            "layer"
        );
        MapAssert.Equal(ActivationMaps.Compute(expected), ActivationMaps.Compute(loaded), tolerance);
    }

    /// <summary>Tied and not, flat and nested, and norms that are stored less 1.</summary>
    [Theory]
    [InlineData("qwen3vl", false)]
    [InlineData("qwen3vlmoe", false)]
    [InlineData("qwen2.5vl", true)]
    [InlineData("qwen2.5vl-untied", true)]
    [InlineData("qwen35", false)]
    [InlineData("qwen35moe", false)]
    public void Open_FolderOfEachFamily_IsTheModelOfItsGguf(string name, bool isFlat)
    {
        var path = TestModels.Get(name).ModelPath;
        CheckpointFolder.Write(Model, path, "F32", isSharded: true, isFlat);
        var size = ModelTokens.Open(path).OutputEmbedding.HiddenSize;
        var (expected, opened) = (Open(path), Open(Model));
        var count = expected.OutputEmbedding.TokenCount;
        int[] ids = [.. Enumerable.Range(0, count)];

        Assert.Equal(count, opened.OutputEmbedding.TokenCount);
        Assert.Equal(expected.OutputEmbedding.ReadRows(ids), opened.OutputEmbedding.ReadRows(ids));
        Assert.All(ids, id => Assert.Equal(expected.GetBytes(id), opened.GetBytes(id)));
        Assert.Equal(expected.FindMarkers(), opened.FindMarkers());
        Assert.Equal(expected.Run.Architecture, opened.Run.Architecture);
        FloatAssert.Equal(expected.OutputNorm.Weight, opened.OutputNorm.Weight, 1e-6, "norm");
        float[] residual = [.. Enumerable.Range(0, size).Select(i => MathF.Sin(i))];
        Assert.Equal(expected.OutputNorm.Scale(residual), opened.OutputNorm.Scale(residual));

        RunModel Open(string from) => RunModel.Open(from, size, [], null);
    }

    [Fact]
    public async Task WithCandidates_Folder_FindsThoseOfTheGguf()
    {
        var trace = await ServerDumps.Run.Value;
        CheckpointFolder.Write(Model, TestModels.Qwen3VlUntied.ModelPath, "F32", isSharded: true);
        var engine = new ReferenceEngine();
        var expected = trace.WithCandidates(TestModels.Qwen3VlUntied.ModelPath, 3, engine: engine);
        var found = trace.WithCandidates(Model, 3, engine: engine);
        Assert.Equal(expected.CandidateIds, found.CandidateIds);
        Assert.Equal(expected.CandidateProbabilities, found.CandidateProbabilities);
    }

    /// <summary>The output embedding has 8 GB, nearly all of them a hole. Only the rows in use are read.</summary>
    [Fact]
    public async Task Load_FolderOfEightGigabytes_ReadsTheRowsThatAreNeeded()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs sparse files.");
        var trace = await ServerDumps.Run.Value;
        ServerDumps.WriteVllm(Dump, trace, isHalf: false);
        CheckpointFolder.Write(Model, TestModels.Qwen3VlUntied.ModelPath, "F32", isSharded: true);
        const int Rows = 8_000_000;
        var head = Path.Combine(Model, "model-00001-of-00003.safetensors");
        var data = File.ReadAllBytes(head).AsSpan((int)(8 + BitConverter.ToInt64(File.ReadAllBytes(head)))).ToArray();
        var bytes = (long)Rows * trace.HiddenSize * sizeof(float);
        Assert.True(bytes > 8_000_000_000, $"{bytes}");
        var header = System.Text.Encoding.UTF8.GetBytes(
            $$$"""{"lm_head.weight":{"dtype":"F32","shape":[{{{Rows}}},{{{trace.HiddenSize}}}],"data_offsets":[0,{{{bytes}}}]}}"""
        );
        using (var file = File.Create(head))
        {
            file.Write(BitConverter.GetBytes((long)header.Length));
            file.Write(header);
            file.Write(data);
            file.SetLength(8 + header.Length + bytes);
        }

        CheckpointFolder.Change(Model, "config.json", config => config["text_config"]!["vocab_size"] = Rows);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var loaded = TraceFile.Load(Dump, Model, ServerDumps.Options(trace));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 300_000_000);
        var expected = TraceFile.Load(Dump, TestModels.Qwen3VlUntied.ModelPath, ServerDumps.Options(trace));
        Assert.Equal(expected.OutputRows.ToArray(), loaded.OutputRows.ToArray());
    }

    /// <summary>One token stands for each of two pictures; the model's files say how many cells each has.</summary>
    [Theory]
    [InlineData(128, 96, 3, 4)]
    [InlineData(1920, 1080, 24, 42)]
    [InlineData(31, 20, 2, 3)]
    [InlineData(2000, 9, 1, 62)]
    public void Cells_Picture_AreThoseOfQwensProcessor(int width, int height, int rows, int columns)
    {
        CheckpointFolder.Write(Model, TestModels.Qwen3Vl.ModelPath, "F32", isSharded: false);
        var cells = Checkpoint.Open(Model).Cells!;
        Assert.Equal((rows, columns), cells.Of(width, height));
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task Load_DamagedFolder_SaysWhatIsWrongInOneLine(string file, string change, string message)
    {
        var trace = await ServerDumps.Run.Value;
        ServerDumps.WriteVllm(Dump, trace, isHalf: false);
        CheckpointFolder.Write(Model, TestModels.Qwen3VlUntied.ModelPath, "F32", isSharded: true);
        Damage(Path.Combine(Model, file), change);
        var fault = Assert.ThrowsAny<InvalidInputException>(() =>
            TraceFile.Load(Dump, Model, ServerDumps.Options(trace))
        );
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
    }

    public static TheoryData<string, string, string> Damages { get; } =
        new()
        {
            { "config.json", "-", "is a folder without config.json" },
            { "config.json", "half", "config.json: is not the JSON" },
            { "config.json", "[]", "config.json: is not the JSON" },
            { "config.json", "null", "config.json: is null" },
            { "config.json", "{}", "model_type '' is not supported; qwen3_vl, " },
            { "config.json", "model_type=\"llama\"", "model_type 'llama' is not supported" },
            { "config.json", "text_config={}", "hidden_size is missing" },
            { "config.json", "text_config={\"hidden_size\":0}", "hidden_size is 0; 1 to 65536" },
            { "config.json", "text_config={\"hidden_size\":1e99}", "config.json: is not the JSON" },
            { "config.json", "text_config={\"hidden_size\":256}", "vocab_size is missing" },
            { "config.json", "text_config={\"hidden_size\":256,\"vocab_size\":9}", "rms_norm_eps is ;" },
            {
                "config.json",
                "text_config={\"hidden_size\":256,\"vocab_size\":9,\"rms_norm_eps\":1e-6}",
                "config.json beside it says [9, 256]"
            },
            { "config.json", "image_token_id=3", "image_token_id is 3, but the vocabulary" },
            { "config.json", "vision_start_token_id=3", "vision_start_token_id is 3, but" },
            { "config.json", "vision_config={\"patch_size\":0,\"spatial_merge_size\":2}", "patch_size 0" },
            { "preprocessor_config.json", "size={\"shortest_edge\":9,\"longest_edge\":4}", "from 9 to 4 pixels" },
            { "tokenizer.json", "-", "has neither tokenizer.json nor vocab.json" },
            { "tokenizer.json", "half", "tokenizer.json: is not the JSON" },
            { "tokenizer.json", "model={}", "has no vocabulary" },
            { "tokenizer.json", "model={\"vocab\":{\"a\":7,\"b\":7}}", "two tokens with the id 7" },
            { "tokenizer.json", "model={\"vocab\":{\"a\":-7}}", "a token with the id -7" },
            { "tokenizer.json", "model={\"vocab\":{\"a\":99999999}}", "rows; files of one model are needed" },
            { "tokenizer.json", "added_tokens=[null]", "a token with the id -1" },
            { "tokenizer.json", "added_tokens=[]", "has no single token for <|im_start|>" },
            { "model.safetensors.index.json", "-", "has neither model.safetensors.index.json nor" },
            { "model.safetensors.index.json", "half", "index.json: is not the JSON" },
            {
                "model.safetensors.index.json",
                "weight_map={}",
                "has no tensor lm_head.weight; config.json does not say"
            },
            {
                "model.safetensors.index.json",
                "weight_map={\"lm_head.weight\":\"../x.safetensors\"}",
                "a .safetensors file beside it is needed"
            },
            { "model.safetensors.index.json", "weight_map={\"lm_head.weight\":null}", "a .safetensors file beside" },
            {
                "model.safetensors.index.json",
                "weight_map={\"lm_head.weight\":\"model-00002-of-00003.safetensors\"}",
                "lacks the tensor lm_head.weight"
            },
            { "model-00001-of-00003.safetensors", "-", "no such file" },
            { "model-00001-of-00003.safetensors", "half", "the file holds" },
            { "model-00003-of-00003.safetensors", "half", "the file holds" },
            { "model-00001-of-00003.safetensors", "{}", "00003.safetensors: the file has 2 bytes" },
            { "model-00001-of-00003.safetensors", "F8", "is F8_E4M3 [4, 2]; F32, F16 or BF16 is needed" },
        };

    /// <summary>Deletes the file, halves it, changes properties of its JSON, or replaces it.</summary>
    private static void Damage(string path, string change)
    {
        if (change == "-")
        {
            File.Delete(path);
        }
        else if (change == "half")
        {
            var bytes = File.ReadAllBytes(path);
            File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
        }
        else if (change == "F8")
        {
            TensorPart.Write(path, new TensorPart("lm_head.weight", "F8_E4M3", [4, 2], new byte[8]));
        }
        else if (change.IndexOf('=', StringComparison.Ordinal) is > 0 and var at)
        {
            var (name, value) = (change[..at], change[(at + 1)..]);
            CheckpointFolder.Change(
                Path.GetDirectoryName(path)!,
                Path.GetFileName(path),
                json => json[name] = JsonNode.Parse(value)
            );
        }
        else
        {
            File.WriteAllText(path, change);
        }
    }
}
