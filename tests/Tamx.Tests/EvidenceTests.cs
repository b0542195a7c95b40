using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>Evidence adds up to the logits; layers are the model's own.</summary>
public sealed class EvidenceTests
{
    private static readonly ChatTurn[] Question =
    [
        new(
            TurnRole.User,
            [new TextPart("Look: "), TestPictures.Gradient(128, 96), new TextPart("Describe this image.")]
        ),
    ];

    private static readonly ExplainOptions Options = new()
    {
        Completion = new CompletionOptions
        {
            MaxNewTokens = 5,
            CandidateCount = 3,
            PreciseCache = true,
        },
        Tam = new TamOptions { Method = MapMethod.Evidence },
    };

    private static readonly ReferenceEngine Engine = new();

    /// <summary>
    /// The tolerances, as shares of the logit, are five times what was measured or more (3e-7, 2e-4, 4e-3, 6e-3).
    /// llama.cpp rounds activations to 16 or 8 bits where it multiplies them with such weights, so what attention wrote
    /// is not quite the product of what it read.
    /// </summary>
    [Theory]
    [InlineData("qwen3vl", 1e-5)]
    [InlineData("qwen3vl-untied", 1e-5)]
    [InlineData("qwen3vl-deepstack", 1e-5)]
    [InlineData("qwen3vl-split", 1e-5)]
    [InlineData("qwen3vlmoe", 1e-5)]
    [InlineData("qwen35", 1e-5)]
    [InlineData("qwen35moe", 1e-5)]
    [InlineData("qwen2.5vl", 1e-5)]
    [InlineData("qwen2vl-untied", 1e-5)]
    [InlineData("internvl3", 1e-5)]
    [InlineData("smolvlm", 1e-5)]
    [InlineData("llava", 1e-5)]
    [InlineData("pixtral", 1e-5)]
    [InlineData("internvl3.5", 1e-5)]
    [InlineData("internvl3.5-moe", 1e-5)]
    [InlineData("qwen3vl-f16", 1e-3)]
    [InlineData("qwen3vl-untied-f16", 1e-3)]
    [InlineData("qwen3vl-deepstack-f16", 1e-3)]
    [InlineData("qwen2.5vl-f16", 1e-3)]
    [InlineData("qwen2vl-untied-f16", 1e-3)]
    [InlineData("qwen3vl-q8_0", 2e-2)]
    [InlineData("qwen3vl-untied-q8_0", 2e-2)]
    [InlineData("qwen3vl-deepstack-q8_0", 2e-2)]
    [InlineData("qwen2.5vl-q8_0", 2e-2)]
    [InlineData("qwen2vl-untied-q8_0", 2e-2)]
    [InlineData("qwen3vl-q4_k_m", 3e-2)]
    [InlineData("qwen3vl-untied-q4_k_m", 3e-2)]
    [InlineData("qwen3vl-deepstack-q4_k_m", 3e-2)]
    [InlineData("qwen2.5vl-q4_k_m", 3e-2)]
    [InlineData("qwen2vl-untied-q4_k_m", 3e-2)]
    public async Task ExplainAsync_Evidence_AddsUpToLogits(string name, double tolerance)
    {
        var model = LoadedModels.Get(name);
        var explanation = await Explainer.ExplainAsync(model, Question, Options, Engine);
        AssertComplete(model, explanation, TestModels.Tolerance(tolerance));
    }

    /// <summary>Cuts change the order of float32 sums: 2e-6 of the largest score was measured.</summary>
    [Theory]
    [InlineData("qwen3vl", 7)]
    [InlineData("qwen2.5vl", 2)]
    [InlineData("qwen3vl-deepstack-q8_0", 7)]
    [InlineData("qwen3vl-untied-q4_k_m", 7)]
    public async Task ExplainAsync_OtherBatchSizes_SameEvidence(string name, int batchSize)
    {
        var model = LoadedModels.Get(name);
        var whole = await Explainer.ExplainAsync(model, Question, Options, Engine);
        int[] answer = [.. whole.Maps.Answer.Select(token => token.Token.TokenId)];
        var cut = await Explainer.ExplainAsync(
            model,
            Question,
            Options with
            {
                AnswerIds = answer,
                Completion = Options.Completion with { BatchSize = batchSize },
            },
            Engine
        );

        foreach (var (one, other) in whole.Trace.Evidence!.Zip(cut.Trace.Evidence!))
        {
            // The candidates' order may differ; the answer token is the first of both.
            AssertClose(one.ScoresOf(0).ToArray(), other.ScoresOf(0).ToArray(), TestModels.Tolerance(1e-4));
        }
    }

