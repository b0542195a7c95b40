using Tamx.Llama.Chat;
using Tamx.Llama.Gguf;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Media;

/// <summary>
/// How videos stand in the prompt, and what the model computes of them. Frames of 128 x 96 are enlarged to 14 x 10
/// cells, of 32 pixels or of 28: 128 at least.
/// </summary>
public sealed class VideoPromptTests
{
    private const string Qwen3 =
        "<|im_start|>user\nWatch: <0.2 seconds>{0}<1.2 seconds>{0}<2.0 seconds>{0}What "
        + "moves?<|im_end|>\n<|im_start|>assistant\n";
    private const string Qwen2 =
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\nWatch: {0}What "
        + "moves?<|im_end|>\n<|im_start|>assistant\n";

    public static TheoryData<string> Models => [.. TestModels.WithVideos];

    /// <summary>
    /// The models whose hidden states come about in different ways: heads and files make no difference.
    /// </summary>
    public static TheoryData<string> Encoders => ["qwen3vl", "qwen3vl-deepstack", "qwen35", "qwen2.5vl", "qwen2vl"];

    [Theory]
    [MemberData(nameof(Models))]
    public void CreateCompletion_FiveFrames_TokensAreThoseOfTheWrittenPrompt(string name)
    {
        var model = LoadedModels.Get(TestModels.Get(name));
        using var completion = model.CreateCompletion(Question(VideoPart.FromFrames(TestVideos.Frames(5))));

        var isQwen3 = name.StartsWith("qwen3", StringComparison.Ordinal);
        var (columns, rows) = (completion.Pictures[0].Columns, completion.Pictures[0].Rows);
        Assert.Equal((14, 10), (columns, rows));
        var cells = string.Concat(Enumerable.Repeat("<|video_pad|>", columns * rows * (isQwen3 ? 1 : 3)));
        var expected = (isQwen3 ? Qwen3 : Qwen2).Replace(
            "{0}",
            $"<|vision_start|>{cells}<|vision_end|>",
            StringComparison.Ordinal
        );
        expected += model.Template.StartsThinking ? "<think>\n" : "";
        Assert.Equal(model.Vocabulary.Tokenize(expected, parseMarkers: true), completion.TokenIds.ToArray());

        Assert.Equal(
            isQwen3 ? [(0, 0), (1, 0), (2, 0)] : [(0, 0), (0, 1), (0, 2)],
            completion.Pictures.Select(patch => (patch.BlockIndex, patch.FrameIndex))
        );
        Assert.Equal([0.25, 1.25, 2], completion.Pictures.Select(patch => patch.Seconds));
        Assert.All(completion.Pictures, patch => Assert.Equal(0, patch.VideoIndex));
        var pad = model.Vocabulary.FindId("<|video_pad|>");
        Assert.All(
            completion.Pictures,
            patch =>
                Assert.All(
                    completion.TokenIds.Slice(patch.FirstPosition, columns * rows).ToArray(),
                    id => Assert.Equal(pad, id)
                )
        );
    }

    [Fact]
    public void Format_Video_AsTheTemplatesAndQwen3sProcessorWriteIt()
    {
        var messages = Question(VideoPart.FromFrames(TestVideos.Frames(5)));
        const string Block = "<|vision_start|><|video_pad|><|vision_end|>";
        Assert.Equal(Qwen3.Replace("{0}", Block, StringComparison.Ordinal), new ChatTemplate(null).Format(messages));
        Assert.Equal(
            Qwen2.Replace("{0}", Block, StringComparison.Ordinal),
            new ChatTemplate("You are a helpful assistant.") { VideoLayout = VideoLayout.OneBlock }.Format(messages)
        );
    }

