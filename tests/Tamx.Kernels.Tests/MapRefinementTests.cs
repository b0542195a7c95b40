using Tamx.Testing;

namespace Tamx.Kernels.Tests;

public class MapRefinementTests
{
    /// <summary>
    /// A = [3, 1, 0, 0] and [2, 0, 0, 2], E = 0.5 x the second, s = 3 / 2, M = [1.5, 1, 0, 0]. The range [0, 4] gives
    /// M / 4.
    /// </summary>
    [Fact]
    public void Apply_GivenActivations_GivesTheMap()
    {
        var maps = new float[4];
        ValueRange[] ranges = [new(0, 4)];

        MapRefinement.Apply(Problem([0, 0.5f]), [3, 1, 0, 0, 2, 0, 0, 2], 4, maps, ranges);

        FloatAssert.Equal([0.375f, 0.25f, 0, 0], maps, 1e-7);
        Assert.Equal(new ValueRange(0, 4), ranges[0]);
    }

    [Fact]
    public void Apply_PartsThatDoNotFit_Throws()
    {
        Assert.ThrowsAny<ArgumentException>(() => Apply([0, 0.5f], activationCount: 7, mapCount: 4));
        Assert.ThrowsAny<ArgumentException>(() => Apply([0, 0.5f], activationCount: 12, mapCount: 4));
        Assert.ThrowsAny<ArgumentException>(() => Apply([0, 0.5f], activationCount: 8, mapCount: 3));
        Assert.ThrowsAny<ArgumentException>(() => Apply([0.5f], activationCount: 8, mapCount: 4));
    }

    [Fact]
    public void Apply_Cancelled_Throws() =>
        Assert.ThrowsAny<OperationCanceledException>(() =>
            MapRefinement.Apply(
                Problem([0, 0]),
                new float[8],
                4,
                new float[4],
                new ValueRange[1],
                new CancellationToken(canceled: true)
            )
        );

    private static void Apply(float[] weights, int activationCount, int mapCount) =>
        MapRefinement.Apply(Problem(weights), new float[activationCount], 4, new float[mapCount], new ValueRange[1]);

    private static TamProblem Problem(float[] weights) =>
        new()
        {
            HiddenSize = 1,
            CellStates = [],
            OutputRows = [],
            Blocks = new TamBlock[] { new(0, 1, 2, 2) },
            Maps = new TamMap[] { new(0, 0, 0) },
            Weights = weights,
            RangeCount = 1,
            EciStrength = 1,
            KernelSize = 1,
        };
}
