using System.Runtime.InteropServices;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>
/// What else the model would have written, found without llama.cpp: it must be what llama.cpp itself gave.
/// </summary>
public sealed class CandidateTests : IDisposable
{
    private const int Count = 6;

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Engines => TestEngines.Names;

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// A head of its own, a tied one, one in another file of a split model; the tolerance is of a logit.
    /// </summary>
    [Theory]
    [InlineData("qwen3vl-untied", 1e-5)]
    [InlineData("qwen2.5vl", 1e-5)]
    [InlineData("qwen3vl-split", 1e-5)]
    public async Task WithCandidates_RunWithoutThem_GivesLlamasOwn(string model, double tolerance)
    {
        var trace = await RunAsync(model);

        var found = Without(trace).WithCandidates(TestModels.Get(model).ModelPath, Count);

        AssertSameCandidates(trace, found, tolerance);
        Assert.Equal(trace.OutputIds.AsSpan(), found.OutputIds.AsSpan());
        Assert.Equal(trace.OutputRows.ToArray(), found.OutputRows.ToArray());
        Assert.Equal(
            trace.OutputTexts!.Select(text => text.ToArray()),
            found.OutputTexts!.Select(text => text.ToArray())
        );
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task WithCandidates_AnyEngine_GivesLlamasOwn(string kind)
    {
        var trace = await RunAsync("qwen3vl-untied");
        using var engine = TamEngines.Create(kind);

        AssertSameCandidates(
            trace,
            Without(trace).WithCandidates(ModelPath("qwen3vl-untied"), Count, engine: engine),
            1e-5
        );
    }

    /// <summary>
    /// As encode.py saves it: the answer's turn is closed, there is nothing but states, ids and the grid.
    /// </summary>
    [Fact]
    public async Task WithCandidates_EncodedDump_EndsWithTheAnswer()
    {
        var trace = await RunAsync("qwen3vl-untied");
        var vocabulary = LoadedModels.Get("qwen3vl-untied").Vocabulary;
        var path = _folder.File("dump.safetensors");
        int[] ids = [.. trace.TokenIds, vocabulary.FindId("<|im_end|>"), vocabulary.FindId("\n")];
        var writer = new SafetensorsWriter();
        writer.AddSingles(
            "hidden_state",
            (float[])
                [.. trace.HiddenStates.Span, .. new float[(ids.Length - 1 - trace.HiddenRowCount) * trace.HiddenSize]],
            1,
            ids.Length - 1,
            trace.HiddenSize
        );
        writer.AddIntegers("generated_ids", Array.ConvertAll(ids, id => (long)id), 1, ids.Length);
        writer.AddIntegers("image_grid_thw", [1, trace.ImageGrids[0].Rows, trace.ImageGrids[0].Columns], 1, 3);
        writer.Write(path);
        var dump = TraceFile.Load(path, ModelPath("qwen3vl-untied"));
        Assert.Null(dump.CandidateIds);

        var found = dump.WithCandidates(ModelPath("qwen3vl-untied"), Count);
        TraceFile.Save(found, _folder.File("found.safetensors"));
        var loaded = TraceFile.Load(_folder.File("found.safetensors"));
        var maps = ActivationMaps.Compute(loaded);

        AssertSameCandidates(trace, loaded, 1e-5);
        Assert.Equal(trace.TokenIds.AsSpan(), loaded.TokenIds.AsSpan());
        Assert.Equal(ActivationMaps.Compute(dump).Layout.AnswerPositions, maps.Layout.AnswerPositions);
        Assert.All(
            maps.Answer.Zip(trace.CandidateIds!),
            pair => Assert.Equal(pair.Second, pair.First.Candidates.Select(candidate => candidate.TokenId))
        );
        FloatAssert.Equal(
            ActivationMaps.Compute(trace).Answer[^1].Candidates[1].VisionMaps[0]!.Values.Span,
            maps.Answer[^1].Candidates[1].VisionMaps[0]!.Values.Span,
            2e-6
        );
    }

    [Fact]
    public async Task WithCandidates_TraceThatHasSome_TakesTheirPlace()
    {
        var trace = await RunAsync("qwen3vl-untied");

        var found = trace.WithCandidates(ModelPath("qwen3vl-untied"), 2);

        Assert.All(
            found.CandidateIds!.Zip(trace.CandidateIds!),
            pair => Assert.Equal(pair.Second[..2].AsSpan(), pair.First.AsSpan())
        );
        Assert.All(found.CandidateProbabilities!, step => Assert.Equal(2, step.Length));
        Assert.Equal(trace.OutputIds.AsSpan(), found.OutputIds.AsSpan());
    }

    [Fact]
    public async Task Run_VocabularyInManySlices_GivesWhatOneGives()
    {
        var trace = await RunAsync("qwen3vl-untied");
        var embedding = ModelTokens.Open(ModelPath("qwen3vl-untied")).OutputEmbedding;
        using var engine = new ReferenceEngine();

        var whole = VocabularySearch.Run(embedding, trace.HiddenStates.Span, 9, engine);
        foreach (var bytes in (int[])[1, 7 * sizeof(float) * trace.HiddenSize])
        {
            var sliced = VocabularySearch.Run(embedding, trace.HiddenStates.Span, 9, engine, sliceBytes: bytes);

            Assert.Equal(whole.Best, sliced.Best);
            FloatAssert.Equal(whole.LogSums, sliced.LogSums, 1e-12);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(65)]
    public async Task WithCandidates_CountOutOfRange_IsRefused(int count) =>
        await AssertRefused(
            trace => trace.WithCandidates(ModelPath("qwen3vl-untied"), count),
            $"{count} candidates: there can be from 1 to 64 per step"
        );

    [Fact]
    public async Task WithCandidates_ModelOfAnotherHiddenSize_IsRefused() =>
        await AssertRefused(
            trace => trace.WithCandidates(TestModels.LargeVocabulary.ModelPath, 3),
            $"its hidden states have 256 values, those of {TestModels.LargeVocabulary.ModelPath} 64; give the model that the run was made with (modelPath)"
        );

    [Fact]
    public async Task WithCandidates_IdBeyondTheModelsVocabulary_IsRefused() =>
        await AssertRefused(
            trace => With(trace, ids: [.. trace.TokenIds[..^1], 151935]).WithCandidates(ModelPath("qwen3vl-untied"), 3),
            "it holds the token id 151935, but "
        );

    [Fact]
    public async Task WithCandidates_OtherTexts_IsRefused() =>
        await AssertRefused(
            trace =>
                With(trace, texts: [.. trace.OutputTexts!.Select(text => (byte[])[.. text.Span, (byte)'x'])])
                    .WithCandidates(ModelPath("qwen3vl-untied"), 3),
            "x\", but "
        );

    [Fact]
    public async Task WithCandidates_AnswerInTwoPieces_IsRefused() =>
        await AssertRefused(
            trace =>
            {
                int[] ids = [.. trace.TokenIds];
                ids[^3] = trace.Markers.ImagePad;
                return With(trace, ids).WithCandidates(ModelPath("qwen3vl-untied"), 3);
            },
            "is interrupted by markers"
        );

    [Fact]
    public async Task WithCandidates_StatesThatLeaveFloat32_IsRefused() =>
        await AssertRefused(
            trace =>
                With(trace, states: [.. Enumerable.Repeat(3e38f, trace.HiddenStates.Length)])
                    .WithCandidates(ModelPath("qwen3vl-untied"), 3),
            "leave the range of float32"
        );

    [Fact]
    public async Task WithCandidates_ModelWithANaN_IsRefused()
    {
        var path = _folder.File("damaged.gguf");
        var bytes = File.ReadAllBytes(ModelPath("qwen3vl-untied"));
        var row = ModelTokens.Open(ModelPath("qwen3vl-untied")).OutputEmbedding.ReadRows([77]);
        MemoryMarshal.Write(bytes.AsSpan(bytes.AsSpan().IndexOf(MemoryMarshal.AsBytes(row.AsSpan()))), float.NaN);
        File.WriteAllBytes(path, bytes);

        await AssertRefused(
            trace => trace.WithCandidates(path, 3),
            "the model's output embedding holds NaN or an infinity in the row of token id 77"
        );
    }

    [Fact]
    public async Task WithCandidates_Cancelled_Throws()
    {
        var trace = await RunAsync("qwen3vl-untied");

        Assert.ThrowsAny<OperationCanceledException>(() =>
            trace.WithCandidates(
                ModelPath("qwen3vl-untied"),
                3,
                cancellationToken: new CancellationToken(canceled: true)
            )
        );
    }

    private static string ModelPath(string name) => TestModels.Get(name).ModelPath;

    private static async Task<Trace> RunAsync(string model) =>
        (
            await Explainer.ExplainAsync(
                LoadedModels.Get(model),
                [new ChatTurn(TurnRole.User, [TestPictures.Gradient(128, 96), new TextPart("Describe this image.")])],
                new ExplainOptions
                {
                    Completion = new CompletionOptions { MaxNewTokens = 5, CandidateCount = Count },
                    ExplainEndToken = false,
                },
                new ReferenceEngine()
            )
        ).Trace;

    private static Trace Without(Trace trace) => With(trace, outputIds: [.. trace.TokenIds.Distinct().Order()]);

    /// <summary>
    /// The trace without its candidates, and with something else changed: the answer is then the last turn.
    /// </summary>
    private static Trace With(
        Trace trace,
        int[]? ids = null,
        int[]? outputIds = null,
        float[]? states = null,
        byte[][]? texts = null
    )
    {
        outputIds ??= [.. trace.OutputIds];
        return new Trace
        {
            TokenIds = ids is null ? trace.TokenIds : [.. ids],
            HiddenSize = trace.HiddenSize,
            HiddenStates = states ?? trace.HiddenStates,
            OutputIds = [.. outputIds],
            OutputRows = outputIds.SelectMany(id => new TraceRows(trace).RowOf(id).ToArray()).ToArray(),
            OutputTexts =
            [
                .. texts?.Select(text => (ReadOnlyMemory<byte>)text)
                    ?? outputIds.Select(id => trace.FindBytes(id)!.Value),
            ],
            ImageGrids = trace.ImageGrids,
            Markers = trace.Markers,
        };
    }

    /// <summary>
    /// The same ids in the same order wherever logits are further apart than rounding reaches, and probabilities that
    /// differ by no more: that of a token is exp(logit - log sum), and both may be off.
    /// </summary>
    private static void AssertSameCandidates(Trace expected, Trace actual, double tolerance)
    {
        Assert.Equal(expected.CandidateIds!.Count, actual.CandidateIds!.Count);
        for (var step = 0; step < expected.CandidateIds.Count; step++)
        {
            double[] logits = [.. expected.CandidateProbabilities![step].Select(probability => Math.Log(probability))];
            FloatAssert.Equal(
                logits,
                actual.CandidateProbabilities![step].Select(probability => Math.Log(probability)).ToArray(),
                2 * tolerance,
                $"step {step}"
            );
            for (var i = 0; i < logits.Length - 1; i++)
            {
                var isClear =
                    (i == 0 || logits[i - 1] - logits[i] > 2 * tolerance) && logits[i] - logits[i + 1] > 2 * tolerance;
                Assert.True(
                    expected.CandidateIds[step][i] == actual.CandidateIds[step][i] || !isClear,
                    $"step {step}, place {i}"
                );
            }
        }

        FloatAssert.Equal(
            expected.AnswerProbabilities!.Value.Select(probability => Math.Log(probability)).ToArray(),
            actual.AnswerProbabilities!.Value.Select(probability => Math.Log(probability)).ToArray(),
            2 * tolerance,
            "answer"
        );
    }

    private static async Task AssertRefused(Func<Trace, Trace> work, string message)
    {
        var trace = await RunAsync("qwen3vl-untied");
        var exception = Assert.ThrowsAny<InvalidInputException>(() => work(trace));
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }
}
