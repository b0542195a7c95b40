using System.Text;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>Each mode from messages to maps, on random models of both architectures.</summary>
public class ExplainerTests
{
    /// <summary>
    /// Maps of an answer that was generated token by token against the same answer read in batches. Hidden states agree
    /// to 2e-6 of their size (keys and values in float32), maps to under 2e-6 where this was measured; the processor's
    /// kernels may differ.
    /// </summary>
    private const double BatchTolerance = 1e-5;

    private static readonly ImagePart First = TestPictures.Gradient(128, 96, "first.png");
    private static readonly ImagePart Second = TestPictures.Gradient(64, 160, "second.png");

    private static readonly ExplainOptions Options = new()
    {
        Completion = new CompletionOptions
        {
            MaxNewTokens = 7,
            CandidateCount = 2,
            PreciseCache = true,
        },
    };

    private static readonly ReferenceEngine Engine = new();

    private static readonly string[] QwenModels =
    [
        "qwen3vl",
        "qwen3vl-deepstack",
        "qwen3vl-untied",
        "qwen2.5vl",
        "qwen2vl",
    ];

    public static TheoryData<string, string> QwenModelsAndModes => InModes(QwenModels);

    public static TheoryData<string, string> ModelsAndModes => InModes([.. QwenModels, .. TestModels.WithoutVideos]);

    [Theory]
    [MemberData(nameof(ModelsAndModes))]
    public async Task ExplainAsync_AnswerGivenBack_HasTheSameMaps(string name, string mode)
    {
        var model = LoadedModels.Get(name);

        var generated = await Explainer.ExplainAsync(model, Messages(mode), Options, Engine);
        int[] answer = [.. generated.Maps.Answer.Select(token => token.Token.TokenId)];
        var given = await Explainer.ExplainAsync(model, Messages(mode), Options with { AnswerIds = answer }, Engine);

        Assert.True(answer.Length >= 4, "the answer is too short to compare anything");
        Assert.Equal(StopReason.AnswerGiven, given.StopReason);
        Assert.Equal(generated.Trace.TokenIds.AsSpan(), given.Trace.TokenIds.AsSpan());
        Assert.Equal(generated.Maps.Layout.VisionBlocks, given.Maps.Layout.VisionBlocks);
        Assert.Equal(generated.Maps.Layout.ContextPositions, given.Maps.Layout.ContextPositions);

        // Gemma 3's GELU is looked up with inputs of half precision.
        AssertClose(generated.Maps, given.Maps, name == "gemma3" ? 50 * BatchTolerance : BatchTolerance);
    }

    private static TheoryData<string, string> InModes(string[] models)
    {
        var data = new TheoryData<string, string>();
        foreach (var model in models)
        {
            foreach (var mode in (string[])["one picture", "two pictures", "several turns", "text alone"])
            {
                data.Add(model, mode);
            }
        }

        return data;
    }

    [Fact]
    public async Task ExplainAsync_CaptureSwitchedOff_CapturesAllTheSame()
    {
        var model = LoadedModels.Get("qwen3vl");

        var explanation = await Explainer.ExplainAsync(
            model,
            Messages("one picture"),
            Options with
            {
                Completion = Options.Completion with { CaptureHiddenStates = false },
            }
        );

        Assert.Equal(explanation.Trace.TokenIds.Length - 1, explanation.Trace.HiddenRowCount);
    }