    [Fact]
    public async Task ExplainAsync_DefaultCache_AddsUpWithinHalfPrecision()
    {
        var model = LoadedModels.Get("qwen3vl");
        var options = Options with { Completion = Options.Completion with { PreciseCache = false } };

        AssertComplete(model, await Explainer.ExplainAsync(model, Question, options, Engine), 2e-2);
    }

    [Fact]
    public async Task ExplainAsync_AnswerGivenBack_HasTheSameEvidence()
    {
        var model = LoadedModels.Get("qwen3vl");
        var generated = await Explainer.ExplainAsync(model, Question, Options, Engine);
        int[] answer = [.. generated.Maps.Answer.Select(token => token.Token.TokenId)];

        var given = await Explainer.ExplainAsync(model, Question, Options with { AnswerIds = answer }, Engine);

        foreach (var (one, other) in generated.Trace.Evidence!.Zip(given.Trace.Evidence!))
        {
            AssertClose(one.Scores.ToArray(), other.Scores.ToArray(), 1e-3);
        }
    }

    /// <summary>An earlier explanation does not change either: each has rows of its own.</summary>
    [Theory]
    [InlineData("qwen3vl-deepstack")]
    [InlineData("qwen35")]
    [InlineData("qwen2.5vl")]
    [InlineData("internvl3")]
    public async Task ExplainAsync_QuestionsOfOnePicture_EachHasItsOwnRowsAndEvidence(string name)
    {
        var model = LoadedModels.Get(name);
        var picture = TestPictures.Gradient(128, 96);
        using var cache = new PromptCache();
        List<(Explanation Cached, Explanation Fresh)> both = [];
        foreach (var question in (string[])["What is this?", "Where is the brightest corner?", "What is this?"])
        {
            ChatTurn[] turns = [new(TurnRole.User, [picture, new TextPart(question)])];
            var options = Options with { Layers = [1], CaptureLogSums = true };
            var fresh = await Explainer.ExplainAsync(model, turns, options, Engine);
            options = options with { Completion = options.Completion with { PromptCache = cache } };
            both.Add((await Explainer.ExplainAsync(model, turns, options, Engine), fresh));
        }

        foreach (var (cached, fresh) in both)
        {
            Assert.Equal(fresh.Text, cached.Text);
            Assert.Equal(fresh.Trace.HiddenStates.ToArray(), cached.Trace.HiddenStates.ToArray());
            foreach (var (one, other) in fresh.Trace.Layers.Zip(cached.Trace.Layers))
            {
                Assert.Equal(one.HiddenStates.ToArray(), other.HiddenStates.ToArray());
                Assert.Equal(one.LogSums!.Value.ToArray(), other.LogSums!.Value.ToArray());
            }

            foreach (var (one, other) in fresh.Trace.Evidence!.Zip(cached.Trace.Evidence!))
            {
                Assert.Equal(one.Scores.ToArray(), other.Scores.ToArray());
                Assert.Equal(one.Rest, other.Rest);
            }
        }
    }

    [Theory]
    [InlineData(MapMethod.Evidence, -1)]
    [InlineData(MapMethod.Lens, 1)]
    [InlineData(MapMethod.Joint, 0)]
    public async Task ReadAsync_TokenByToken_HasTheMapsOfTheWholeAnswer(MapMethod method, int layer)
    {
        var model = LoadedModels.Get("qwen3vl");
        var options = Options with { Tam = Options.Tam.WithMethod(method, layer) };
        var whole = await Explainer.ExplainAsync(model, Question, options, Engine);

        using var live = await Explainer.StartAsync(model, Question, options, Engine);
        List<AnswerToken> tokens = [];
        await foreach (var token in live.ReadAsync())
        {
            tokens.Add(token.Explained);
        }

        Assert.Equal(whole.Maps.Answer.Count, tokens.Count);
        foreach (var (one, other) in whole.Maps.Answer.Zip(tokens))
        {
            AssertClose(Values(one), Values(other), 1e-4);
        }

        Assert.Equal(
            whole.Maps.Words.Select(word => word.Word.Text),
            live.Finish().Maps.Words.Select(word => word.Word.Text)
        );
    }

