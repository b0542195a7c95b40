using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>
/// Dumps travel both ways between Tamx and TAMX. Its <c>encode.py</c> and <c>generate.py</c> save <c>hidden_state</c>
/// [1, S-1, D] in the model's type, <c>generated_ids</c> I64 [1, S], <c>candidate_ids_per_step</c> I64 [G, 3] (generate
/// only), grids I64 [m, 3], or F32 [0] where there are none, and no rows of the output embedding; its reading side
/// takes <c>hidden_state[0]</c> and <c>generated_ids[0]</c>.
/// </summary>
public sealed class DumpTests : IDisposable
{
    private static readonly ModelFiles Files = TestModels.Qwen3VlUntied;

    private readonly TemporaryFolder _folder = new();

    private string Path => _folder.File("dump.safetensors");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Load_TamxScriptsDumpWithModel_GivesTheRunsMaps(bool isGenerated)
    {
        var trace = (await RunAsync()).Trace;
        var vocabulary = LoadedModels.Get("qwen3vl-untied").Vocabulary;

        // encode.py saves the whole conversation: the answer's turn is closed, and the last row is left out.
        int[] ids = isGenerated
            ? [.. trace.TokenIds]
            : [.. trace.TokenIds, vocabulary.FindId("<|im_end|>"), vocabulary.FindId("\n")];
        float[] states =
        [
            .. trace.HiddenStates.Span,
            .. new float[(ids.Length - 1 - trace.HiddenRowCount) * trace.HiddenSize],
        ];
        var rounded = Array.ConvertAll(states, TensorPart.Rounded);
        var parts = new List<TensorPart>
        {
            TensorPart.BFloats("hidden_state", rounded, 1, ids.Length - 1, trace.HiddenSize),
            TensorPart.Integers("generated_ids", ids, 1, ids.Length),
            TensorPart.Integers("image_grid_thw", [1, trace.ImageGrids[0].Rows, trace.ImageGrids[0].Columns], 1, 3),
            new("video_grid_thw", "F32", [0], []),
        };
        if (isGenerated)
        {
            parts.Add(
                TensorPart.Integers(
                    "candidate_ids_per_step",
                    [.. trace.CandidateIds!.SelectMany(step => step)],
                    trace.CandidateIds!.Count,
                    3
                )
            );
        }

        Write([.. parts]);

        var loaded = TraceFile.Load(Path, Files.ModelPath);
        var maps = ActivationMaps.Compute(loaded);

        Assert.Equal(ids, loaded.TokenIds.ToArray());
        Assert.Equal(rounded, loaded.HiddenStates.ToArray());
        Assert.Equal(trace.Markers, loaded.Markers);
        Assert.All(
            trace.OutputIds.Intersect(loaded.OutputIds),
            id => Assert.Equal(new TraceRows(trace).RowOf(id).ToArray(), new TraceRows(loaded).RowOf(id).ToArray())
        );
        Assert.All(
            trace.OutputIds.Intersect(loaded.OutputIds),
            id => Assert.Equal(trace.FindText(id), loaded.FindText(id))
        );

        // The run's maps from the same rounded states; an encoded dump has no candidates to normalise with.
        var expected = ActivationMaps.Compute(
            With(
                trace,
                Array.ConvertAll(trace.HiddenStates.ToArray(), TensorPart.Rounded),
                isGenerated ? trace.CandidateIds! : [.. trace.CandidateIds!.Select(_ => ImmutableArray<int>.Empty)]
            )
        );
        MapAssert.Equal(expected, maps, 1e-6);
        Assert.Equal(isGenerated ? 3 : 0, maps.Answer[0].Candidates.Count);
    }

