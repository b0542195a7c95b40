using Tamx.Testing;

namespace Tamx.Kernels.Tests;

/// <summary>What every engine of the registry must do. Values were worked out by hand.</summary>
public class TamEngineContractTests
{
    private const double Tolerance = 2e-6;

    public static TheoryData<string> Engines => TestEngines.Names;

    [Theory]
    [MemberData(nameof(Engines))]
    public void Project_SmallMatrices_GivesRectifiedProducts(string kind)
    {
        using var engine = TamEngines.Create(kind);
        var destination = new float[6];

        engine.Project([1, 2, 3, 4, -1, -1], [1, 0, 0.5f, -1], 2, destination);

        FloatAssert.Equal([1, 3, 0, 0, 0, 0.5f], destination, Tolerance);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Compute_InterferenceAlongTheMap_LeavesTheRest(string kind)
    {
        // There is one hidden axis per cell, so an output row is an activation. A = [3, 1, 0, 0],
        // E = 0.5 * [2, 0, 0, 2] = [1, 0, 0, 1], s = 3 / 2, M = [1.5, 1, 0, 0]. The text's range [0, 4] gives M / 4.
        var maps = Compute(kind, [new TamMap(0, 0, 0)], [0, 0.5f], out var ranges, [new ValueRange(0, 4)]);

        FloatAssert.Equal([0.375f, 0.25f, 0, 0], maps, Tolerance);
        Assert.Equal(new ValueRange(0, 4), ranges[0]);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Compute_HalfStrength_SubtractsHalf(string kind)
    {
        var maps = Compute(kind, [new TamMap(0, 0, 0)], [0, 0.5f], out _, [new ValueRange(0, 4)], strength: 0.5f);

        FloatAssert.Equal([2.25f / 4, 0.25f, 0, 0], maps, Tolerance);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Compute_NoInterference_GivesTheActivation(string kind)
    {
        var weighted = Compute(kind, [new TamMap(0, 0, 0)], [0, 0], out var ranges);
        var off = Compute(kind, [new TamMap(0, 0, 0)], [], out _, strength: 0);

        FloatAssert.Equal([1, 1 / 3f, 0, 0], weighted, Tolerance);
        Assert.Equal(weighted, off);
        Assert.Equal(new ValueRange(0, 3), ranges[0]);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Compute_SharedAndOwnRanges_NormalizesAccordingly(string kind)
    {
        TamMap[] maps = [new(0, 0, 0), new(0, 1, 0), new(0, 1, 1)];
        var values = Compute(kind, maps, [0, 0, 0, 0, 0, 0], out var ranges);

        FloatAssert.Equal([1, 1 / 3f, 0, 0, 2 / 3f, 0, 0, 2 / 3f, 1, 0, 0, 1], values, Tolerance);
        Assert.Equal([new ValueRange(0, 3), new ValueRange(0, 2)], ranges);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Compute_ExplainedTokenAsItsOwnContext_GivesZeros(string kind)
    {
        var values = Compute(kind, [new TamMap(0, 0, 0)], [1, 0], out _);

        FloatAssert.Equal([0, 0, 0, 0], values, Tolerance);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Compute_FilterOn_WorksPerFrameInTheOrderAskedFor(string kind)
    {
        var expected = new double[4];
        RankFilter.Apply([3, 1], 1, 2, 3, ConstantWindow.Zero, expected.AsSpan(0, 2));
        var largest = expected.Max();

        TamMap[] maps = [new(0, 0, 0)];
        var after = Compute(kind, maps, [0, 0], out _, kernelSize: 3, frames: 2);
        var before = Compute(kind, maps, [0, 0], out _, kernelSize: 3, frames: 2, normalizeFirst: true);

        FloatAssert.Equal([.. expected.Select(value => (float)(value / largest))], after, Tolerance);
        FloatAssert.Equal([.. expected.Select(value => (float)(value / 3))], before, Tolerance);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Compute_RandomProblem_EqualsTheReferenceAndItself(string kind)
    {
        using var engine = TamEngines.Create(kind);
        using var reference = new ReferenceEngine();
        var first = Random(engine);

        FloatAssert.Equal(Random(reference), first, Tolerance);
        Assert.Equal(first, Random(engine));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Compute_NoMapsAtAll_LeavesTheRanges(string kind)
    {
        var maps = Compute(kind, [], [], out var ranges, [new ValueRange(1, 2)]);

        Assert.Empty(maps);
        Assert.Equal(new ValueRange(1, 2), ranges[0]);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Compute_PartsThatDoNotFit_Throws(string kind)
    {
        Assert.ThrowsAny<ArgumentException>(() => Compute(kind, [new TamMap(1, 0, 0)], [0, 0], out _));
        Assert.ThrowsAny<ArgumentException>(() => Compute(kind, [new TamMap(0, 2, 0)], [0, 0], out _));
        Assert.ThrowsAny<ArgumentException>(() => Compute(kind, [new TamMap(0, 0, 5)], [0, 0], out _));
        Assert.ThrowsAny<ArgumentException>(() => Compute(kind, [new TamMap(0, 0, 0)], [0], out _));
        Assert.ThrowsAny<ArgumentException>(() => Compute(kind, [new TamMap(0, 0, 0)], [0, 0], out _, kernelSize: 4));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Compute_Cancelled_Throws(string kind) =>
        Assert.ThrowsAny<OperationCanceledException>(() =>
            Compute(
                kind,
                [new TamMap(0, 0, 0)],
                [0, 0],
                out _,
                cancellationToken: new CancellationToken(canceled: true)
            )
        );

    private static float[] Compute(
        EngineKind kind,
        TamMap[] maps,
        float[] weights,
        out ValueRange[] ranges,
        ValueRange[]? textRanges = null,
        float strength = 1,
        int kernelSize = 1,
        int frames = 1,
        bool normalizeFirst = false,
        CancellationToken cancellationToken = default
    )
    {
        using var engine = TamEngines.Create(kind);
        TamBlock[] blocks = [new(0, frames, 1, 4 / frames)];
        var problem = new TamProblem
        {
            HiddenSize = 4,
            CellStates = (float[])[1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
            OutputRows = (float[])[3, 1, -1, 0, 2, 0, 0, 2],
            Blocks = blocks,
            Maps = maps,
            Weights = weights,
            RangeCount = textRanges?.Length ?? 2,
            EciStrength = strength,
            KernelSize = kernelSize,
            NormalizeBeforeFilter = normalizeFirst,
        };
        var values = new float[maps.Length * 4];
        ranges = textRanges ?? [ValueRange.Empty, ValueRange.Empty];
        engine.Compute(problem, values, ranges, cancellationToken);
        return values;
    }

    private static float[] Random(ITamEngine engine)
    {
        const int HiddenSize = 37;
        var random = new Random(20250711);
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];
        TamBlock[] blocks = [new(0, 1, 5, 7), new(35, 2, 3, 1)];
        TamMap[] maps = [new(0, 0, 0), new(1, 0, 0), new(0, 8, 0), new(1, 3, 1)];
        var problem = new TamProblem
        {
            HiddenSize = HiddenSize,
            CellStates = Values(41 * HiddenSize),
            OutputRows = Values(9 * HiddenSize),
            Blocks = blocks,
            Maps = maps,
            Weights = Array.ConvertAll(Values(4 * 9), MathF.Abs),
            RangeCount = 2,
            EciStrength = 1,
            KernelSize = 5,
        };
        var values = new float[problem.MapValueCount];
        ValueRange[] ranges = [new(0, 1), ValueRange.Empty];
        engine.Compute(problem, values, ranges);
        return values;
    }
}
