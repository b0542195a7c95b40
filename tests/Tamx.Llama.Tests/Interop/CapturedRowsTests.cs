using Tamx.Llama.Interop;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Interop;

/// <summary>The capture against llama.cpp's embeddings output, row by row, text and picture alike.</summary>
public sealed class CapturedRowsTests
{
    private const int ContextSize = 512;
    private const int BatchSize = 64;

    [Theory]
    [InlineData("qwen3vl")]
    [InlineData("qwen3vl-deepstack")]
    [InlineData("qwen2.5vl")]
    [InlineData("qwen2vl")]
    public void TryDecode_EveryRow_EqualsEmbeddingsOutput(string name)
    {
        var model = LoadedModels.Get(LoadedModels.Files(name));
        var rows = Decode(
            model,
            LogitRows.All,
            (context, first, captured) =>
            {
                var size = model.Facts.HiddenSize;
                for (var i = 0; i < captured.Length / size; i++)
                {
                    Assert.Equal(context.CopyEmbedding(i), captured.AsSpan(i * size, size).ToArray());
                }
            }
        );

        // Ending each graph at the hidden states leaves rows, and the decodes after it, as they are.
        var earlyRows = Decode(
            model,
            LogitRows.None,
            (context, _, _) => Assert.Throws<InvalidOperationException>(() => context.CopyLogits())
        );
        Assert.Equal(rows, earlyRows);
    }

    [Fact]
    public void TryDecode_WrongArguments_AreRefused()
    {
        var model = LoadedModels.Get(LoadedModels.Files("qwen3vl"));
        using var cancelled = new UnmanagedState<int>();
        using var context = Context(model, cancelled);
        using var sampler = new TokenSampler(new CompletionOptions(), model.Vocabulary.Count, 64);
        var rows = new float[BatchSize * model.Facts.HiddenSize];
        var oneRow = new float[model.Facts.HiddenSize];
        var patch = new PatchChunk(192, 160, 6, 5, 0, EndsBlock: true);

        Assert.Throws<ArgumentOutOfRangeException>(() => context.TryDecode([], LogitRows.None, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => context.TryDecode([-1], LogitRows.None, oneRow));
        Assert.Throws<ArgumentOutOfRangeException>(() => context.TryDecode([int.MaxValue], LogitRows.None, oneRow));
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            context.TryDecode(new int[BatchSize + 1], LogitRows.None, rows)
        );
        Assert.Throws<ArgumentException>(() => context.TryDecode([1, 2], LogitRows.None, oneRow));
        Assert.Throws<ArgumentOutOfRangeException>(() => context.TryDecode(patch, new float[30 * 64], -1, 1, oneRow));
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            context.TryDecode(patch, new float[30 * 64], int.MaxValue, 1, oneRow)
        );
        Assert.Throws<ArgumentOutOfRangeException>(() => context.TryDecode(patch, new float[30 * 64], 0, 31, rows));
        Assert.Throws<InvalidOperationException>(() => context.Rank(-1, 0, 0));
        Assert.Throws<InvalidOperationException>(() => context.Sample(sampler));
        Assert.Equal(0, context.NextPosition);
    }

    [Fact]
    public void TryDecode_PastTheContext_IsFull()
    {
        var model = LoadedModels.Get(LoadedModels.Files("qwen3vl"));
        using var cancelled = new UnmanagedState<int>();
        using var context = new LlamaContext(
            model.Model,
            BatchSize,
            BatchSize,
            1,
            isPrecise: false,
            captures: true,
            cancelled
        );
        var tokens = new int[BatchSize];
        var rows = new float[BatchSize * model.Facts.HiddenSize];
        Assert.True(context.TryDecode(tokens, LogitRows.None, rows));

        // llama.cpp rounds a context up to 256 cells.
        var isFull = false;
        for (var i = 0; i < 4 && !isFull; i++)
        {
            isFull = !context.TryDecode(tokens, LogitRows.None, rows);
        }

        Assert.True(isFull);
    }

    private delegate void Inspect(LlamaContext context, int first, float[] captured);

    private static LlamaContext Context(VisionLanguageModel model, UnmanagedState<int> cancelled) =>
        new(model.Model, ContextSize, BatchSize, 1, isPrecise: false, captures: true, cancelled);

    private static float[] Decode(VisionLanguageModel model, LogitRows logits, Inspect inspect)
    {
        using var cancelled = new UnmanagedState<int>();
        using var context = Context(model, cancelled);
        var picture = RgbImage
            .Decode(TestPictures.Gradient(190, 150).Encoded, "gradient")
            .Resize(model.Projector!.CellSize * 6, model.Projector.CellSize * 5);
        var grid = model.Vision!.Measure(picture.Width, picture.Height);
        Assert.Equal((6, 5), (grid.Columns, grid.Rows));
        int[] before = [.. model.Vocabulary.Tokenize("Look at this: "), .. grid.Before];
        int[] after = [.. grid.After, .. model.Vocabulary.Tokenize("Describe the red cup and the blue plate.")];
        var cells = new PatchChunk(picture.Width, picture.Height, grid.Columns, grid.Rows, 0, EndsBlock: true);
        var embeddings = model.Vision.Encode(
            picture.Width,
            picture.Height,
            cells.TokenCount,
            picture.Pixels,
            default,
            cancelled
        );

        var all = new List<float>();
        Add(before.Length, rows => context.TryDecode(before, logits, rows));
        Add(cells.TokenCount, rows => context.TryDecode(cells, embeddings, 0, cells.TokenCount, rows));
        Add(after.Length, rows => context.TryDecode(after, logits, rows));
        return [.. all];

        void Add(int count, Func<float[], bool> decode)
        {
            var rows = new float[count * model.Facts.HiddenSize];
            Assert.True(decode(rows));
            inspect(context, all.Count / model.Facts.HiddenSize, rows);
            all.AddRange(rows);
        }
    }
}