    // The block begins at the prompt's text before it, t0. What follows has max(t0 + columns, t0 + rows, last time + 1)
    // and counts on. Qwen3-VL: three blocks of 14 columns. Qwen2.5-VL at f frames a second: patches at 0, 4 / f and 8 /
    // f. Qwen2-VL: at 0, 1, 2.
    [Theory]
    [InlineData("qwen3vl", 2, 3 * 14)]
    [InlineData("qwen35", 2, 3 * 14)]
    [InlineData("qwen2.5vl", 2, 14)] // 0, 2, 4
    [InlineData("qwen2.5vl", 0.3, 26 + 1)] // 13.33 -> 13, 26.67 -> 26
    [InlineData("qwen2.5vl", 0.1, 80 + 1)]
    [InlineData("qwen2.5vl", 30, 14)] // 0, 0.13, 0.27: kept apart as 0, 1, 2
    [InlineData("qwen2vl", 0.1, 14)]
    public async Task PrefillAsync_Video_TakesThePositionsOfMRope(string name, double framesPerSecond, int expected)
    {
        var model = LoadedModels.Get(TestModels.Get(name));
        var video = VideoPart.FromFrames(TestVideos.Frames(6), new VideoSampling { FramesPerSecond = framesPerSecond });
        using var completion = model.CreateCompletion(Question(video));
        await completion.PrefillAsync();

        var textCount = completion.TokenIds.ToArray().Count(id => id != model.Vocabulary.FindId("<|video_pad|>"));
        Assert.Equal(textCount + expected, completion.GetNextPosition());
    }

    [Theory]
    [MemberData(nameof(Encoders))]
    public async Task PrefillAsync_OneFrame_IsAStillPicture(string name)
    {
        var model = LoadedModels.Get(TestModels.Get(name));
        var frame = TestVideos.Frame(1, 448, 384);
        string[] before = name.StartsWith("qwen3", StringComparison.Ordinal) ? ["<0.0 seconds>"] : [];
        using var picture = model.CreateCompletion([
            new(TurnRole.User, [.. before.Select(text => new TextPart(text)), frame, new TextPart("What is it?")]),
        ]);
        using var video = model.CreateCompletion([
            new(TurnRole.User, [VideoPart.FromFrames([frame]), new TextPart("What is it?")]),
        ]);
        using var twice = model.CreateCompletion([
            new(
                TurnRole.User,
                [VideoPart.FromFrames([frame, frame], new() { FramesPerSecond = 1000 }), new TextPart("What is it?")]
            ),
        ]);
        await picture.PrefillAsync();
        await video.PrefillAsync();
        await twice.PrefillAsync();

        Assert.Equal(picture.HiddenStates.ToArray(), video.HiddenStates.ToArray());
        AssertClose(picture.HiddenStates.Span, twice.HiddenStates.Span, 1e-5);
    }

    /// <summary>Both frames of a pair are seen, in their order.</summary>
    [Theory]
    [InlineData("qwen3vl")]
    [InlineData("qwen2.5vl")]
    [InlineData("qwen2vl")]
    public async Task PrefillAsync_OrderOfThePair_Matters(string name)
    {
        var model = LoadedModels.Get(TestModels.Get(name));
        var (first, second) = (TestVideos.Frame(0), TestVideos.Frame(5));
        var rows = new List<float[]>();
        foreach (
            var frames in (ImagePart[][])
                [
                    [first, second],
                    [second, first],
                    [first, first],
                ]
        )
        {
            using var completion = model.CreateCompletion(
                Question(VideoPart.FromFrames(frames)),
                new() { PreciseCache = true }
            );
            await completion.PrefillAsync();
            rows.Add(completion.HiddenStates.ToArray());
        }

        Assert.True(Largest(rows[0], rows[1]) > 0.05);
        Assert.True(Largest(rows[0], rows[2]) > 0.05);
    }

