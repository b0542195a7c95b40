using Tamx.Llama.Chat;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Llama.Tests;

/// <summary>The hidden states that generation leaves behind are the model's own, for every position.</summary>
public sealed class CaptureTests
{
    private static readonly ChatTurn[] Question =
    [
        new(
            TurnRole.User,
            [new TextPart("Look: "), TestPictures.Gradient(200, 140), new TextPart("Describe this image.")]
        ),
    ];

    [Theory]
    [InlineData("qwen3vl")]
    [InlineData("qwen3vl-deepstack")]
    [InlineData("qwen3vlmoe")]
    [InlineData("qwen35")]
    [InlineData("qwen35moe")]
    [InlineData("qwen2.5vl")]
    [InlineData("qwen2vl")]
    [InlineData("internvl3")]
    [InlineData("internvl3.5")]
    [InlineData("internvl3.5-moe")]
    [InlineData("smolvlm")]
    [InlineData("llava")]
    [InlineData("pixtral")]
    [InlineData("mistral-small")]
    [InlineData("gemma3")]
    public async Task GenerateAsync_EveryPosition_HasFiniteRow(string name)
    {
        using var completion = LoadedModels
            .Get(LoadedModels.Files(name))
            .CreateCompletion(Question, new() { MaxNewTokens = 6 });
        var tokens = await Collect(completion);

        Assert.Equal(completion.PromptTokenCount + tokens.Count, completion.TokenCount);
        Assert.Equal(completion.TokenCount - 1, completion.HiddenRowCount);
        Assert.All(completion.HiddenStates.ToArray(), value => Assert.True(float.IsFinite(value)));
        foreach (var row in Rows(completion))
        {
            // A row nobody wrote would be zero.
            Assert.Contains(row.ToArray(), value => Math.Abs(value) > 1e-3f);
        }
    }

    [Theory]
    [InlineData("qwen3vl", "image")]
    [InlineData("qwen3vl", "video")]
    [InlineData("qwen3vl-deepstack", "image")]
    [InlineData("qwen3vl-deepstack", "video")]
    [InlineData("qwen3vlmoe", "image")]
    [InlineData("qwen3vlmoe", "video")]
    [InlineData("qwen35", "image")]
    [InlineData("qwen35", "video")]
    [InlineData("qwen35moe", "image")]
    [InlineData("qwen35moe", "video")]
    [InlineData("qwen2.5vl", "image")]
    [InlineData("qwen2.5vl", "video")]
    [InlineData("qwen3vl-q4_k_m", "image")]
    [InlineData("qwen3vlmoe-q4_k_m", "image")]
    [InlineData("qwen35-q4_k_m", "image")]
    [InlineData("qwen35moe-q4_k_m", "image")]
    [InlineData("qwen35moe-fused", "image")]
    [InlineData("internvl3", "image")]
    [InlineData("internvl3.5", "image")]
    [InlineData("internvl3.5-moe", "image")]
    [InlineData("smolvlm", "image")]
    [InlineData("llava", "image")]
    [InlineData("pixtral", "image")]
    [InlineData("mistral-small", "image")]
    [InlineData("internvl3-q4_k_m", "image")]
    [InlineData("gemma3", "image")]
    [InlineData("gemma3-q4_k_m", "image")]
    public async Task GenerateAsync_LastRow_EqualsEmbeddingsOutput(string name, string medium)
    {
        ChatTurn[] video =
        [
            new(TurnRole.User, [VideoPart.FromFrames(TestVideos.Frames(3)), new TextPart("Describe this video.")]),
        ];
        using var completion = LoadedModels
            .Get(LoadedModels.Files(name))
            .CreateCompletion(medium == "video" ? video : Question, new() { MaxNewTokens = 4 });
        await foreach (var token in completion.GenerateAsync())
        {
            var last = completion.HiddenRowCount - 1;
            Assert.Equal(completion.GetEmbedding(-1), Row(completion, last));
            if (token.Index == 0)
            {
                // The prompt's end is one decode: some words and the markers of its turns.
                for (var back = 2; back <= 6; back++)
                {
                    Assert.Equal(completion.GetEmbedding(-back), Row(completion, last + 1 - back));
                }
            }
        }
    }

