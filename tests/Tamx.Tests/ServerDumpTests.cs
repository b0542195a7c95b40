using System.Text;
using System.Text.Json;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>Dumps of vLLM and SGLang, as their documentation and examples describe them, give the run's own maps.</summary>
public sealed class ServerDumpTests : IDisposable
{
    private static readonly ModelFiles Files = TestModels.Qwen3VlUntied;
    private static readonly Lazy<Task<Trace>> Run = new(RunAsync);

    private readonly TemporaryFolder _folder = new();

    private string Dump => _folder.File("dump.safetensors");

    private string Json => _folder.File("dump.json");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false, 1e-4)]
    [InlineData(true, 0.1)]
    public async Task Load_DumpOfVllm_GivesTheRunsMaps(bool isHalf, double tolerance)
    {
        var trace = await Run.Value;
        WriteVllm(trace, isHalf);
        var loaded = TraceFile.Load(Dump, Files.ModelPath, Options(trace) with { DumpLayers = [0, LayerCount - 1] });

        Assert.Equal(trace.TokenIds, loaded.TokenIds);
        Assert.Equal(trace.ImageGrids, loaded.ImageGrids);
        FloatAssert.Equal(trace.HiddenStates.Span, loaded.HiddenStates.Span, isHalf ? 0.06 : 1e-4, "hidden state");
        FloatAssert.Equal(
            trace.Layers.Single().HiddenStates.Span,
            loaded.Layers.Single().HiddenStates.Span,
            isHalf ? 0.06 : 1e-4,
            "layer 0"
        );
        AssertMaps(trace, loaded, tolerance);
    }

    [Fact]
    public async Task Load_DumpOfVllmWithoutItsLayersNamed_ReadsTheLast()
    {
        var trace = await Run.Value;
        WriteVllm(trace, isHalf: false);
        var loaded = TraceFile.Load(Dump, Files.ModelPath, Options(trace));
        Assert.Empty(loaded.Layers);
        AssertMaps(trace, loaded, 1e-4);
    }

    /// <summary>The server tells one token for the picture, or all.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Load_AnswerOfSglang_GivesTheRunsMaps(bool isExpanded)
    {
        var trace = await Run.Value;
        WriteSglang(trace, isExpanded, withInput: true);
        var loaded = TraceFile.Load(Json, Files.ModelPath, Options(trace));
        Assert.Equal(trace.TokenIds, loaded.TokenIds);
        AssertMaps(trace, loaded, 1e-5);
    }

    [Fact]
    public async Task Load_WithThePicture_FindsItsGridAndShowsIt()
    {
        var trace = await Run.Value;
        WriteVllm(trace, isHalf: false);
        var picture = _folder.File("picture.png");
        File.WriteAllBytes(picture, TestPictures.Gradient(128, 96).Encoded.ToArray());
        var loaded = TraceFile.Load(Dump, Files.ModelPath, new DumpOptions { Pictures = [picture] });
        Assert.Equal(trace.ImageGrids, loaded.ImageGrids);
        Assert.Equal((128, 96), (loaded.Pictures[0].Width, loaded.Pictures[0].Height));
    }

    /// <summary>An axis of 300,000 layers: 8 GB, most of which are holes. Two layers are read.</summary>
    [Fact]
    public async Task Load_DumpOfEightGigabytes_ReadsTheLayersThatAreNeeded()
    {
        var trace = await Run.Value;
        const int Layers = 300_000;
        var (rows, size) = (trace.HiddenRowCount, trace.HiddenSize);
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs sparse files.");
        var bytes = (long)rows * Layers * size * sizeof(float);
        Assert.True(bytes > 8_000_000_000, $"{bytes}");
        var states = Residual(trace.HiddenStates.ToArray());
        var ids = trace.TokenIds.Select(id => (long)id).ToArray();
        var header = Encoding.UTF8.GetBytes(
            $$$"""{"hidden_states":{"dtype":"F32","shape":[{{{rows}}},{{{Layers}}},{{{size}}}],"data_offsets":[0,{{{bytes}}}]},"token_ids":{"dtype":"I64","shape":[{{{ids.Length}}}],"data_offsets":[{{{bytes}}},{{{bytes + (8 * ids.Length)}}}]}}"""
        );
        using (var file = File.Create(Dump))
        {
            file.Write(BitConverter.GetBytes((long)header.Length));
            file.Write(header);
            var start = file.Position;
            for (var row = 0; row < rows; row++)
            {
                file.Position = start + ((((long)row * Layers) + Layers - 1) * size * sizeof(float));
                file.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(states.AsSpan(row * size, size)));
            }

            file.Position = start + bytes;
            file.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<long>(ids));
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        var loaded = TraceFile.Load(Dump, Files.ModelPath, Options(trace));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 300_000_000);
        AssertMaps(trace, loaded, 1e-4);
    }

    [Fact]
    public async Task Load_DumpThatDoesNotSayEnough_NamesWhatIsMissing()
    {
        var trace = await Run.Value;
        WriteVllm(trace, isHalf: false);
        Refused("(modelPath)", null);
        Refused("give Pictures or Grids", new DumpOptions(), Files.ModelPath);
        Refused("gives it 2 x 2 cells", new DumpOptions { Grids = [(2, 2)] }, Files.ModelPath);
        Refused("names 2", new DumpOptions { Grids = [(2, 2), (3, 3)] }, Files.ModelPath);
        Refused("holds 2 layers", Options(trace) with { DumpLayers = [7] }, Files.ModelPath);

        void Refused(string message, DumpOptions? options, string? model = null) =>
            Assert.Contains(
                message,
                Assert.Throws<TraceFormatException>(() => TraceFile.Load(Dump, model, options)).Message,
                StringComparison.Ordinal
            );
    }

    [Fact]
    public async Task Load_DamagedAnswerOfSglang_IsRefused()
    {
        var trace = await Run.Value;
        WriteSglang(trace, isExpanded: true, withInput: false);
        Assert.Contains("\"input_ids\"", Fault(), StringComparison.Ordinal);
        WriteSglang(trace, isExpanded: true, withInput: true);
        var whole = File.ReadAllText(Json);
        foreach (
            var text in (string[])
                [
                    whole[..(whole.Length / 2)],
                    "{}",
                    "[]",
                    "[{},{}]",
                    whole.Replace("\"hidden_states\":[[[", "\"hidden_states\":[[[[", StringComparison.Ordinal),
                    whole.Replace("\"hidden_states\":[[[", "\"hidden_states\":[[[1,", StringComparison.Ordinal),
                    whole.Replace("\"output_ids\":[", "\"output_ids\":[-1,", StringComparison.Ordinal),
                    whole.Replace("\"output_ids\":[", "\"output_ids\":[1e9,", StringComparison.Ordinal),
                ]
        )
        {
            File.WriteAllText(Json, text);
            Assert.DoesNotContain('\n', Fault());
        }

        string Fault() =>
            Assert
                .ThrowsAny<InvalidInputException>(() => TraceFile.Load(Json, Files.ModelPath, Options(trace)))
                .Message;
    }

    private static int LayerCount => LoadedModels.Get("qwen3vl-untied").Facts.LayerCount;

    private static DumpOptions Options(Trace trace) =>
        new() { Grids = [(trace.ImageGrids[0].Rows / 2, trace.ImageGrids[0].Columns / 2)] };

    private static async Task<Trace> RunAsync()
    {
        var explanation = await Explainer.ExplainAsync(
            LoadedModels.Get("qwen3vl-untied"),
            [new ChatTurn(TurnRole.User, [TestPictures.Gradient(128, 96), new TextPart("Describe this image.")])],
            new ExplainOptions
            {
                Completion = new CompletionOptions { MaxNewTokens = 5, CandidateCount = 0 },
                Layers = [0],
                ExplainEndToken = false,
            },
            new ReferenceEngine()
        );
        return explanation.Trace;
    }

    /// <summary>A dump has no candidates: the answer is the last turn's text.</summary>
    private static void AssertMaps(Trace trace, Trace loaded, double tolerance) =>
        MapAssert.Equal(ActivationMaps.Compute(trace), ActivationMaps.Compute(loaded), tolerance);

    /// <summary>States whose norm is these, of another length in each row.</summary>
    private static float[] Residual(float[] states)
    {
        var weight = new OutputNorm(Preflight.CheckModel(GgufModel.Open(Files.ModelPath))).Weight.ToArray();
        return [.. states.Select((value, i) => value / weight[i % weight.Length] * (20 + (i / weight.Length % 7)))];
    }

    private void WriteVllm(Trace trace, bool isHalf)
    {
        var (rows, size) = (trace.HiddenRowCount, trace.HiddenSize);
        var (first, last) = (Residual(trace.Layers[0].HiddenStates.ToArray()), Residual(trace.HiddenStates.ToArray()));
        float[] states =
        [
            .. Enumerable
                .Range(0, rows)
                .SelectMany(row =>
                    first[(row * size)..((row + 1) * size)].Concat(last[(row * size)..((row + 1) * size)])
                ),
        ];
        TensorPart.Write(
            Dump,
            isHalf
                ? TensorPart.BFloats("hidden_states", states, rows, 2, size)
                : TensorPart.Singles("hidden_states", states, rows, 2, size),
            TensorPart.Integers("token_ids", [.. trace.TokenIds], trace.TokenIds.Length)
        );
    }

    private void WriteSglang(Trace trace, bool isExpanded, bool withInput)
    {
        var prompt = trace.TokenIds.Length - 5;
        var rows = trace.HiddenStates.ToArray().Chunk(trace.HiddenSize).ToList();
        var ids = trace.TokenIds.Take(prompt);
        if (!isExpanded)
        {
            ids = ids.Where((id, i) => i == 0 || id != trace.Markers.ImagePad || trace.TokenIds[i - 1] != id);
        }

        var answer = new Dictionary<string, object>
        {
            ["text"] = "x",
            ["output_ids"] = trace.TokenIds.Skip(prompt),
            ["meta_info"] = new Dictionary<string, object>
            {
                ["hidden_states"] = rows.Skip(prompt).Cast<object>().Prepend(rows.Take(prompt)),
            },
        };
        if (withInput)
        {
            answer["input_ids"] = ids;
        }

        File.WriteAllText(Json, JsonSerializer.Serialize(answer));
    }
}