    /// <summary>
    /// Attention is causal in the order of the sequence, as in Qwen's own code: no patch sees a later one, and the very
    /// first cell of a patch sees the last cell of the patch before, also where Qwen2.5-VL's times would be equal.
    /// </summary>
    [Theory]
    [InlineData("qwen3vl", 2)]
    [InlineData("qwen2.5vl", 2)]
    [InlineData("qwen2.5vl", 30)]
    [InlineData("qwen2vl", 2)]
    public async Task PrefillAsync_Patches_SeeWhatIsBeforeThem(string name, double framesPerSecond)
    {
        var model = LoadedModels.Get(TestModels.Get(name));
        async Task<(float[] Rows, IReadOnlyList<PromptPicture> Patches, int HiddenSize)> Rows(params ImagePart[] frames)
        {
            using var completion = model.CreateCompletion(
                Question(VideoPart.FromFrames(frames, new() { FramesPerSecond = framesPerSecond })),
                new() { PreciseCache = true }
            );
            await completion.PrefillAsync();
            return (completion.HiddenStates.ToArray(), completion.Pictures, model.Facts.HiddenSize);
        }

        var frames = TestVideos.Frames(6);
        var original = await Rows([.. frames]);
        var lastChanged = await Rows([.. frames.Take(4), TestVideos.Frame(9), TestVideos.Frame(8)]);
        var firstChanged = await Rows([TestVideos.Frame(9), TestVideos.Frame(8), .. frames.Skip(2)]);

        var before = original.Patches[2].FirstPosition * original.HiddenSize;
        Assert.Equal(original.Rows[..before], lastChanged.Rows[..before]);
        var firstCell = original.Patches[1].FirstPosition * original.HiddenSize;
        Assert.True(
            Largest(
                original.Rows.AsSpan(firstCell, original.HiddenSize),
                firstChanged.Rows.AsSpan(firstCell, original.HiddenSize)
            ) > 1e-3
        );

        // Nothing depends on how the tokens are cut into batches, so all of them saw the same.
        using var cut = model.CreateCompletion(
            Question(VideoPart.FromFrames(frames, new() { FramesPerSecond = framesPerSecond })),
            new() { PreciseCache = true, BatchSize = 16 }
        );
        await cut.PrefillAsync();
        AssertClose(original.Rows, cut.HiddenStates.Span, 5e-5);
    }

    [Theory]
    [MemberData(nameof(Encoders))]
    public async Task GenerateAsync_AnswerFedBack_SameRows(string name)
    {
        var model = LoadedModels.Get(TestModels.Get(name));
        ChatTurn[] messages =
        [
            new(
                TurnRole.User,
                [VideoPart.FromFrames(TestVideos.Frames(3)), TestPictures.Gradient(96, 128), new TextPart("Compare.")]
            ),
            new(TurnRole.Assistant, "Both show a square."),
            new(
                TurnRole.User,
                [
                    new TextPart("And these?"),
                    VideoPart.FromFrames(TestVideos.Frames(4)),
                    VideoPart.FromFrames(TestVideos.Frames(2)),
                ]
            ),
        ];
        var options = new CompletionOptions { MaxNewTokens = 10, PreciseCache = true };
        using var generated = model.CreateCompletion(messages, options);
        Assert.True((await CaptureTests.Collect(generated)).Count >= 3, "the answer is too short to compare anything");
        using var given = model.CreateCompletion(
            messages,
            generated.TokenIds[generated.PromptTokenCount..].ToArray(),
            options
        );
        await CaptureTests.Collect(given);

        Assert.Equal([0, 0, null, 1, 1, 2], generated.Pictures.Select(patch => patch.VideoIndex));
        Assert.Equal(generated.TokenIds, given.TokenIds);
        AssertClose(generated.HiddenStates.Span, given.HiddenStates.Span, 1e-4);
    }

    [Fact]
    public void CreateCompletion_200Frames_AreRefusedWithTheTokensNeeded()
    {
        var model = LoadedModels.Get(TestModels.Qwen3Vl);
        var video = VideoPart.FromFrames([.. Enumerable.Range(0, 200).Select(index => TestVideos.Frame(index % 8))]);
        var message = Assert.Throws<InvalidInputException>(() => model.CreateCompletion(Question(video))).Message;
        Assert.Matches(@"the prompt has 1[4-9]\d\d\d tokens, .* was trained for 8192; use fewer frames", message);
        Assert.Contains(
            "(MaxFrames, FramesPerSecond; there are 100 patches of two)",
            message,
            StringComparison.Ordinal
        );
        message = Assert
            .Throws<InvalidInputException>(() => model.CreateCompletion(Question(video), new() { ContextSize = 4096 }))
            .Message;
        Assert.Matches(@"the prompt has 1[4-9]\d\d\d tokens, the context 4096; use a context of at least", message);
        Assert.Matches(@"1\d\d\d\d \(ContextSize\) or fewer frames", message);
    }