    /// <summary>Whatever reads W_O or the whole output embedding is paid for once per group.</summary>
    [Theory]
    [InlineData(MapMethod.Tam, new[] { 1, 2, 3, 4, 5 })]
    [InlineData(MapMethod.Evidence, new[] { 1, 3, 3, 5, 5 })]
    public async Task ReadAsync_Evidence_ComesInGroupsThatGrow(MapMethod method, int[] written)
    {
        var model = LoadedModels.Get("qwen3vl");
        var progress = new TokenCount();
        var options = Options with { Tam = new TamOptions().WithMethod(method) };
        using var live = await Explainer.StartAsync(model, Question, options, Engine, progress);
        List<int> seen = [];
        await foreach (var token in live.ReadAsync())
        {
            seen.Add(progress.Tokens);
        }

        Assert.Equal(written, seen);
    }

    [Fact]
    public async Task ReadAsync_LeftWithinAGroup_KeepsWhatWasRead()
    {
        var model = LoadedModels.Get("qwen3vl");
        using var live = await Explainer.StartAsync(model, Question, Options, Engine);
        var count = 0;
        await foreach (var token in live.ReadAsync())
        {
            if (++count == 2)
            {
                break;
            }
        }

        var explanation = live.Finish();
        Assert.Equal(2, explanation.Maps.Answer.Count);
        Assert.Equal(2, explanation.Trace.Evidence!.Count);
    }

    [Fact]
    public async Task Compute_Evidence_MapsArePositiveScoresOnOneScale()
    {
        var model = LoadedModels.Get("qwen3vl");
        var explanation = await Explainer.ExplainAsync(model, Question, Options, Engine);
        var maps = ActivationMaps.Compute(explanation.Trace, Options.Tam with { ApplyFilter = false }, Engine);

        var block = maps.Layout.VisionBlocks[0];
        foreach (var (index, token) in maps.Answer.Index())
        {
            var scores = explanation
                .Trace.Evidence![index]
                .ScoresOf(0)
                .Slice(block.FirstCellPosition, block.CellCount)
                .ToArray();
            var (minimum, maximum) = token.RawRange;
            foreach (var (score, value) in scores.Zip(token.Token.VisionMaps[0]!.Values.ToArray()))
            {
                Assert.Equal(Math.Max(0, score), minimum + (value * (maximum - minimum)), 1e-4);
            }

            Assert.Equal(token.TextPositions.Count, token.Token.TextRelevance.Length);
        }
    }

    [Fact]
    public async Task Save_LayersAndEvidence_ComeBack()
    {
        using var folder = new TemporaryFolder();
        var model = LoadedModels.Get("qwen2.5vl");
        var options = Options with { Layers = [0, 2], CaptureLogSums = true };
        var explanation = await Explainer.ExplainAsync(model, Question, options, Engine);

        TraceFile.Save(explanation.Trace, folder.File("run.safetensors"));
        var loaded = TraceFile.Load(folder.File("run.safetensors"));

        Assert.Equal([0, 2], loaded.Layers.Select(layer => layer.Layer));
        foreach (var (one, other) in explanation.Trace.Layers.Zip(loaded.Layers))
        {
            Assert.Equal(one.HiddenStates.ToArray(), other.HiddenStates.ToArray());
            Assert.Equal(one.LogSums!.Value.ToArray(), other.LogSums!.Value.ToArray());
        }

        foreach (var (one, other) in explanation.Trace.Evidence!.Zip(loaded.Evidence!))
        {
            Assert.Equal(one.TokenIds, other.TokenIds);
            Assert.Equal(one.Scores.ToArray(), other.Scores.ToArray());
            Assert.Equal(one.Rest, other.Rest);
            Assert.Equal(one.Logits, other.Logits);
        }

        foreach (var method in Enum.GetValues<MapMethod>())
        {
            var tam = new TamOptions { Method = method, Layer = 0 };
            AssertClose(
                Values(ActivationMaps.Compute(explanation.Trace, tam, Engine).Answer[0]),
                Values(ActivationMaps.Compute(loaded, tam, Engine).Answer[0]),
                0
            );
        }
    }

    [Fact]
    public async Task Compute_LastLayerByNumber_IsTam()
    {
        var model = LoadedModels.Get("qwen3vl");
        var options = Options with { Tam = new TamOptions(), Layers = [model.Facts.LayerCount - 1] };
        var explanation = await Explainer.ExplainAsync(model, Question, options, Engine);

        var byNumber = ActivationMaps.Compute(
            explanation.Trace,
            new TamOptions { Layer = model.Facts.LayerCount - 1 },
            Engine
        );

        foreach (var (one, other) in explanation.Maps.Answer.Zip(byNumber.Answer))
        {
            AssertClose(Values(one), Values(other), 1e-4);
            Assert.Equal(one.Token.Logit, other.Token.Logit);
        }
    }

