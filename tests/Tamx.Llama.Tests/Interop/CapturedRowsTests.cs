using System.Text;
using Tamx.Llama.Imaging;
using Tamx.Llama.Interop;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Interop;

/// <summary>The shim's capture against llama.cpp's embeddings output, row by row, text and picture alike.</summary>
public sealed class CapturedRowsTests
{
    [Theory]
    [InlineData("qwen3vl")]
    [InlineData("qwen3vl-deepstack")]
    [InlineData("qwen2.5vl")]
    public void DecodeChunk_EveryRow_EqualsEmbeddingsOutput(string name)
    {
        var model = LoadedModels.Get(LoadedModels.Files(name));
        using var withLogits = Decode(model, wantLogits: true, out var rows, (context, first, count, captured) =>
        {
            var size = model.Facts.HiddenSize;
            for (var i = 0; i < count; i++)
            {
                var expected = new float[size];
                NativeMethods.GetEmbedding(context, i, expected).ThrowIfFailed();
                Assert.Equal(expected, captured.Slice((first + i) * size, size).ToArray());
            }
        });

        // Ending each graph at the hidden states leaves rows, and the decodes after it, as they are.
        using var withoutLogits = Decode(model, wantLogits: false, out var earlyRows, (_, _, _, _) => { });
        Assert.Equal(rows, earlyRows);
        Assert.Equal(NativeStatus.InvalidArgument, NativeMethods.GetLogits(withoutLogits, new float[model.Vocabulary.Count]));
    }

    [Fact]
    public void DecodeChunk_OutsideTheChunk_IsRefused()
    {
        var model = LoadedModels.Get(LoadedModels.Files("qwen3vl"));
        using var prompt = Prompt(model);
        NativeMethods.CreateContext(model.Model, 512, 64, 1, 0, 1, out var context).ThrowIfFailed();
        using (context)
        {
            var rows = new float[64 * model.Facts.HiddenSize];
            Assert.Equal(NativeStatus.InvalidArgument, NativeMethods.DecodeChunk(context, prompt, 0, 0, 0, 0, rows));
            Assert.Equal(NativeStatus.InvalidArgument, NativeMethods.DecodeChunk(context, prompt, 0, -1, 1, 0, rows));
            Assert.Equal(NativeStatus.InvalidArgument, NativeMethods.DecodeChunk(context, prompt, 0, int.MaxValue, 1, 0, rows));
            Assert.Equal(NativeStatus.InvalidArgument, NativeMethods.DecodeChunk(context, prompt, 99, 0, 1, 0, rows));
            Assert.Equal(NativeStatus.InvalidArgument, NativeMethods.DecodeChunk(context, prompt, 1, 0, 1, 0, rows));
            Assert.Contains("not encoded", NativeStatusExtensions.LastError(), StringComparison.Ordinal);
            Assert.Equal(NativeStatus.InvalidArgument, NativeMethods.DecodeTokens(context, [-1], 1, 0, rows));
            Assert.Equal(NativeStatus.InvalidArgument, NativeMethods.DecodeTokens(context, [int.MaxValue], 1, 0, rows));
            Assert.Equal(NativeStatus.InvalidArgument, NativeMethods.Rank(context, -1, 0, 0, out _, out _, [], []));
            Assert.Equal(NativeStatus.InvalidArgument, NativeMethods.Sample(context, out _));
        }
    }

    private delegate void Inspect(ContextHandle context, int first, int count, ReadOnlySpan<float> captured);

    private static PromptHandle Prompt(VisionLanguageModel model)
    {
        NativeMethods.CreatePrompt(model.Model, model.Vision!, out var prompt).ThrowIfFailed();
        prompt.KeepAlive(model.Model, model.Vision!);
        var picture = Picture(model);
        var before = "Look at this: "u8.ToArray();
        var after = Encoding.UTF8.GetBytes("Describe the red cup and the blue plate.");
        NativeMethods.AddPromptText(prompt, before, before.Length, 0).ThrowIfFailed();
        NativeMethods.AddPromptVision(prompt, picture.Width, picture.Height, [0], 1).ThrowIfFailed();
        NativeMethods.AddPromptText(prompt, after, after.Length, 0).ThrowIfFailed();
        return prompt;
    }

    private static RgbImage Picture(VisionLanguageModel model) =>
        RgbImage.Decode(TestPictures.Gradient(190, 150).Encoded, "gradient").Resize(model.Projector!.CellSize * 6, model.Projector.CellSize * 5);

    private static ContextHandle Decode(VisionLanguageModel model, bool wantLogits, out float[] rows, Inspect inspect)
    {
        using var prompt = Prompt(model);
        NativeMethods.CreateContext(model.Model, 512, 64, 1, 0, 1, out var context).ThrowIfFailed();
        context.KeepAlive(model.Model);
        var captured = new float[512 * model.Facts.HiddenSize];
        var done = 0;
        NativeMethods.GetPromptChunkCount(prompt, out var chunkCount).ThrowIfFailed();
        Assert.Equal(3, chunkCount);
        for (var i = 0; i < chunkCount; i++)
        {
            NativeMethods.GetPromptChunk(prompt, i, out var count, out var columns, out var gridRows).ThrowIfFailed();
            if (columns > 0)
            {
                Assert.Equal((6, 5, 30), (columns, gridRows, count));
                NativeMethods.EncodePatch(context, prompt, i, Picture(model).Pixels, default).ThrowIfFailed();
            }

            NativeMethods.DecodeChunk(context, prompt, i, 0, count, wantLogits ? 1 : 0, captured.AsSpan(done * model.Facts.HiddenSize)).ThrowIfFailed();
            inspect(context, done, count, captured);
            done += count;
        }

        rows = captured[..(done * model.Facts.HiddenSize)];
        return context;
    }
}
