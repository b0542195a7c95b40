using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Llama.Tests;

/// <summary>Layers and attention come out of the graph as the model computed them.</summary>
public sealed class LayerCaptureTests
{
    private static readonly ChatTurn[] Question =
    [
        new(
            TurnRole.User,
            [new TextPart("Look: "), TestPictures.Gradient(200, 140), new TextPart("Describe this image.")]
        ),
    ];

    private static readonly CompletionOptions Options = new()
    {
        MaxNewTokens = 4,
        Layers = [0, 1, 2],
        CaptureAttention = true,
        PreciseCache = true,
    };

    [Theory]
    [InlineData("qwen3vl")]
    [InlineData("qwen3vl-deepstack")]
    [InlineData("qwen3vl-f16")]
    [InlineData("qwen3vl-q4_k_m")]
    [InlineData("qwen3vlmoe")]
    [InlineData("qwen35")]
    [InlineData("qwen35moe")]
    [InlineData("qwen2.5vl")]
    [InlineData("qwen2vl")]
    [InlineData("qwen2vl-untied-q8_0")]
    [InlineData("internvl3")]
    [InlineData("internvl3.5")]
    [InlineData("internvl3.5-moe")]
    [InlineData("smolvlm")]
    [InlineData("llava")]
    [InlineData("pixtral")]
    [InlineData("mistral-small")]
    [InlineData("gemma3")]
    public async Task ResidualOf_LastLayerWithOutputNorm_IsTheHiddenState(string name)
    {
        var model = LoadedModels.Get(LoadedModels.Files(name));
        var options = Options with
        {
            Layers = [0, model.Facts.LayerCount - 1],
            CaptureAttention = !model.Facts.HasAttentionPostNorms,
        };
        using var completion = model.CreateCompletion(Question, options);
        await Read(completion);

        var last = completion.ResidualOf(model.Facts.LayerCount - 1).ToArray();
        model.OutputNorm.Apply(last, last);
        AssertClose(completion.HiddenStates.ToArray(), last, 1e-5);

        // An earlier layer is another one.
        var first = completion.ResidualOf(0).ToArray();
        model.OutputNorm.Apply(first, first);
        Assert.True(Distance(completion.HiddenStates.ToArray(), first) > 0.1);
    }

    [Fact]
    public async Task ResidualOf_LayerBeforeTheLast_IsTheLastOfAModelWithoutTheLast()
    {
        var whole = LoadedModels.Get(TestModels.Qwen3Vl);
        var options = new RandomModelOptions { Name = "two-layers", LayerCount = 2 };
        var two = LoadedModels.Get(Files(RandomModel.Write(TestModels.Folder, options)));
        using var longer = whole.CreateCompletion(Question, Options);
        using var shorter = two.CreateCompletion(Question, Options with { Layers = [1], CaptureAttention = false });
        await longer.PrefillAsync();
        await shorter.PrefillAsync();

        AssertClose(shorter.ResidualOf(1).ToArray(), longer.ResidualOf(1).ToArray(), 1e-5);
    }

    [Theory]
    [InlineData("qwen3vl", 2)]
    [InlineData("qwen3vl", 16)]
    [InlineData("qwen3vlmoe", 16)]
    [InlineData("qwen35", 16)]
    [InlineData("qwen2.5vl", 7)]
    [InlineData("internvl3", 7)]
    [InlineData("gemma3", 7)]
    public async Task ResidualOf_OtherBatchSizes_SameRows(string name, int batchSize)
    {
        var model = LoadedModels.Get(LoadedModels.Files(name));
        var options = Options with { CaptureAttention = !model.Facts.HasAttentionPostNorms };
        using var expected = model.CreateCompletion(Question, options);
        using var actual = model.CreateCompletion(Question, options with { BatchSize = batchSize });
        await expected.PrefillAsync();
        await actual.PrefillAsync();

        foreach (var layer in Options.Layers)
        {
            // Gemma 3's GELU is looked up with inputs of half precision.
            AssertClose(
                expected.ResidualOf(layer).ToArray(),
                actual.ResidualOf(layer).ToArray(),
                name == "gemma3" ? 5e-4 : 1e-4
            );
        }
    }