    [Fact]
    public async Task Compute_Lens_IsTheTokensProbabilityInEachCell()
    {
        var model = LoadedModels.Get("qwen3vl");
        var options = Options with
        {
            Tam = new TamOptions
            {
                Method = MapMethod.Lens,
                Layer = 1,
                ApplyFilter = false,
            },
        };
        var explanation = await Explainer.ExplainAsync(model, Question, options, Engine);

        var (trace, token) = (explanation.Trace, explanation.Maps.Answer[0]);
        var block = explanation.Maps.Layout.VisionBlocks[0];
        var rows = model.OutputEmbedding.ReadRows([.. Enumerable.Range(0, model.OutputEmbedding.TokenCount)]);
        for (var cell = 0; cell < block.CellCount; cell += 5)
        {
            var state = trace
                .Layers[0]
                .HiddenStates.Slice((block.FirstCellPosition + cell) * trace.HiddenSize, trace.HiddenSize);
            double[] logits = [.. rows.Chunk(trace.HiddenSize).Select(row => HiddenRows.Dot(row, state.Span))];
            var probability = Math.Exp(logits[token.Token.TokenId]) / logits.Sum(Math.Exp);
            var (minimum, maximum) = token.RawRange;
            var raw = minimum + (token.Token.VisionMaps[0]!.Values.Span[cell] * (maximum - minimum));
            Assert.Equal(probability, raw, 1e-4);
        }
    }

    [Theory]
    [InlineData(MapMethod.Tam, "holds no layer but the last")]
    [InlineData(MapMethod.Lens, "holds no layer but the last")]
    [InlineData(MapMethod.Evidence, "holds no evidence")]
    public async Task Compute_TraceWithoutWhatTheMethodNeeds_SaysSo(MapMethod method, string fault)
    {
        var model = LoadedModels.Get("qwen3vl");
        var plain = await Explainer.ExplainAsync(model, Question, Options with { Tam = new TamOptions() }, Engine);

        var error = Assert.Throws<TraceFormatException>(() =>
            ActivationMaps.Compute(plain.Trace, new TamOptions { Method = method, Layer = 1 }, Engine)
        );

        Assert.Contains(fault, error.Message, StringComparison.Ordinal);
    }

    private static float[] Values(AnswerToken token) => token.Token.VisionMaps[0]!.Values.ToArray();

    private static void AssertClose(float[] expected, float[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        var scale = Math.Max(1e-6, expected.Max(Math.Abs));
        Assert.All(
            expected.Zip(actual),
            pair => Assert.InRange(Math.Abs(pair.First - pair.Second) / scale, 0, tolerance)
        );
    }

    private static void AssertComplete(VisionLanguageModel model, Explanation explanation, double tolerance)
    {
        var trace = explanation.Trace;
        var mean = model.OutputEmbedding.ReadMean();
        Assert.Equal(explanation.Maps.Answer.Count, trace.Evidence!.Count);
        foreach (var (index, step) in trace.Evidence.Index())
        {
            var position = explanation.Maps.Answer[index].Position;
            var state = trace.HiddenStates.Span.Slice((position - 1) * trace.HiddenSize, trace.HiddenSize);
            var meanLogit = HiddenRows.Dot(mean.Span, state);
            for (var k = 0; k < step.TokenIds.Length; k++)
            {
                var row = model.OutputEmbedding.ReadRows([step.TokenIds[k]]);
                var logit = HiddenRows.Dot(row, state) - meanLogit;
                double sum = step.Rest[k];
                double size = Math.Abs(step.Rest[k]);
                foreach (var score in step.ScoresOf(k))
                {
                    sum += score;
                    size += Math.Abs(score);
                }

                Assert.Equal(position, step.ScoresOf(k).Length);
                Assert.InRange(Math.Abs(step.Logits[k] - logit), 0, tolerance * Math.Max(1, Math.Abs(logit)));
                Assert.InRange(Math.Abs(sum - logit), 0, tolerance * Math.Max(1, Math.Abs(logit)));
                Assert.True(size > Math.Abs(step.Rest[k]), "no position wrote anything");
            }
        }
    }

    private sealed class TokenCount : IProgress<ExplainProgress>
    {
        public int Tokens { get; private set; }

        public void Report(ExplainProgress value) => Tokens += value.Token is null ? 0 : 1;
    }
}
