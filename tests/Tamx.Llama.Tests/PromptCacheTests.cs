using System.Runtime.InteropServices;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Llama.Tests;

/// <summary>A prompt that begins as the one before is computed from where it differs, and gives the same bits.</summary>
public sealed class PromptCacheTests
{
    private static readonly ImagePart One = TestPictures.Gradient(200, 140, "one.png");

    /// <summary>Of the same size, so that its cells lie in the same places.</summary>
    private static readonly ImagePart Other = TestVideos.Frame(3, 200, 140);

    private static readonly CompletionOptions Plain = new() { MaxNewTokens = 6, CandidateCount = 3 };

    private static readonly CompletionOptions Captured = Plain with { Layers = [0, 1, 2], CaptureAttention = true };

    public static TheoryData<string> Names =>
        [
            "qwen3vl",
            "qwen3vl-deepstack",
            "qwen3vl-q4_k_m",
            "qwen3vlmoe",
            "qwen35",
            "qwen35moe",
            "qwen2.5vl",
            "qwen2vl",
            .. TestModels.WithoutVideos,
        ];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task GenerateAsync_QuestionsOfOnePicture_EncodeItOnce(string name)
    {
        var asked = new Asked(name);
        foreach (var options in (CompletionOptions[])[Captured, Plain, Plain with { CaptureHiddenStates = false }])
        {
            await asked.CompareAsync(Ask(One, "What is this?"), options, fromCache: 0);
            await asked.CompareAsync(Ask(One, "And which of its colours is the brightest?"), options, fromCache: 2);
            await asked.CompareAsync(Ask(One, "What is this?"), options, fromCache: 2);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task GenerateAsync_GivenAnswers_AreReadAfterWhatIsThere(string name)
    {
        var asked = new Asked(name);
        var question = Ask(One, "What is this?");
        await asked.CompareAsync(Answered(question, "A gradient."), Captured, fromCache: 0);
        await asked.CompareAsync(Answered(question, "Something else, with many more words."), Captured, fromCache: 2);
        await asked.CompareAsync(question, Captured, fromCache: 2);
        await asked.CompareAsync(Answered(question, "A gradient."), Captured, fromCache: 2);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task GenerateAsync_PicturesInTurn_AreTheirOwn(string name)
    {
        var asked = new Asked(name);
        await asked.CompareAsync(Ask(One, "What is this?"), Captured, fromCache: 0);
        await asked.CompareAsync(Ask(Other, "What is this?"), Captured, fromCache: 1);
        await asked.CompareAsync(Ask(One, "What is this?"), Captured, fromCache: 1);
        await asked.CompareAsync(Ask(Other, "And this?"), Captured, fromCache: 1);
        await asked.CompareAsync(Ask(Other, "What else?"), Captured, fromCache: 2);
    }

    [Theory]
    [InlineData("qwen3vl-deepstack")]
    [InlineData("qwen35")]
    [InlineData("qwen2.5vl")]
    [InlineData("internvl3")]
    public async Task GenerateAsync_RegionsOfOnePicture_AreComputedWhereItChanges(string name)
    {
        var asked = new Asked(name);
        var question = Ask(One, "What is this?");
        var box = new RegionBox(0, 0, 0.5, 0.5);
        await asked.CompareAsync(question, Captured, fromCache: 0);
        await asked.CompareAsync(question, With(RegionUse.Hide, box), fromCache: 1);
        await asked.CompareAsync(question, With(RegionUse.Hide, box), fromCache: 2);
        await asked.CompareAsync(question, With(RegionUse.Keep, box), fromCache: 1);
        await asked.CompareAsync(question, Captured, fromCache: 1);
        await asked.CompareAsync(question, With(RegionUse.LookAt, box), fromCache: 2);
        await asked.CompareAsync(question, With(RegionUse.LookAt, new RegionBox(0.5, 0.5, 1, 1)), fromCache: 2);

        static CompletionOptions With(RegionUse use, RegionBox box) =>
            Captured with
            {
                Region = new PictureRegion { Use = use, Box = box },
            };
    }

    /// <summary>A frame changed in the middle: what comes before it is there, in one block or in several.</summary>
    [Theory]
    [InlineData("qwen3vl", 2)]
    [InlineData("qwen35", 2)]
    [InlineData("qwen2.5vl", 1)]
    [InlineData("qwen2vl", 1)]
    public async Task GenerateAsync_Videos_AreComputedFromTheFirstOtherFrame(string name, int chunksPerPatch)
    {
        var asked = new Asked(name);
        var frames = TestVideos.Frames(7).ToArray();
        ImagePart[] changed = [.. frames[..4], TestVideos.Frame(9), .. frames[5..]];
        ImagePart[] shorter = [.. frames[..4]];
        await asked.CompareAsync(Ask(Of(frames), "What moves?"), Captured, fromCache: 0);
        await asked.CompareAsync(
            Ask(Of(frames), "Which way?"),
            Captured,
            fromCache: 1 + (4 * chunksPerPatch) - (chunksPerPatch - 1)
        );
        await asked.CompareAsync(Ask(Of(changed), "Which way?"), Captured, fromCache: 1 + (2 * chunksPerPatch));
        await asked.CompareAsync(
            Ask(Of(changed), "What else?"),
            Captured,
            fromCache: 1 + (4 * chunksPerPatch) - (chunksPerPatch - 1)
        );
        await asked.CompareAsync(Ask(Of(shorter), "What moves?"), Captured, null);
        await asked.CompareAsync(Ask(Of(frames), "What moves?"), Captured, null);

        static VideoPart Of(IReadOnlyList<ImagePart> frames) => VideoPart.FromFrames(frames);
    }

    [Theory]
    [InlineData("qwen3vl")]
    [InlineData("qwen35")]
    [InlineData("internvl3.5")]
    public async Task GenerateAsync_AfterOtherUses_SameBits(string name)
    {
        var asked = new Asked(name);
        var question = Ask(One, "What is this?");
        var tight = Captured with { ContextSize = asked.CountTokens(question) + 3, MaxNewTokens = 100 };
        await asked.CompareAsync(question, tight, fromCache: 0);
        Assert.Equal(StopReason.ContextFull, asked.StopReason);
        await asked.CompareAsync(Ask(One, "What is it?"), tight, fromCache: 2);

        // Another context, and other batches.
        await asked.CompareAsync(question, Captured, fromCache: 0);
        await asked.CompareAsync(question, Captured with { MaxNewTokens = 700 }, fromCache: 0, readCount: 3);
        await asked.CompareAsync(question, Captured, fromCache: 2);
        await asked.CompareAsync(question, Captured with { BatchSize = 7 }, fromCache: 0);
        await asked.CompareAsync(question, Captured with { PreciseCache = true }, fromCache: 0);
        await asked.CompareAsync(question, Captured with { Layers = [1] }, fromCache: 0);

        // Text alone, more pictures, and a prompt that is not asked to the end.
        await asked.CompareAsync([new(TurnRole.User, "What is this?")], Captured, fromCache: 0);
        await asked.CompareAsync([new(TurnRole.User, [One, Other, new TextPart("?")])], Captured, fromCache: 0);
        await asked.CompareAsync([new(TurnRole.User, [One, One, new TextPart("?")])], Captured, fromCache: 3);
        await asked.CompareAsync(question, Captured, fromCache: 2);
        await asked.CompareAsync(question, Captured, fromCache: 2, readCount: 2);
        await asked.CompareAsync(question, Captured, fromCache: 2, readCount: 0);
        await asked.CompareAsync(question, Captured, fromCache: 2);
    }

    [Theory]
    [InlineData("qwen3vl")]
    [InlineData("qwen35")]
    public async Task GenerateAsync_AfterACancelledOne_SameBits(string name)
    {
        var asked = new Asked(name);
        var question = Ask(One, "What is this?");
        await asked.CompareAsync(question, Captured, fromCache: 0);
        foreach (var batch in (int[])[1, 2, 4])
        {
            using var cancellation = new CancellationTokenSource();
            using (var cancelled = asked.Create(Ask(Other, "What is this?"), Captured with { BatchSize = 16 }))
            {
                var progress = new Counted(_ => cancellation.Cancel(), after: batch);
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
                    cancelled.PrefillAsync(progress, cancellation.Token)
                );
            }

            await asked.CompareAsync(question, Captured, fromCache: 0);
            await asked.CompareAsync(question, Captured, fromCache: 2);
        }
    }

    [Fact]
    public async Task GenerateAsync_TwoAtOnce_OneComputesWhole()
    {
        var asked = new Asked("qwen3vl");
        var question = Ask(One, "What is this?");
        await asked.CompareAsync(question, Captured, fromCache: 0);
        using (var first = asked.Create(question, Captured))
        using (var second = asked.Create(question, Captured))
        {
            await first.PrefillAsync();
            await second.PrefillAsync();
            Assert.NotEqual(0, first.CachedTokenCount);
            Assert.Equal(0, second.CachedTokenCount);
        }

        await asked.CompareAsync(question, Captured, fromCache: 2);
    }

    [Fact]
    public async Task GenerateAsync_AnotherModel_FindsNothing()
    {
        var asked = new Asked("qwen3vl");
        var question = Ask(One, "What is this?");
        await asked.CompareAsync(question, Captured, fromCache: 0);
        await new Asked("qwen3vl-untied", asked.Cache).CompareAsync(question, Captured, fromCache: 0);
        await asked.CompareAsync(question, Captured, fromCache: 0);
    }

    [Fact]
    public async Task Dispose_OfTheCache_NothingIsKept()
    {
        var asked = new Asked("qwen3vl");
        var question = Ask(One, "What is this?");
        using (var completion = asked.Create(question, Captured))
        {
            await completion.PrefillAsync();
            asked.Cache.Dispose();
        }

        Assert.Null(asked.Cache.Take());
        await asked.CompareAsync(question, Captured, fromCache: 0);
    }

    private static ChatTurn[] Ask(ChatPart picture, string question) =>
        [new(TurnRole.User, [picture, new TextPart(question)])];

    private static ChatTurn[] Answered(ChatTurn[] question, string answer) =>
        [.. question, new(TurnRole.Assistant, answer)];

    /// <summary>Questions to one model, each also without a cache.</summary>
    private sealed class Asked(string name, PromptCache? cache = null)
    {
        private readonly VisionLanguageModel _model = LoadedModels.Get(LoadedModels.Files(name));

        public PromptCache Cache { get; } = cache ?? new PromptCache();

        public StopReason StopReason { get; private set; }

        private bool IsHybrid => _model.Facts.AttentionLayers.Count < _model.Facts.LayerCount;

        public Completion Create(ChatTurn[] turns, CompletionOptions options) =>
            _model.CreateCompletion(turns, options with { PromptCache = Cache });

        public int CountTokens(ChatTurn[] turns)
        {
            using var completion = _model.CreateCompletion(turns);
            return completion.PromptTokenCount;
        }

        /// <summary>Both give the same, and the one with the cache computed what is not in it, and only that.</summary>
        /// <param name="turns">The question.</param>
        /// <param name="options">How to answer.</param>
        /// <param name="fromCache">Texts, pictures and patches that are there; null for whichever.</param>
        /// <param name="readCount">Tokens of the answer that are read.</param>
        public async Task CompareAsync(
            ChatTurn[] turns,
            CompletionOptions options,
            int? fromCache,
            int readCount = int.MaxValue
        )
        {
            options = options with
            {
                CaptureAttention = options.CaptureAttention && !_model.Facts.HasAttentionPostNorms,
            };
            using var expected = _model.CreateCompletion(turns, options);
            using var actual = Create(turns, options);
            var (all, computed) = (new Counted(), new Counted());
            await expected.PrefillAsync(all, TestContext.Current.CancellationToken);
            await actual.PrefillAsync(computed, TestContext.Current.CancellationToken);
            var chunks = PromptBuilder.Build(_model, _model.Template.Pieces(turns), expected.ContextSize).Chunks;
            if (fromCache is { } count)
            {
                var there = PartsOf(chunks).Take(IsHybrid ? 0 : count).SelectMany(part => part).ToList();
                Assert.Equal(there.Sum(chunk => chunk.TokenCount), actual.CachedTokenCount);
                Assert.Equal(all.Encoded - there.Count(chunk => chunk is PatchChunk), computed.Encoded);
            }

            var tokens = await ReadAsync(expected, readCount);
            AssertSame(tokens, await ReadAsync(actual, readCount));
            Assert.Equal(expected.StopReason, actual.StopReason);
            Assert.Equal(expected.ContextSize, actual.ContextSize);
            Assert.Equal(expected.TokenIds.ToArray(), actual.TokenIds.ToArray());
            Assert.Equal(
                expected.Pictures.Select(picture => picture.Name),
                actual.Pictures.Select(other => other.Name)
            );
            Assert.Equal(expected.GetNextPosition(), actual.GetNextPosition());
            AssertSame(expected.GetLogits(), actual.GetLogits());
            AssertSame(expected.HiddenStates, actual.HiddenStates);
            foreach (var layer in options.Layers)
            {
                AssertSame(expected.ResidualOf(layer), actual.ResidualOf(layer));
            }

            if (options.CaptureAttention)
            {
                AssertSameAttention(expected, actual);
            }

            StopReason = actual.StopReason;
        }

        /// <summary>The chunks, with the tiles of a picture together.</summary>
        private static List<List<PromptChunk>> PartsOf(IReadOnlyList<PromptChunk> chunks)
        {
            List<List<PromptChunk>> parts = [];
            foreach (var chunk in chunks)
            {
                if (chunk is PatchChunk && parts is [.., [.., PatchChunk { EndsBlock: true }]])
                {
                    parts[^1].Add(chunk);
                    continue;
                }

                parts.Add([chunk]);
            }

            return parts;
        }

        private static async Task<List<GeneratedToken>> ReadAsync(Completion completion, int count)
        {
            List<GeneratedToken> tokens = [];
            if (count > 0)
            {
                await foreach (var token in completion.GenerateAsync(TestContext.Current.CancellationToken))
                {
                    tokens.Add(token);
                    if (tokens.Count == count)
                    {
                        break;
                    }
                }
            }

            return tokens;
        }

        private static void AssertSameAttention(Completion expected, Completion actual)
        {
            var (own, other) = (expected.Attention!, actual.Attention!);
            Assert.Equal(own.Rows.Count, other.Rows.Count);
            foreach (var layer in own.Facts.AttentionLayers)
            {
                var length = expected.HiddenRowCount * own.ValueSize;
                AssertSame(own.ValuesOf(layer)[..length], other.ValuesOf(layer)[..length]);
                foreach (var (rows, others) in own.Rows.Zip(other.Rows))
                {
                    Assert.Equal((rows.FirstPosition, rows.Count), (others.FirstPosition, others.Count));
                    AssertSame(rows.WeightsOf(layer), others.WeightsOf(layer));
                    AssertSame(rows.ResidualOf(layer), others.ResidualOf(layer));
                    AssertSame(rows.AttentionResidualOf(layer), others.AttentionResidualOf(layer));
                    AssertSame(rows.GatesOf(layer), others.GatesOf(layer));
                }
            }
        }

        private static void AssertSame(List<GeneratedToken> expected, List<GeneratedToken> actual)
        {
            Assert.Equal(expected.Count, actual.Count);
            foreach (var (token, other) in expected.Zip(actual))
            {
                Assert.Equal(
                    (token.Id, token.Logit, token.LogProbability),
                    (other.Id, other.Logit, other.LogProbability)
                );
                Assert.Equal(token.SteeredLogProbability, other.SteeredLogProbability);
                Assert.Equal(token.Candidates, other.Candidates);
            }
        }

        private static void AssertSame(ReadOnlyMemory<float> expected, ReadOnlyMemory<float> actual) =>
            Assert.True(
                MemoryMarshal.AsBytes(expected.Span).SequenceEqual(MemoryMarshal.AsBytes(actual.Span)),
                "other bits"
            );
    }

    /// <summary>Counts patches that are encoded, and reports in all.</summary>
    private sealed class Counted(Action<CompletionProgress>? then = null, int after = 0) : IProgress<CompletionProgress>
    {
        private int _reports;

        public int Encoded { get; private set; }

        public void Report(CompletionProgress value)
        {
            Encoded += value.Stage == "encode" ? 1 : 0;
            if (++_reports == after)
            {
                then?.Invoke(value);
            }
        }
    }
}