    // NATIVE figures: 1e-6 (F32 head), 1e-3 (F16), 0.04 of 5 (Q8_0 and Q6_K, where ggml rounds the activation).
    [Theory]
    [InlineData("qwen3vl", 1e-5)]
    [InlineData("qwen3vl-untied", 1e-5)]
    [InlineData("qwen3vlmoe", 1e-5)]
    [InlineData("qwen35", 1e-5)]
    [InlineData("qwen35moe", 1e-5)]
    [InlineData("qwen2.5vl", 1e-5)]
    [InlineData("internvl3", 1e-5)]
    [InlineData("internvl3.5", 1e-5)]
    [InlineData("internvl3.5-moe", 1e-5)]
    [InlineData("smolvlm", 1e-5)]
    [InlineData("llava", 1e-5)]
    [InlineData("pixtral", 1e-5)]
    [InlineData("mistral-small", 1e-5)]
    [InlineData("gemma3", 1e-5)]
    [InlineData("qwen3vl-f16", 4e-3)]
    [InlineData("qwen3vl-q8_0", 8e-2)]
    [InlineData("qwen3vl-q4_k_m", 8e-2)]
    [InlineData("qwen3vl-untied-q4_k_m", 8e-2)]
    [InlineData("qwen35-q4_k_m", 8e-2)]
    [InlineData("qwen35moe-q4_k_m", 8e-2)]
    [InlineData("qwen35moe-fused", 1e-5)]
    public async Task OutputEmbedding_TimesHiddenState_EqualsLogits(string name, double tolerance)
    {
        var model = LoadedModels.Get(LoadedModels.Files(name));
        using var completion = model.CreateCompletion(Question, new() { MaxNewTokens = 3 });
        var rows = model.OutputEmbedding.ReadRows([.. Enumerable.Range(0, model.Vocabulary.Count)]);
        await foreach (var token in completion.GenerateAsync())
        {
            var logits = completion.GetLogits();
            Assert.Equal(token.Logit, logits[token.Id]);
            var hidden = Row(completion, completion.HiddenRowCount - 1);
            var scale = Math.Max(1, logits.Max(Math.Abs));
            for (var id = 0; id < logits.Length; id++)
            {
                double product = 0;
                for (var i = 0; i < hidden.Length; i++)
                {
                    product += (double)hidden[i] * rows[(id * hidden.Length) + i];
                }

                Assert.True(
                    Math.Abs(product - logits[id]) <= TestModels.Tolerance(tolerance) * scale,
                    $"token {id}: {product} against {logits[id]}"
                );
            }
        }
    }

    // Gemma 3's feed-forward part is GELU, which ggml looks up in a table of half-precision inputs.
    [Theory]
    [InlineData("qwen3vl", 2, 5e-5)]
    [InlineData("qwen3vl", 7, 5e-5)]
    [InlineData("qwen3vl", 512, 5e-5)]
    [InlineData("qwen3vl-deepstack", 16, 5e-5)]
    [InlineData("qwen3vlmoe", 16, 5e-5)]
    [InlineData("qwen35", 2, 5e-5)]
    [InlineData("qwen35", 16, 5e-5)]
    [InlineData("qwen35moe", 7, 5e-5)]
    [InlineData("qwen2.5vl", 16, 5e-5)]
    [InlineData("internvl3", 2, 5e-5)]
    [InlineData("internvl3", 16, 5e-5)]
    [InlineData("internvl3.5", 7, 5e-5)]
    [InlineData("internvl3.5-moe", 16, 5e-5)]
    [InlineData("smolvlm", 16, 5e-5)]
    [InlineData("llava", 16, 5e-5)]
    [InlineData("pixtral", 16, 5e-5)]
    [InlineData("mistral-small", 16, 5e-5)]
    [InlineData("gemma3", 2, 5e-4)]
    [InlineData("gemma3", 16, 5e-4)]
    public async Task PrefillAsync_OtherBatchSizes_SameRows(string name, int batchSize, double tolerance)
    {
        var model = LoadedModels.Get(LoadedModels.Files(name));
        using var expected = model.CreateCompletion(Question, new() { PreciseCache = true });
        using var actual = model.CreateCompletion(Question, new() { PreciseCache = true, BatchSize = batchSize });
        await expected.PrefillAsync();
        await actual.PrefillAsync();

        AssertClose(expected, actual, expected.PromptTokenCount, tolerance);
    }

    [Fact]
    public async Task PrefillAsync_OtherBatchSizesOfDefaultCache_SameRowsWithinHalfPrecision()
    {
        var model = LoadedModels.Get(TestModels.Qwen3Vl);
        using var expected = model.CreateCompletion(Question);
        using var actual = model.CreateCompletion(Question, new() { BatchSize = 16 });
        await expected.PrefillAsync();
        await actual.PrefillAsync();

        AssertClose(expected, actual, expected.PromptTokenCount, 5e-3);
    }