    [Theory]
    [MemberData(nameof(QwenModelsAndModes))]
    public async Task ExplainAsync_EachMode_LaysTheSequenceOutAsExpected(string name, string mode)
    {
        var model = LoadedModels.Get(name);
        var isQwen3 = name.StartsWith("qwen3vl", StringComparison.Ordinal);
        var explanation = await Explainer.ExplainAsync(model, Messages(mode), Options, Engine);
        var layout = explanation.Maps.Layout;

        // Worked out by hand: cells of 32 pixels (Qwen3-VL) or 28, each side rounded to whole cells.
        var firstGrid = isQwen3 ? new PatchGrid(1, 3, 4) : new PatchGrid(1, 3, 5);
        var secondGrid = isQwen3 ? new PatchGrid(1, 5, 2) : new PatchGrid(1, 6, 2);
        var expected = new ExpectedSequence(model.Vocabulary);
        if (!isQwen3 && mode != "several turns")
        {
            expected.Turn("system", "You are a helpful assistant.");
        }

        switch (mode)
        {
            case "one picture":
                expected.Turn("user", "Look: ", firstGrid, "Describe this image.");
                break;
            case "two pictures":
                expected.Turn("user", firstGrid, secondGrid, "Compare them.");
                break;
            case "several turns":
                expected.Turn("system", "Be brief.");
                expected.Turn("user", firstGrid, "What is it?");
                expected.Turn("assistant", "A red circle.");
                expected.Turn("user", "And here? ", secondGrid);
                break;
            default:
                expected.Turn("user", "What is red?");
                break;
        }

        expected.Answer([.. explanation.Maps.Answer.Select(token => token.Token.TokenId)]);
        Assert.Equal(expected.TokenIds, explanation.Trace.TokenIds);
        Assert.Equal(expected.ContextPositions, layout.ContextPositions);
        Assert.Equal(expected.AnswerPositions, layout.AnswerPositions);
        Assert.Equal(expected.Blocks, layout.VisionBlocks);
        Assert.Equal(expected.Roles.Append("assistant"), layout.Turns.Select(turn => turn.Role));
        Assert.Equal(expected.Blocks.Count, explanation.Trace.Pictures.Count);
        Assert.Equal(
            expected.Blocks.Select((_, b) => b),
            explanation.Trace.Pictures.Select(picture => picture.BlockIndex)
        );
        Assert.All(
            explanation.Maps.Answer,
            token =>
                Assert.Equal(
                    expected.Blocks.Select(block => block.CellCount),
                    token.Token.VisionMaps.Select(map => map!.Values.Length)
                )
        );
    }

    /// <summary>The paper's profile searches the vocabulary for the prompt: half a search must leave nothing behind.</summary>
    [Fact]
    public async Task ExplainPrompt_CancelledAndAskedAgain_EqualsExplainAsync()
    {
        var model = LoadedModels.Get("qwen3vl");
        var options = Options with { Tam = TamOptions.ForProfile(TamProfile.Paper) };
        var whole = await Explainer.ExplainAsync(model, Messages("one picture"), options, Engine);

        using var live = await Explainer.StartAsync(model, Messages("one picture"), options, Engine);
        Assert.ThrowsAny<OperationCanceledException>(() => live.ExplainPrompt(new CancellationToken(canceled: true)));
        await foreach (var _ in live.ReadAsync())
        {
            // What is read is kept.
        }

        AssertClose(whole.Maps, live.Finish().Maps, 0);
    }