    [Fact]
    public async Task Save_Trace_HasTheNamesTypesAndShapesThatTamxReads()
    {
        var trace = (await RunAsync()).Trace;
        TraceFile.Save(trace, Path);

        using var file = SafetensorsFile.Open(Path);
        Assert.Equal(
            "F32 [1, S-1, D]",
            Describe("hidden_state", (trace.TokenIds.Length - 1, "S-1"), (trace.HiddenSize, "D"))
        );
        Assert.Equal("I64 [1, S]", Describe("generated_ids", (trace.TokenIds.Length, "S")));
        Assert.Equal("I64 [G, 3]", Describe("candidate_ids_per_step", (trace.CandidateIds!.Count, "G")));
        Assert.Equal("I64 [1, 3]", Describe("image_grid_thw"));
        Assert.DoesNotContain("video_grid_thw", file.Tensors.Keys);

        // torch gives every tensor of the file, so none may be of a type or an alignment it does not know.
        Assert.All(
            file.Tensors.Values,
            tensor =>
                Assert.Contains(
                    tensor.DType,
                    (SafetensorsDType[])[SafetensorsDType.F32, SafetensorsDType.I64, SafetensorsDType.U8]
                )
        );

        string Describe(string name, params (long Length, string Axis)[] axes) =>
            $"{file.Tensors[name].DType} [{string.Join(", ", file.Tensors[name].Shape.Select(length => axes.FirstOrDefault(axis => axis.Length == length && length > 3).Axis ?? $"{length}"))}]";
    }

    [Fact]
    public async Task Load_ModelOfAnotherHiddenSize_IsRefused()
    {
        await WriteWithoutRows();
        var other = TestModels.LargeVocabulary.ModelPath;

        var exception = Assert.Throws<TraceFormatException>(() => TraceFile.Load(Path, other));
        Assert.Contains(
            $"hidden states have 256 values, those of {other} 64",
            exception.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Load_TokenIdBeyondTheModelsVocabulary_IsRefused()
    {
        await WriteWithoutRows(ids => ids[^1] = 151935);

        var exception = Assert.Throws<TraceFormatException>(() => TraceFile.Load(Path, Files.ModelPath));
        Assert.Contains("token id 151935, but", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_NoRowsAndNoModel_SaysThatAModelHasThem()
    {
        await WriteWithoutRows();
        Assert.Contains(
            "(modelPath)",
            Assert.Throws<TraceFormatException>(() => TraceFile.Load(Path)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Open_EveryToken_HasTheBytesThatLlamaGives()
    {
        var vocabulary = LoadedModels.Get("qwen3vl-untied").Vocabulary;
        var tokens = ModelTokens.Open(Files.ModelPath);

        Assert.Equal(vocabulary.Count, tokens.Facts.VocabularySize);
        Assert.All(
            Enumerable.Range(0, vocabulary.Count),
            id => Assert.Equal(vocabulary.GetBytes(id), tokens.GetBytes(id))
        );
        Assert.Equal(MarkerIds.Find(vocabulary), MarkerIds.Find(tokens));
        Assert.Throws<ModelFormatException>(() => tokens.FindId("no such token"));
    }

    private static Task<Explanation> RunAsync() =>
        Explainer.ExplainAsync(
            LoadedModels.Get("qwen3vl-untied"),
            [new ChatTurn(TurnRole.User, [TestPictures.Gradient(128, 96), new TextPart("Describe this image.")])],
            new ExplainOptions
            {
                Completion = new CompletionOptions { MaxNewTokens = 5, CandidateCount = 3 },
                ExplainEndToken = false,
            },
            new ReferenceEngine()
        );

    private async Task WriteWithoutRows(Action<int[]>? change = null)
    {
        var trace = (await RunAsync()).Trace;
        int[] ids = [.. trace.TokenIds];
        change?.Invoke(ids);
        Write(
            new TensorPart(
                "hidden_state",
                "F32",
                [1, trace.HiddenRowCount, trace.HiddenSize],
                MemoryMarshal.AsBytes(trace.HiddenStates.Span).ToArray()
            ),
            TensorPart.Integers("generated_ids", ids, 1, ids.Length),
            TensorPart.Integers("image_grid_thw", [1, trace.ImageGrids[0].Rows, trace.ImageGrids[0].Columns], 1, 3)
        );
    }

    private static Trace With(Trace trace, float[] states, IReadOnlyList<ImmutableArray<int>> candidates) =>
        new()
        {
            TokenIds = trace.TokenIds,
            HiddenSize = trace.HiddenSize,
            HiddenStates = states,
            OutputIds = trace.OutputIds,
            OutputRows = trace.OutputRows,
            OutputTexts = trace.OutputTexts,
            ImageGrids = trace.ImageGrids,
            CandidateIds = candidates,
            Markers = trace.Markers,
        };

    private void Write(params TensorPart[] parts) => TensorPart.Write(Path, parts);
}
