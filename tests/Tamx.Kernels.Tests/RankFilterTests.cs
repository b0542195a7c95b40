using System.Text.Json;
using Tamx.Testing;

namespace Tamx.Kernels.Tests;

public class RankFilterTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "fixtures", "tamx", "filter");

    /// <summary>
    /// The fixtures were computed in the input's type. They differ from float64 by that type's rounding.
    /// </summary>
    [Theory]
    [InlineData("f32", 2e-6)]
    [InlineData("f64", 1e-12)]
    public void Apply_FixtureFrames_MatchesReference(string dtype, double tolerance)
    {
        using var file = SafetensorsFile.Open(Path.Combine(Folder, "filter.safetensors"));
        using var cases = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "filter.json")));
        var count = 0;
        foreach (var item in cases.RootElement.GetProperty("cases").EnumerateArray())
        {
            var input = item.GetProperty("input").GetString()!;
            if (!input.EndsWith(dtype, StringComparison.Ordinal))
            {
                continue;
            }

            var expected = item.GetProperty("expected").GetString()!;
            var shape = file.Tensors[input].Shape;
            var frame = file.ReadDoubles(input);
            var values = file.ReadDoubles(expected);

            // In a frame of one cell every window is constant. There, TAMX gives 0 or the value, depending on how
            // its mean is rounded.
            var constantWindow = frame.Length == 1 && values[0] != 0 ? ConstantWindow.Value : ConstantWindow.Zero;
            var kernelSize = item.GetProperty("kernel_size").GetInt32();
            var result = Filter(frame, (int)shape[0], (int)shape[1], kernelSize, constantWindow);
            FloatAssert.Equal(values, result, tolerance, expected);
            count++;
        }

        Assert.True(count > 200, $"only {count} cases were found");
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(11)]
    public void Apply_UnknownKernelSize_Throws(int kernelSize) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Filter([1, 2, 3, 4], 2, 2, kernelSize));

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.1)]
    [InlineData(1e-30)]
    public void Apply_ConstantWindow_FollowsTheOption(double value)
    {
        double[] frame = [value, value, value, value, value, value];

        Assert.All(Filter(frame, 2, 3, 9), result => Assert.Equal(0, result));
        Assert.All(Filter(frame, 2, 3, 9, ConstantWindow.Value), result => Assert.Equal(value, result));
    }

    [Fact]
    public void Apply_NearlyConstantWindow_TendsToItsValue() =>
        FloatAssert.Equal([1, 1, 1, 1], Filter([1, 1, 1, 1 + 1e-9], 2, 2, 3), 1e-8);

    private static double[] Filter(
        double[] frame,
        int rows,
        int columns,
        int kernelSize,
        ConstantWindow constantWindow = ConstantWindow.Zero
    )
    {
        var destination = new double[frame.Length];
        RankFilter.Apply(frame, rows, columns, kernelSize, constantWindow, destination);
        return destination;
    }
}