    [Theory]
    [InlineData("qwen3vl", TamProfile.Tamx, true)]
    [InlineData("qwen3vl", TamProfile.Paper, false)]
    [InlineData("qwen2.5vl", TamProfile.Tuned, true)]
    public async Task StartAsync_ReadToTheEnd_EqualsExplainAsync(string name, TamProfile profile, bool explainEnd)
    {
        var model = LoadedModels.Get(name);
        var options = Options with { Tam = TamOptions.ForProfile(profile), ExplainEndToken = explainEnd };
        var whole = await Explainer.ExplainAsync(model, Messages("several turns"), options, Engine);

        using var live = await Explainer.StartAsync(model, Messages("several turns"), options, Engine);
        var prompt = live.ExplainPrompt();
        Assert.Empty(prompt.Maps.Answer);
        Assert.Equal(live.PromptTokenCount, prompt.Trace.TokenIds.Length);
        Assert.Throws<InvalidOperationException>(() => live.Finish());
        var read = new List<StreamedToken>();
        await foreach (var token in live.ReadAsync())
        {
            read.Add(token);
            Assert.Equal(token.Generated.Position, token.Explained.Position);
            Assert.Equal(token.Generated.Id, token.Explained.Token.TokenId);
            Assert.Equal(read.Count, live.Finish().Maps.Answer.Count);
        }

        var finished = live.Finish();
        Assert.Equal(whole.Answer, finished.Answer);
        Assert.Equal(whole.StopReason, finished.StopReason);
        Assert.Equal(whole.Trace.TokenIds.AsSpan(), finished.Trace.TokenIds.AsSpan());
        Assert.Equal(whole.Trace.OutputIds.AsSpan(), finished.Trace.OutputIds.AsSpan());
        Assert.Equal(whole.Trace.HiddenStates.ToArray(), finished.Trace.HiddenStates.ToArray());
        Assert.Equal(whole.Maps.Layout.ContextPositions, prompt.Maps.Layout.ContextPositions);
        Assert.Equal(
            whole.Maps.Words.Select(word => word.Word.Text),
            finished.Maps.Words.Select(word => word.Word.Text)
        );
        AssertClose(whole.Maps, finished.Maps, 0);
        Assert.Equal(read.Select(token => token.Explained), finished.Maps.Answer);
        Assert.Equal(
            profile == TamProfile.Paper ? whole.Maps.Layout.ContextPositions.Count : 0,
            finished.Maps.Prompt.Count
        );
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await live.ReadAsync().GetAsyncEnumerator().MoveNextAsync()
        );
    }

    [Fact]
    public async Task ExplainAsync_PaperProfile_HoldsTheStrongestClassOfTheWholeVocabulary()
    {
        var model = LoadedModels.Get("qwen3vl");
        var options = Options with { Tam = TamOptions.ForProfile(TamProfile.Paper) };

        var explanation = await Explainer.ExplainAsync(model, Messages("one picture"), options, Engine);

        var trace = explanation.Trace;
        var state = trace
            .HiddenStates.Slice(explanation.Maps.Layout.ContextPositions[0] * trace.HiddenSize, trace.HiddenSize)
            .ToArray();
        var rows = model
            .OutputEmbedding.ReadRows([.. Enumerable.Range(0, model.Vocabulary.Count)])
            .Chunk(trace.HiddenSize)
            .ToArray();
        var strongest = Enumerable
            .Range(0, rows.Length)
            .MaxBy(id => rows[id].Zip(state, (w, h) => (double)w * h).Sum());
        Assert.Contains(strongest, trace.OutputIds);

        // The saved trace gives the same maps.
        AssertClose(explanation.Maps, ActivationMaps.Compute(trace, options.Tam, Engine), 0);
    }

    [Fact]
    public async Task StartAsync_GivenAnswerStoppedInTheMidst_ExplainsWhatHasBeenRead()
    {
        // The answer is longer than a batch of those that are read ahead.
        int[] answer = [.. Enumerable.Range(0, 40).Select(i => 40 + (i % 7))];
        using var live = await Explainer.StartAsync(
            LoadedModels.Get("qwen3vl"),
            Messages("one picture"),
            Options with
            {
                AnswerIds = answer,
            },
            Engine
        );
        var count = 0;
        await foreach (var token in live.ReadAsync())
        {
            Assert.Equal(++count, live.Finish().Maps.Answer.Count);
            if (count == 3)
            {
                break;
            }
        }

        var explanation = live.Finish();
        Assert.Equal(answer[..3], explanation.Maps.Answer.Select(token => token.Token.TokenId));
        Assert.Equal(explanation.Trace.TokenIds.Length, explanation.Trace.HiddenRowCount);
    }

    /// <summary>Tokens of a stop text are computed before it is known to be one; nothing of them may be left.</summary>
    [Theory]
    [InlineData(2, 0)]
    [InlineData(3, 1)]
    public async Task ReadAsync_StopText_ExplainsTheAnswerBeforeIt(int kept, int cut)
    {
        var model = LoadedModels.Get("qwen3vl");
        var whole = await Explainer.ExplainAsync(model, Messages("one picture"), Options, Engine);
        int[] ids = [.. whole.Maps.Answer.Select(token => token.Token.TokenId)];
        var texts = Array.ConvertAll(ids, id => Encoding.UTF8.GetString(model.Vocabulary.GetBytes(id)));

        // A stop text over two tokens, which may begin within the last one that is kept.
        var stop = texts[kept - 1][^cut..] + texts[kept] + texts[kept + 1];
        Assert.True(texts[kept - 1].Length > cut && !whole.Answer[..^3].Contains('\uFFFD'), "not made for this model");
        var options = Options with { Completion = Options.Completion with { StopTexts = [stop] } };
        using var live = await Explainer.StartAsync(model, Messages("one picture"), options, Engine);
        var read = new List<StreamedToken>();
        await foreach (var token in live.ReadAsync())
        {
            read.Add(token);
            Assert.Equal(live.PromptTokenCount + read.Count, live.TokenIds.Length);
        }

        var explanation = live.Finish();
        Assert.Equal(StopReason.StopText, explanation.StopReason);
        Assert.Equal(string.Concat(texts[..kept])[..^cut], explanation.Answer);
        Assert.Equal(explanation.Answer, string.Concat(read.Select(token => token.Generated.Text)));
        Assert.Equal(ids[..kept], explanation.Maps.Answer.Select(token => token.Token.TokenId));
        Assert.Equal(
            whole.Trace.TokenIds.AsSpan(..explanation.Trace.TokenIds.Length),
            explanation.Trace.TokenIds.AsSpan()
        );
        Assert.Equal([stop], explanation.Trace.Run.StopTexts!);
        AssertClose(ActivationMaps.Compute(explanation.Trace, Options.Tam, Engine), explanation.Maps, 0);

        var atOnce = await Explainer.ExplainAsync(model, Messages("one picture"), options, Engine);
        Assert.Equal(explanation.Answer, atOnce.Answer);
        Assert.Equal(explanation.Trace.TokenIds.AsSpan(), atOnce.Trace.TokenIds.AsSpan());
        AssertClose(atOnce.Maps, explanation.Maps, 0);
    }

    [Fact]
    public async Task ExplainAsync_StopTextAtTheBeginning_SaysThatThereIsNothingToExplain()
    {
        var model = LoadedModels.Get("qwen3vl");
        var whole = await Explainer.ExplainAsync(model, Messages("text alone"), Options, Engine);
        var options = Options with { Completion = Options.Completion with { StopTexts = [whole.Answer[..1]] } };

        var exception = await Assert.ThrowsAsync<InvalidInputException>(() =>
            Explainer.ExplainAsync(model, Messages("text alone"), options, Engine)
        );
        Assert.Contains("StopTexts", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ExplainAsync_LogitBias_IsSavedWithTheRun()
    {
        var model = LoadedModels.Get("qwen3vl");
        var biases = new Dictionary<int, float> { [5] = 2.5f, [7] = -100 };
        var completion = Options.Completion with { LogitBias = biases, MaxNewTokens = 2 };

        var explanation = await Explainer.ExplainAsync(
            model,
            Messages("text alone"),
            Options with
            {
                Completion = completion,
            },
            Engine
        );

        using var folder = new TemporaryFolder();
        TraceFile.Save(explanation.Trace, folder.File("trace.safetensors"));
        var loaded = TraceFile.Load(folder.File("trace.safetensors"));
        Assert.Equal(biases, loaded.Run.LogitBias);
        Assert.Null(loaded.Run.StopTexts);
    }

    /// <summary>An answer with a region hidden or kept, and its probabilities as the model reads it without.</summary>
    [Theory]
    [InlineData(RegionUse.Hide, false)]
    [InlineData(RegionUse.Keep, true)]
    [InlineData(RegionUse.LookAt, false)]
    [InlineData(RegionUse.LookAt, true)]
    public async Task ExplainAsync_Region_TellsWhatItChanges(RegionUse use, bool isGiven)
    {
        var model = LoadedModels.Get("qwen3vl");
        var region = new PictureRegion
        {
            Use = use,
            Box = new RegionBox(0.25, 0, 1, 0.5),
            Alpha = 3,
        };
        var options = Options with { Completion = Options.Completion with { Region = region } };
        var messages = Messages("one picture");
        if (isGiven)
        {
            messages = [.. messages, new ChatTurn(TurnRole.Assistant, "A thing of its own.")];
        }

        var explanation = await Explainer.ExplainAsync(model, messages, options, Engine);

        int[] answer = [.. explanation.Maps.Answer.Select(token => token.Token.TokenId)];
        var without = Options.Completion;
        var with = without with { Region = region };
        var changes = explanation.Trace.RegionChanges!.Value;
        var own = await ReadAsync(without);
        var asked = await ReadAsync(with);
        Assert.Equal(answer.Length, changes.Length);
        for (var i = 0; i < answer.Length; i++)
        {
            var after = asked[i].SteeredLogProbability ?? asked[i].LogProbability;
            Assert.Equal(after - own[i].LogProbability, changes[i], 1e-3);
        }

        Assert.Contains(changes, change => Math.Abs(change) > 1e-3);
        Assert.Equal(region, explanation.Trace.Run.Region);
        Assert.Equal(use == RegionUse.LookAt, asked[0].SteeredLogProbability is not null);

        async Task<List<GeneratedToken>> ReadAsync(CompletionOptions reading)
        {
            var before = isGiven ? messages.SkipLast(1).ToArray() : messages;
            using var completion = model.CreateCompletion(before, answer, reading);
            var tokens = new List<GeneratedToken>();
            await foreach (var token in completion.GenerateAsync())
            {
                tokens.Add(token);
            }

            return tokens;
        }
    }

    [Fact]
    public async Task StartAsync_StoppedInTheMidst_ExplainsWhatHasBeenRead()
    {
        using var live = await Explainer.StartAsync(
            LoadedModels.Get("qwen3vl"),
            Messages("one picture"),
            Options,
            Engine
        );
        await foreach (var token in live.ReadAsync())
        {
            if (token.Generated.Index == 1)
            {
                break;
            }
        }

        var explanation = live.Finish();
        Assert.Equal(2, explanation.Maps.Answer.Count);
        Assert.Equal(StopReason.None, explanation.StopReason);
        AssertClose(ActivationMaps.Compute(explanation.Trace, Options.Tam, Engine), explanation.Maps, 0);
    }

    [Fact]
    public async Task StartAsync_CancelledWhileATokenIsExplained_ExplainsThoseBefore()
    {
        using var cancel = new CancellationTokenSource();
        using var live = await Explainer.StartAsync(
            LoadedModels.Get("qwen3vl"),
            Messages("one picture"),
            Options,
            Engine,
            new CancelAtToken(3, cancel)
        );
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in live.ReadAsync(cancel.Token))
            {
                // The third is written, but its maps are not computed any more.
            }
        });

        var explanation = live.Finish();
        Assert.Equal(2, explanation.Maps.Answer.Count);
        AssertClose(ActivationMaps.Compute(explanation.Trace, Options.Tam, Engine), explanation.Maps, 0);
    }

    private sealed class CancelAtToken(int count, CancellationTokenSource source) : IProgress<ExplainProgress>
    {
        public void Report(ExplainProgress value)
        {
            if (value.Stage == "generate" && value.Done == count)
            {
                source.Cancel();
            }
        }
    }

    [Fact]
    public async Task WriteAsync_LeftEarly_ExplainsWhatWasWritten()
    {
        var model = LoadedModels.Get("qwen3vl");
        using var live = await Explainer.StartAsync(model, Messages("one picture"), Options, Engine);
        await Assert.ThrowsAsync<InvalidOperationException>(() => live.ExplainWrittenAsync());
        var written = new List<int>();
        await foreach (var token in live.WriteAsync())
        {
            written.Add(token.Id);
            if (written.Count == 3)
            {
                break;
            }
        }

        var part = await live.ExplainWrittenAsync();
        var short3 = Options with { Completion = Options.Completion with { MaxNewTokens = 3 } };
        var whole = await Explainer.ExplainAsync(model, Messages("one picture"), short3, Engine);
        Assert.Equal(StopReason.None, part.StopReason);
        Assert.Equal(written, part.Maps.Answer.Select(token => token.Token.TokenId));
        Assert.Equal((whole.Answer, written.Count), (part.Answer, whole.Maps.Answer.Count));
        for (var i = 0; i < written.Count; i++)
        {
            FloatAssert.Equal(
                whole.Maps.Answer[i].Token.VisionMaps[0]!.Values.Span,
                part.Maps.Answer[i].Token.VisionMaps[0]!.Values.Span,
                0,
                $"token {i}"
            );
        }
    }

    private static ChatTurn[] Messages(string mode) =>
        mode switch
        {
            "one picture" =>
            [
                new(TurnRole.User, [new TextPart("Look: "), First, new TextPart("Describe this image.")]),
            ],
            "two pictures" => [new(TurnRole.User, [First, Second, new TextPart("Compare them.")])],
            "several turns" =>
            [
                new(TurnRole.System, "Be brief."),
                new(TurnRole.User, [First, new TextPart("What is it?")]),
                new(TurnRole.Assistant, "A red circle."),
                new(TurnRole.User, [new TextPart("And here? "), Second]),
            ],
            _ => [new(TurnRole.User, "What is red?")],
        };

    private static void AssertClose(ActivationMaps expected, ActivationMaps actual, double tolerance)
    {
        foreach (var (one, other) in expected.Prompt.Concat(expected.Answer).Zip(actual.Prompt.Concat(actual.Answer)))
        {
            Assert.Equal(one.Position, other.Position);
            Assert.Equal(one.TextPositions, other.TextPositions);
            Assert.Equal(
                one.Candidates.Select(candidate => candidate.TokenId),
                other.Candidates.Select(candidate => candidate.TokenId)
            );
            foreach (var (a, b) in one.Candidates.Prepend(one.Token).Zip(other.Candidates.Prepend(other.Token)))
            {
                FloatAssert.Equal(
                    a.TextRelevance.AsSpan(),
                    b.TextRelevance.AsSpan(),
                    tolerance,
                    $"text at {one.Position}"
                );
                foreach (var (x, y) in a.VisionMaps.Zip(b.VisionMaps))
                {
                    FloatAssert.Equal(x!.Values.Span, y!.Values.Span, tolerance, $"map at {one.Position}");
                }
            }
        }
    }

    /// <summary>A sequence written down turn by turn: token ids and what stands where.</summary>
    private sealed class ExpectedSequence(Vocabulary vocabulary)
    {
        private readonly List<int> _ids = [];

        public IReadOnlyList<int> TokenIds => _ids;

        public List<int> ContextPositions { get; } = [];

        public List<int> AnswerPositions { get; } = [];

        public List<VisionBlock> Blocks { get; } = [];

        public List<string> Roles { get; } = [];

        public void Turn(string role, params object[] parts)
        {
            _ids.AddRange([vocabulary.FindId("<|im_start|>"), vocabulary.FindId(role), vocabulary.FindId("\n")]);
            foreach (var part in parts)
            {
                if (part is PatchGrid grid)
                {
                    var start = _ids.Count;
                    _ids.Add(vocabulary.FindId("<|vision_start|>"));
                    _ids.AddRange(Enumerable.Repeat(vocabulary.FindId("<|image_pad|>"), grid.CellCount));
                    _ids.Add(vocabulary.FindId("<|vision_end|>"));
                    Blocks.Add(
                        new VisionBlock
                        {
                            StartPosition = start,
                            EndPosition = _ids.Count - 1,
                            IsVideo = false,
                            TurnIndex = Roles.Count,
                            Grid = grid,
                        }
                    );
                    continue;
                }

                var text = vocabulary.Tokenize((string)part);
                ContextPositions.AddRange(Enumerable.Range(_ids.Count, text.Length));
                _ids.AddRange(text);
            }

            _ids.AddRange([vocabulary.FindId("<|im_end|>"), vocabulary.FindId("\n")]);
            Roles.Add(role);
        }

        public void Answer(int[] answer)
        {
            _ids.AddRange([vocabulary.FindId("<|im_start|>"), vocabulary.FindId("assistant"), vocabulary.FindId("\n")]);
            AnswerPositions.AddRange(Enumerable.Range(_ids.Count, answer.Length));
            _ids.AddRange(answer);
        }
    }
}
