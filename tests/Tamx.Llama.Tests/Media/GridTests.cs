using Tamx.Llama.Families;
using Tamx.Llama.Interop;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Media;

/// <summary>A cell of the grid is that part of the picture: nothing is mirrored, turned or shifted.</summary>
public sealed class GridTests
{
    private const int Columns = 5;

    [Theory]
    [InlineData("qwen3vl")]
    [InlineData("qwen3vl-deepstack")]
    [InlineData("qwen3vlmoe")]
    [InlineData("qwen35")]
    [InlineData("qwen35moe")]
    [InlineData("qwen2.5vl")]
    [InlineData("qwen2vl")]
    [InlineData("internvl3")]
    [InlineData("gemma3")]
    [InlineData("smolvlm")]
    [InlineData("llava")]
    [InlineData("pixtral")]
    [InlineData("mistral-small")]
    public void Encode_OneCellOther_ItsEmbeddingChangesMost(string name)
    {
        var model = LoadedModels.Get(TestModels.Get(name));
        var cell = model.Projector!.CellSize;
        var offset = ProjectorKind.Of(model.Projector.ProjectorType).CellOffset;
        var rows = model.Projector.IsSquare ? Columns : 3;
        var (width, height) = (Columns * cell, rows * cell);
        var grid = model.Vision!.Measure(width, height);
        Assert.Equal((Columns, rows), (grid.Columns, grid.Rows));

        var dark = Encode(model, width, height, other: -1);
        for (var other = 0; other < Columns * rows; other++)
        {
            var changed = Encode(model, width, height, other);
            var size =
                model.Projector.ProjectionSize
                + (model.Projector.DeepstackLayerIndices.Count * model.Projector.ProjectionSize);
            double[] distances =
            [
                .. Enumerable
                    .Range(0, Columns * rows)
                    .Select(i => model.Vision.HasRowEnds ? i + (i / Columns) : i)
                    .Select(i => dark[(i * size)..((i + 1) * size)].Zip(changed[(i * size)..((i + 1) * size)]))
                    .Select(pairs => pairs.Sum(pair => Math.Pow(pair.First - pair.Second, 2))),
            ];

            // LLaVA's cells are one place ahead of the picture, and the last is none of its places.
            if (other >= offset)
            {
                Assert.Equal(other, Array.IndexOf(distances, distances.Max()) + offset);
            }
        }
    }

    private static float[] Encode(VisionLanguageModel model, int width, int height, int other)
    {
        var cell = width / Columns;
        var pixels = new byte[width * height * 3];

        // Noise: a tower without biases hardly tells plain colours apart, since its norms divide them by their size.
        new Random(1).NextBytes(pixels);
        var others = new Random(2);
        for (var i = 0; i < pixels.Length; i++)
        {
            var (y, x) = Math.DivRem(i / 3, width);
            var pixel = (byte)others.Next(256);
            pixels[i] = (y / cell * Columns) + (x / cell) == other ? pixel : pixels[i];
        }

        using var cancelled = new UnmanagedState<int>();
        var rows = height / cell;
        var count = (rows * Columns) + (model.Vision!.HasRowEnds ? rows - 1 : 0);
        return model.Vision.Encode(width, height, count, pixels, default, cancelled);
    }
}
