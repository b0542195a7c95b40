using Tamx.Llama.Interop;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Media;

/// <summary>A cell of the grid is that part of the picture: nothing is mirrored, turned or shifted.</summary>
public sealed class GridTests
{
    private const int Columns = 5;
    private const int Rows = 3;

    [Theory]
    [InlineData("qwen3vl")]
    [InlineData("qwen3vl-deepstack")]
    [InlineData("qwen3vlmoe")]
    [InlineData("qwen35")]
    [InlineData("qwen35moe")]
    [InlineData("qwen2.5vl")]
    [InlineData("qwen2vl")]
    public void Encode_OneCellOther_ItsEmbeddingChangesMost(string name)
    {
        var model = LoadedModels.Get(TestModels.Get(name));
        var cell = model.Projector!.CellSize;
        var (width, height) = (Columns * cell, Rows * cell);
        var grid = model.Vision!.Measure(width, height);
        Assert.Equal((Columns, Rows), (grid.Columns, grid.Rows));

        var dark = Encode(model, width, height, other: -1);
        for (var other = 0; other < Columns * Rows; other++)
        {
            var changed = Encode(model, width, height, other);
            var size = dark.Length / (Columns * Rows);
            double[] distances =
            [
                .. Enumerable
                    .Range(0, Columns * Rows)
                    .Select(i => dark[(i * size)..((i + 1) * size)].Zip(changed[(i * size)..((i + 1) * size)]))
                    .Select(pairs => pairs.Sum(pair => Math.Pow(pair.First - pair.Second, 2))),
            ];

            Assert.Equal(other, Array.IndexOf(distances, distances.Max()));
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
        return model.Vision!.Encode(width, height, Columns * Rows, pixels, default, cancelled);
    }
}