    [Theory]
    [InlineData("qwen3vl")]
    [InlineData("qwen3vl-deepstack")]
    [InlineData("qwen3vl-untied-f16")]
    [InlineData("qwen3vl-q8_0")]
    [InlineData("qwen3vl-q4_k_m")]
    [InlineData("qwen3vlmoe")]
    [InlineData("qwen35")]
    [InlineData("qwen35moe")]
    [InlineData("qwen2.5vl")]
    [InlineData("qwen2vl-untied")]
    [InlineData("qwen2vl-untied-q8_0")]
    [InlineData("qwen2.5vl-q4_k_m")]
    [InlineData("internvl3")]
    [InlineData("internvl3.5")]
    [InlineData("internvl3.5-moe")]
    [InlineData("smolvlm")]
    [InlineData("llava")]
    [InlineData("pixtral")]
    [InlineData("mistral-small")]
    public async Task Attention_EveryRow_SumsToOneOverThePositionsSoFar(string name)
    {
        var model = LoadedModels.Get(LoadedModels.Files(name));
        using var completion = model.CreateCompletion(Question, Options);
        var tokens = await Read(completion);

        var attention = completion.Attention!;
        Assert.Equal(
            Enumerable.Range(completion.PromptTokenCount - 1, tokens),
            attention.Rows.SelectMany(rows => Enumerable.Range(rows.FirstPosition, rows.Count))
        );
        foreach (var rows in attention.Rows)
        {
            foreach (var layer in model.Facts.AttentionLayers)
            {
                var weights = rows.WeightsOf(layer).ToArray();
                Assert.Equal(model.Facts.HeadCount * rows.Count * rows.ColumnCount, weights.Length);
                foreach (var (index, row) in weights.Chunk(rows.ColumnCount).Index())
                {
                    var position = rows.FirstPosition + (index % rows.Count);
                    Assert.Equal(1, row.Take(position + 1).Sum(), 1e-3);
                    Assert.All(row.Skip(position + 1), weight => Assert.Equal(0, weight));
                }
            }
        }

        attention.ReleaseBefore(completion.TokenCount);
        Assert.Empty(attention.Rows);
    }

    [Fact]
    public async Task CreateCompletion_GivenAnswer_HasTheAttentionOfTheGeneratedOne()
    {
        var model = LoadedModels.Get(TestModels.Qwen3Vl);
        using var generated = model.CreateCompletion(Question, Options);
        await Read(generated);
        var answer = generated.TokenIds[generated.PromptTokenCount..].ToArray();
        using var given = model.CreateCompletion(Question, answer, Options);
        await Read(given);

        var expected = generated.Attention!.Rows.SelectMany(rows => LastRows(rows, 1)).ToArray();
        var actual = given.Attention!.Rows.SelectMany(rows => LastRows(rows, 1)).ToArray();
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            AssertClose(expected[i], actual[i], 1e-4);
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    public void CreateCompletion_UnknownLayer_NamesIt(int layer)
    {
        var model = LoadedModels.Get(TestModels.Qwen3Vl);
        var error = Assert.Throws<InvalidInputException>(() =>
            model.CreateCompletion(Question, new CompletionOptions { Layers = [layer] })
        );
        Assert.Contains($"layer {layer} ", error.Message, StringComparison.Ordinal);
        Assert.Contains("0 to 2", error.Message, StringComparison.Ordinal);
    }

    private static ModelFiles Files((string ModelPath, string ProjectorPath) paths) =>
        new(paths.ModelPath, paths.ProjectorPath);

    /// <summary>One layer's weights of each position, over the positions up to it.</summary>
    private static IEnumerable<float[]> LastRows(Capture.AttentionRows rows, int layer)
    {
        for (var row = 0; row < rows.Count; row++)
        {
            var start = row * rows.ColumnCount;
            yield return rows.WeightsOf(layer).Slice(start, rows.FirstPosition + row + 1).ToArray();
        }
    }

    private static async Task<int> Read(Completion completion)
    {
        var count = 0;
        await foreach (var _ in completion.GenerateAsync())
        {
            count++;
        }

        return count;
    }

    private static void AssertClose(float[] expected, float[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.InRange(Distance(expected, actual), 0, TestModels.Tolerance(tolerance));
    }

    /// <summary>The largest difference as a share of the largest value.</summary>
    private static double Distance(float[] expected, float[] actual) =>
        expected.Zip(actual, (one, other) => Math.Abs((double)one - other)).Max() / expected.Max(Math.Abs);
}