    [Theory]
    [InlineData("qwen3vl", true, 1e-4)]
    [InlineData("qwen3vl", false, 1e-2)]
    [InlineData("qwen3vl-deepstack", true, 1e-4)]
    [InlineData("qwen3vlmoe", true, 1e-4)]
    [InlineData("qwen35", true, 1e-4)]
    [InlineData("qwen35", false, 1e-2)]
    [InlineData("qwen35moe", true, 1e-4)]
    [InlineData("qwen2.5vl", true, 1e-4)]
    [InlineData("internvl3", true, 1e-4)]
    [InlineData("internvl3", false, 1e-2)]
    [InlineData("internvl3.5", true, 1e-4)]
    [InlineData("internvl3.5-moe", true, 1e-4)]
    [InlineData("smolvlm", true, 1e-4)]
    [InlineData("llava", true, 1e-4)]
    [InlineData("pixtral", true, 1e-4)]
    [InlineData("mistral-small", true, 1e-4)]
    [InlineData("gemma3", true, 5e-4)]
    [InlineData("gemma3", false, 1e-2)]
    public async Task GenerateAsync_AnswerFedBackAsText_SameRows(string name, bool precise, double tolerance)
    {
        var model = LoadedModels.Get(LoadedModels.Files(name));
        ChatTurn[] twoPictures =
        [
            new(
                TurnRole.User,
                [
                    TestPictures.Gradient(200, 140),
                    new TextPart("First."),
                    TestPictures.Gradient(96, 260),
                    new TextPart("Compare them."),
                ]
            ),
        ];
        var options = new CompletionOptions { MaxNewTokens = 12, PreciseCache = precise };
        using var generated = model.CreateCompletion(twoPictures, options);
        Assert.True((await Collect(generated)).Count >= 4, "the answer is too short to compare anything");

        // Teacher forcing: the same sequence computed in one go. The answer stands where the model wrote it.
        using var forced = model.CreateCompletion(
            twoPictures,
            generated.TokenIds[generated.PromptTokenCount..].ToArray(),
            options
        );
        await Collect(forced);

        Assert.Equal(generated.TokenIds, forced.TokenIds);
        Assert.Equal(generated.HiddenRowCount, forced.HiddenRowCount);
        var isHybrid = model.Facts.AttentionLayers.Count < model.Facts.LayerCount;
        AssertClose(generated, forced, generated.HiddenRowCount, tolerance, isHybrid);
    }

    [Fact]
    public async Task CreateCompletion_Picture_GridCoversIt()
    {
        var model = LoadedModels.Get(TestModels.Qwen3Vl);
        using var completion = model.CreateCompletion([
            new(TurnRole.User, [TestPictures.Gradient(640, 480), new TextPart("What is it?")]),
        ]);
        await completion.PrefillAsync();

        var picture = Assert.Single(completion.Pictures);
        Assert.Equal((20, 15), (picture.Columns, picture.Rows));
        Assert.Equal((640, 480), (picture.Width, picture.Height));
        var imagePad = model.Vocabulary.FindId("<|image_pad|>");
        Assert.Equal(300, completion.TokenIds.ToArray().Count(id => id == imagePad));
        Assert.Equal(imagePad, completion.TokenIds[picture.FirstPosition]);
        Assert.Equal(model.Vocabulary.FindId("<|vision_start|>"), completion.TokenIds[picture.FirstPosition - 1]);
        Assert.Equal(model.Vocabulary.FindId("<|vision_end|>"), completion.TokenIds[picture.FirstPosition + 300]);
    }

    /// <summary>
    /// InternVL's cells: tiles of 5 x 5, and the whole picture as one more, between one pair of markers; one position
    /// each.
    /// </summary>
    [Theory]
    [InlineData(640, 480, 4, 3)]
    [InlineData(20, 300, 1, 12)]
    [InlineData(420, 280, 3, 2)]
    [InlineData(140, 140, 1, 1)]
    public async Task CreateCompletion_PictureInTiles_GridCoversIt(int width, int height, int columns, int rows)
    {
        var model = LoadedModels.Get(TestModels.InternVl3);
        using var completion = model.CreateCompletion([
            new(TurnRole.User, [TestPictures.Gradient(width, height), new TextPart("What is it?")]),
        ]);
        await completion.PrefillAsync();

        var picture = completion.Pictures[0];
        var tileCount = columns * rows;
        Assert.Equal((5 * columns, 5 * rows), (picture.Columns, picture.Rows));
        Assert.Equal((columns, rows), (picture.TileColumns, picture.TileRows));
        var cellCount = 25 * (tileCount == 1 ? 1 : tileCount + 1);
        if (tileCount > 1)
        {
            var whole = completion.Pictures[1];
            Assert.Equal((5, 5, 1, 1), (whole.Columns, whole.Rows, whole.TileColumns, whole.TileRows));
            Assert.Equal(picture.FirstPosition + (25 * tileCount), whole.FirstPosition);
            Assert.Equal((0, 1), (picture.BlockIndex, whole.BlockIndex));
            Assert.Equal("gradient.png as one tile", whole.Name);
        }

        Assert.Equal(tileCount == 1 ? 1 : 2, completion.Pictures.Count);
        Assert.All(completion.Pictures, one => Assert.Equal((width, height), (one.Width, one.Height)));
        int[] expected =
        [
            model.Vocabulary.FindId("<img>"),
            .. Enumerable.Repeat(model.Vocabulary.FindId("<IMG_CONTEXT>"), cellCount),
            model.Vocabulary.FindId("</img>"),
            model.Vocabulary.FindId("\n"),
        ];
        Assert.Equal(expected, completion.TokenIds.Slice(picture.FirstPosition - 1, cellCount + 3).ToArray());
        Assert.Equal(completion.PromptTokenCount, completion.GetNextPosition());
    }

