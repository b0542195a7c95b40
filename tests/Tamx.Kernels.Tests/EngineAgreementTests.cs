using System.Runtime.Intrinsics;
using Tamx.Kernels.Cpu;
using Tamx.Testing;

namespace Tamx.Kernels.Tests;

/// <summary>Compares every engine of the registry, and every vector width on the CPU, with the reference.</summary>
public class EngineAgreementTests
{
    /// <summary>Engines by name. They include the vector widths that this machine would not choose.</summary>
    internal static readonly Dictionary<string, Func<int, ITamEngine>> Engines = TestEngines
        .Working.ToDictionary(
            kind => kind.ToString(),
            kind =>
                (Func<int, ITamEngine>)(
                    threads => TamEngines.Create(new EngineOptions { Kind = kind, ThreadCount = threads })
                )
        )
        .Concat([
            new("Simd128", threads => new VectorEngine<Simd128, Vector128<float>>(threads)),
            new("Simd256", threads => new VectorEngine<Simd256, Vector256<float>>(threads)),
            new("Simd512", threads => new VectorEngine<Simd512, Vector512<float>>(threads)),
        ])
        .ToDictionary();

    public static TheoryData<string> Names => [.. Engines.Keys];

    public static TheoryData<string, int> NamesAndKernels
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var name in Engines.Keys)
            {
                foreach (var kernelSize in (int[])[1, 3, 5, 7, 9])
                {
                    data.Add(name, kernelSize);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(NamesAndKernels))]
    public void Compute_SmallGrids_EqualsTheReference(string name, int kernelSize)
    {
        using var engine = Engines[name](2);
        for (var rows = 1; rows <= 7; rows++)
        {
            for (var columns = 1; columns <= 9; columns++)
            {
                var problem = RandomProblem.Create(100 * rows + columns, [(1, rows, columns)], 5, 6, 4);
                AssertEqual(engine, problem.With(kernelSize: kernelSize), $"{rows} x {columns}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(NamesAndKernels))]
    public void Compute_GridsWithTails_EqualsTheReference(string name, int kernelSize)
    {
        using var engine = Engines[name](2);
        (int, int, int)[] grids = [(1, 16, 16), (1, 13, 37), (1, 1, 97), (1, 50, 2), (3, 9, 11), (1, 6, 70)];
        foreach (var grid in grids)
        {
            var problem = RandomProblem.Create(7, [grid], 33, 19, 7, 2).With(kernelSize: kernelSize);
            AssertEqual(engine, problem, grid.ToString());
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Compute_AllSizesOfTheProducts_EqualsTheReference(string name)
    {
        using var engine = Engines[name](2);
        foreach (var hiddenSize in (int[])[1, 2, 15, 64, 129])
        {
            foreach (var rowCount in (int[])[1, 2, 7, 8, 9, 16, 31, 32, 33, 49])
            {
                var problem = RandomProblem.Create(hiddenSize + rowCount, [(1, 5, 5)], hiddenSize, rowCount, 13);
                AssertEqual(engine, problem, $"{hiddenSize} x {rowCount}");
                var (states, rows) = (problem.CellStates, problem.OutputRows);
                var expected = new float[states.Length / hiddenSize * rowCount];
                var actual = new float[expected.Length];
                using var reference = new ReferenceEngine();
                reference.Project(states, rows, hiddenSize, expected);
                engine.Project(states, rows, hiddenSize, actual);
                var tolerance = TestEngines.Tolerance(engine.Kind) * expected.Max();
                FloatAssert.Equal(expected, actual, tolerance, $"{hiddenSize} x {rowCount}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Compute_RowsAsLongAsAModels_EqualsTheReference(string name)
    {
        using var engine = Engines[name](2);
        AssertEqual(engine, RandomProblem.Create(23, [(1, 11, 12)], 2048, 20, 8, 2), "2048");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Compute_EveryOption_EqualsTheReference(string name)
    {
        using var engine = Engines[name](2);
        var problem = RandomProblem.Create(3, [(1, 7, 10), (2, 4, 5), (1, 1, 1)], 24, 15, 9, 3);
        foreach (var kernelSize in (int[])[1, 3, 5])
        {
            foreach (var first in (bool[])[false, true])
            {
                foreach (var strength in (float[])[0, 0.5f, 1])
                {
                    foreach (var constant in Enum.GetValues<ConstantWindow>())
                    {
                        AssertEqual(
                            engine,
                            problem.With(strength, kernelSize, constant, first),
                            $"{kernelSize} {first} {strength} {constant}"
                        );
                    }
                }
            }
        }
    }

    /// <summary>
    /// Equal states give equal activations, so whole windows are constant. Rounding must not decide which.
    /// </summary>
    [Theory]
    [MemberData(nameof(NamesAndKernels))]
    public void Compute_PatchesOfEqualCells_EqualsTheReference(string name, int kernelSize)
    {
        using var engine = Engines[name](2);
        var problem = RandomProblem.Create(5, [(1, 20, 24)], 40, 9, 5);
        for (var cell = 0; cell < 20 * 24; cell++)
        {
            var source = cell / 24 / 10 * 240 + cell % 24 / 12 * 12;
            problem.CellStates.AsSpan(source * 40, 40).CopyTo(problem.CellStates.AsSpan(cell * 40));
        }

        foreach (var constant in Enum.GetValues<ConstantWindow>())
        {
            AssertEqual(engine, problem.With(kernelSize: kernelSize, constantWindow: constant), constant.ToString());
        }
    }

    /// <summary>Values far from 1 must neither underflow nor overflow in squares and small weights.</summary>
    [Theory]
    [MemberData(nameof(NamesAndKernels))]
    public void Compute_TinyAndHugeActivations_EqualsTheReference(string name, int kernelSize)
    {
        using var engine = Engines[name](2);
        foreach (var factor in (float[])[1e-15f, 1e-4f, 1e9f])
        {
            var problem = RandomProblem.Create(11, [(1, 9, 17)], 16, 6, 4).With(strength: 0, kernelSize: kernelSize);
            foreach (ref var value in problem.CellStates.AsSpan())
            {
                value *= factor;
            }

            foreach (ref var value in problem.OutputRows.AsSpan())
            {
                value *= factor;
            }

            AssertEqual(engine, problem, $"{factor}");
        }
    }

    /// <summary>Refining the engine's own activations gives the same bits as computing at once.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Refine_ProjectedActivations_GivesWhatComputeGives(string name)
    {
        using var engine = Engines[name](2);
        foreach (var strength in (float[])[0, 1])
        {
            var random = RandomProblem.Create(29, [(1, 9, 14), (2, 5, 3)], 20, 18, 6, 2).With(strength);
            var expected = random.Compute(engine);
            var cellCount = random.Problem.CellCount;
            var activations = new float[cellCount * random.Problem.OutputRowCount];
            engine.Project(random.CellStates, random.OutputRows, random.HiddenSize, activations);
            var maps = new float[expected.Maps.Length];
            var ranges = new ValueRange[expected.Ranges.Length];
            Array.Fill(ranges, ValueRange.Empty);

            var problem = random.Problem with { CellStates = [], OutputRows = [] };
            engine.Refine(problem, activations, cellCount, maps, ranges);

            Assert.Equal(expected.Maps, maps);
            Assert.Equal(expected.Ranges, ranges);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Refine_ActivationsThatAreNoWholeRows_Throws(string name)
    {
        var random = RandomProblem.Create(29, [(1, 3, 3)], 4, 5, 2);
        using var engine = Engines[name](1);

        Assert.Throws<ArgumentException>(() =>
            engine.Refine(random.Problem, new float[44], 9, new float[18], new ValueRange[2])
        );
        Assert.ThrowsAny<ArgumentException>(() =>
            engine.Refine(random.Problem, new float[45], -9, new float[18], new ValueRange[2])
        );
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Compute_AnyNumberOfThreads_GivesTheSameBits(string name)
    {
        var problem = RandomProblem.Create(17, [(1, 23, 31), (4, 6, 7)], 70, 40, 20, 3).With(kernelSize: 5);
        using var one = Engines[name](1);
        var (maps, ranges) = problem.Compute(one);
        foreach (var threads in (int[])[2, 5])
        {
            using var several = Engines[name](threads);
            var (otherMaps, otherRanges) = problem.Compute(several);
            Assert.Equal(maps, otherMaps);
            Assert.Equal(ranges, otherRanges);
        }
    }

    /// <summary>Buffers that an engine reuses between calls must not change results.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Compute_AfterOtherProblems_GivesTheSameBits(string name)
    {
        var small = RandomProblem.Create(1, [(1, 3, 4)], 9, 5, 3);
        using var fresh = Engines[name](2);
        var expected = small.Compute(fresh).Maps;
        using var used = Engines[name](2);
        RandomProblem.Create(2, [(1, 30, 20)], 50, 60, 10, 2).With(kernelSize: 9).Compute(used);

        Assert.Equal(expected, small.Compute(used).Maps);
    }

    /// <summary>Engines read and write nothing outside of the spans they are given.</summary>
    [Theory]
    [MemberData(nameof(NamesAndKernels))]
    public void Compute_BetweenForbiddenPages_StaysWithin(string name, int kernelSize)
    {
        using var engine = Engines[name](2);
        foreach (var atEnd in (bool[])[true, false])
        {
            foreach (
                var (grid, rowCount, hiddenSize) in (((int, int, int), int, int)[])
                    [((1, 5, 7), 3, 5), ((1, 16, 13), 33, 17), ((2, 1, 3), 16, 32)]
            )
            {
                var random = RandomProblem
                    .Create(9, [grid, (1, 2, 5)], hiddenSize, rowCount, 5)
                    .With(kernelSize: kernelSize);
                var expected = random.Compute(engine);
                using var states = new GuardedMemory(random.CellStates, atEnd);
                using var rows = new GuardedMemory(random.OutputRows, atEnd);
                using var weights = new GuardedMemory(random.Weights, atEnd);
                using var maps = new GuardedMemory(expected.Maps, atEnd);
                using var products = new GuardedMemory(
                    new float[random.CellStates.Length / hiddenSize * rowCount],
                    atEnd
                );
                var ranges = new ValueRange[expected.Ranges.Length];
                Array.Fill(ranges, ValueRange.Empty);
                maps.Span.Clear();

                var problem = random.Problem with { Weights = weights.Span };
                engine.Compute(problem with { CellStates = states.Span, OutputRows = rows.Span }, maps.Span, ranges);
                engine.Project(states.Span, rows.Span, hiddenSize, products.Span);

                Assert.Equal(expected.Maps, maps.Span.ToArray());
                maps.Span.Clear();
                Array.Fill(ranges, ValueRange.Empty);
                engine.Refine(problem, products.Span, problem.CellCount, maps.Span, ranges);
                Assert.Equal(expected.Maps, maps.Span.ToArray());
            }
        }
    }

    /// <summary>
    /// Maps that share a range with a text as relevant as the strongest cell agree within the tolerance. Where only
    /// maps are in the range, they may be small beside the activations that they are differences of. Then the same
    /// rounding is a larger share of them, and the tolerance grows with it.
    /// </summary>
    private static void AssertEqual(ITamEngine engine, RandomProblem problem, string what)
    {
        using var reference = new ReferenceEngine();
        var largest = LargestActivation(problem, reference);
        var tolerance = TestEngines.Tolerance(engine.Kind);
        foreach (var text in (ValueRange?[])[null, new ValueRange(0, largest)])
        {
            var expected = problem.Compute(reference, text);
            var actual = problem.Compute(engine, text);
            Assert.Equal(expected.Ranges.Length, actual.Ranges.Length);
            for (var i = 0; i < expected.Ranges.Length; i++)
            {
                Assert.Equal(expected.Ranges[i].Minimum, actual.Ranges[i].Minimum, tolerance * largest);
                Assert.Equal(expected.Ranges[i].Maximum, actual.Ranges[i].Maximum, tolerance * largest);
            }

            var offset = 0;
            foreach (var map in problem.Maps)
            {
                var slice = offset..(offset + problem.Blocks[map.Block].CellCount);
                var (minimum, maximum) = expected.Ranges[map.Range];
                var share = Math.Max(1, largest / Math.Max((double)maximum - minimum, float.Epsilon));
                FloatAssert.Equal(
                    expected.Maps.AsSpan(slice),
                    actual.Maps.AsSpan(slice),
                    tolerance * share,
                    $"{what}, text {text}"
                );
                offset = slice.End.Value;
            }
        }
    }

    private static float LargestActivation(RandomProblem problem, ReferenceEngine reference)
    {
        var (states, rows) = (problem.CellStates.Length, problem.OutputRows.Length);
        var activations = new float[states / problem.HiddenSize * (rows / problem.HiddenSize)];
        reference.Project(problem.CellStates, problem.OutputRows, problem.HiddenSize, activations);
        return activations.Max();
    }
}