    /// <summary>They are few cells each, and nothing of them is kept but what is shown.</summary>
    [Fact]
    public async Task PrefillAsync_200SmallFrames_Work()
    {
        using var model = await VisionLanguageModel.LoadAsync(
            LoadedModels.Options(TestModels.Qwen3Vl) with
            {
                MaxImageTokens = 12,
            }
        );
        var video = VideoPart.FromFrames([.. Enumerable.Range(0, 200).Select(index => TestVideos.Frame(index % 8))]);
        using var completion = model.CreateCompletion(Question(video));
        await completion.PrefillAsync();
        Assert.Equal(100, completion.Pictures.Count);
        Assert.All(completion.Pictures, patch => Assert.InRange(patch.Columns * patch.Rows, 6, 12));
        Assert.Equal(completion.PromptTokenCount, completion.HiddenRowCount);
    }

    [Fact]
    public async Task CreateCompletion_TextModelAndVideo_NamesTheWayOut()
    {
        using var text = await VisionLanguageModel.LoadAsync(
            new() { ModelPath = TestModels.Qwen3Vl.ModelPath, ThreadCount = 1 }
        );
        var message = Assert
            .Throws<InvalidInputException>(() =>
                text.CreateCompletion(Question(VideoPart.FromFrames(TestVideos.Frames(2))))
            )
            .Message;
        Assert.Contains("ProjectorPath", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PrefillAsync_VideoFile_ShowsAJpegOfEachPatch()
    {
        using var folder = new TemporaryFolder();
        TestVideos.Write(folder.File("a.mp4"), 3);
        var model = LoadedModels.Get(TestModels.Qwen3Vl);
        using var completion = model.CreateCompletion(Question(VideoPart.FromFile(folder.File("a.mp4"))));
        Assert.All(completion.Pictures, patch => Assert.True(patch.Encoded.IsEmpty));
        await completion.PrefillAsync();

        Assert.Equal(
            [0.3, 89 / 60.0, 160 / 60.0],
            completion.Pictures.Select(patch => Math.Round(patch.Seconds!.Value, 5)),
            Within(1e-4)
        );
        foreach (var patch in completion.Pictures)
        {
            var shown = RgbImage.Decode(patch.Encoded, "patch");
            Assert.Equal("image/jpeg", shown.MediaType);
            Assert.Equal((patch.Width, patch.Height), (shown.Width, shown.Height));
            Assert.Equal((patch.Columns * 32, patch.Rows * 32), (shown.Width, shown.Height));
        }
    }

    /// <summary>
    /// The output embedding of a split model lies in its last file; what it gives are llama.cpp's own logits.
    /// </summary>
    [Theory]
    [InlineData("qwen3vl-split")]
    [InlineData("qwen2.5vl-split")]
    public async Task OutputEmbedding_OfASplitModel_TimesHiddenStateEqualsLogits(string name)
    {
        var model = LoadedModels.Get(TestModels.Get(name));
        Assert.Equal(3, GgufModel.Open(model.Facts.Path).Files.Count);
        using var completion = model.CreateCompletion(
            Question(VideoPart.FromFrames(TestVideos.Frames(2))),
            new() { MaxNewTokens = 1 }
        );
        await CaptureTests.Collect(completion);
        var logits = completion.GetLogits();
        var rows = model.OutputEmbedding.ReadRows([.. Enumerable.Range(0, logits.Length)]);
        var hidden = completion.HiddenStates.Span[^model.Facts.HiddenSize..].ToArray();
        double[] products =
        [
            .. Enumerable
                .Range(0, logits.Length)
                .Select(id => hidden.Select((value, i) => (double)value * rows[(id * hidden.Length) + i]).Sum()),
        ];
        FloatAssert.Equal([.. logits.Select(logit => (double)logit)], products, 1e-5 * logits.Max(Math.Abs), name);
    }

    private static ChatTurn[] Question(VideoPart video) =>
        [new(TurnRole.User, [new TextPart("Watch: "), video, new TextPart("What moves?")])];

    private static double Largest(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        Assert.Equal(first.Length, second.Length);
        double largest = 0;
        for (var i = 0; i < first.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(first[i] - second[i]));
        }

        return largest;
    }

    /// <summary>Relative to the largest value, so that the tolerance is one of the arithmetic.</summary>
    private static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance)
    {
        var scale = expected.ToArray().Max(Math.Abs);
        FloatAssert.Equal(expected, actual, tolerance * scale);
    }

    private static EqualityComparer<double> Within(double tolerance) =>
        EqualityComparer<double>.Create((a, b) => Math.Abs(a - b) <= tolerance, _ => 0);
}