    /// <summary>What a message asks for, in pixels, bounds the tiles.</summary>
    [Theory]
    [InlineData(null, null, null, 19_600d, 1, 1)]
    [InlineData(null, null, null, 117_600d, 3, 2)]
    [InlineData(null, null, 200_000d, null, 4, 3)]
    [InlineData(100, 100, null, null, 1, 1)]
    [InlineData(400, 400, null, null, 3, 3)]
    public void CreateCompletion_SizeOfAPictureInTiles_ChoosesTheTiles(
        int? width,
        int? height,
        double? least,
        double? most,
        int columns,
        int rows
    )
    {
        using var completion = LoadedModels
            .Get(TestModels.InternVl3)
            .CreateCompletion([new(TurnRole.User, [Sized(width, height, least, most), new TextPart("What?")])]);

        var picture = completion.Pictures[0];
        Assert.Equal((columns, rows), (picture.TileColumns, picture.TileRows));
    }

    [Theory]
    [InlineData(null, 19_599d)]
    [InlineData(235_201d, null)]
    public void CreateCompletion_SizeThatNoTilesHave_SaysWhichThereAre(double? least, double? most)
    {
        var model = LoadedModels.Get(TestModels.InternVl3);
        var error = Assert.Throws<InvalidInputException>(() =>
            model.CreateCompletion([new(TurnRole.User, [Sized(null, null, least, most), new TextPart("What?")])])
        );
        Assert.EndsWith(
            "this model looks at a picture as tiles of 140 x 140 pixels and 25 cells, in all 25 to 325 cells",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void CreateCompletion_VideoOfAFamilyWithout_SaysSo()
    {
        var model = LoadedModels.Get(TestModels.InternVl3);
        var error = Assert.Throws<InvalidInputException>(() =>
            model.CreateCompletion([
                new(TurnRole.User, [VideoPart.FromFrames(TestVideos.Frames(3)), new TextPart("What?")]),
            ])
        );
        Assert.EndsWith(
            "Tamx shows no videos to InternVL 2.5, InternVL 3, InternVL 3.5; give some of its frames as pictures",
            error.Message,
            StringComparison.Ordinal
        );
    }

    private static ImagePart Sized(int? width, int? height, double? least, double? most) =>
        TestPictures.Gradient(200, 140) with
        {
            Bounds = new PixelBounds
            {
                Width = width,
                Height = height,
                MinPixels = least,
                MaxPixels = most,
            },
        };

    internal static async Task<List<GeneratedToken>> Collect(Completion completion)
    {
        var tokens = new List<GeneratedToken>();
        await foreach (var token in completion.GenerateAsync())
        {
            tokens.Add(token);
        }

        return tokens;
    }

    private static float[] Row(Completion completion, int index)
    {
        var size = completion.HiddenStates.Length / completion.HiddenRowCount;
        return completion.HiddenStates.Slice(index * size, size).ToArray();
    }

    private static IEnumerable<float[]> Rows(Completion completion) =>
        Enumerable.Range(0, completion.HiddenRowCount).Select(i => Row(completion, i));

    /// <summary>
    /// Largest difference relative to the largest value, so that the tolerance is one of the arithmetic.
    /// </summary>
    private static void AssertClose(
        Completion expected,
        Completion actual,
        int rowCount,
        double tolerance,
        bool isHybrid = false
    )
    {
        Assert.True(actual.HiddenRowCount >= rowCount);
        tolerance = TestModels.Tolerance(tolerance, isHybrid);
        for (var i = 0; i < rowCount; i++)
        {
            var (a, b) = (Row(expected, i), Row(actual, i));
            var scale = a.Max(Math.Abs);
            for (var j = 0; j < a.Length; j++)
            {
                Assert.True(
                    Math.Abs(a[j] - b[j]) <= tolerance * scale,
                    $"row {i}, value {j}: {a[j]} against {b[j]} (largest {scale})"
                );
            }
        }
    }
}
