using Tamx.Testing;

namespace Tamx.Kernels.Tests;

/// <summary>What every engine finds in a vocabulary that comes in slices.</summary>
public class SelectTopTests
{
    /// <summary>For logits and log sums, as a share of the largest logit: the rounding of sums in float32.</summary>
    private const double Tolerance = 2e-6;

    public static TheoryData<string> Names => EngineAgreementTests.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void SelectTop_SmallMatrices_GivesTheBestAndTheLogSum(string name)
    {
        using var engine = EngineAgreementTests.Engines[name](2);
        var (best, logSums) = Start(2, 2);

        // Logits of the first state: 1, -4, 3; of the second: -1, 4, 2.
        Select(engine, [1, 2, -1, -1], [1, 0, -4, 0, -7, 5], 2, 10, best, logSums);

        Assert.Equal([new(12, 3), new(10, 1), new(11, 4), new(12, 2)], best);
        double[] expected =
        [
            Math.Log(Math.E + Math.Exp(-4) + Math.Exp(3)),
            Math.Log(Math.Exp(-1) + Math.Exp(4) + Math.Exp(2)),
        ];
        FloatAssert.Equal(expected, logSums, Tolerance);
    }

    /// <summary>
    /// No engine rounds products of whole numbers. So many logits are equal, and one answer is right.
    /// </summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void SelectTop_SmallShapes_EqualsTheReference(string name)
    {
        using var engine = EngineAgreementTests.Engines[name](2);
        (int, int, int, int)[] shapes = [(1, 1, 1, 1), (3, 5, 2, 4), (2, 67, 17, 3), (1, 300, 3, 64), (65, 66, 2, 2)];
        foreach (var (states, rows, hiddenSize, count) in shapes)
        {
            AssertEqual(engine, states, rows, hiddenSize, count);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SelectTop_ShapesWithTails_EqualsTheReference(string name)
    {
        using var engine = EngineAgreementTests.Engines[name](2);
        foreach (var states in (int[])[1, 7, 16, 33, 130])
        {
            foreach (var rows in (int[])[1, 15, 95, 96, 97, 513])
            {
                foreach (var hiddenSize in (int[])[1, 16, 129])
                {
                    AssertEqual(engine, states, rows, hiddenSize, 10);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SelectTop_EqualLogits_TakesTheLowerIdsInWhicheverOrderSlicesCome(string name)
    {
        using var engine = EngineAgreementTests.Engines[name](2);
        foreach (
            var order in (int[][])
                [
                    [0, 1, 2],
                    [2, 1, 0],
                    [1, 2, 0],
                ]
        )
        {
            var (best, logSums) = Start(1, 5);
            foreach (var slice in order)
            {
                Select(engine, [1, 1], [.. Enumerable.Repeat(0.5f, 2 * 300)], 2, 300 * slice, best, logSums);
            }

            Assert.Equal([new(0, 1), new(1, 1), new(2, 1), new(3, 1), new(4, 1)], best);
            FloatAssert.Equal([1 + Math.Log(900)], logSums, Tolerance);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SelectTop_Slices_GiveWhatTheWholeGives(string name)
    {
        using var engine = EngineAgreementTests.Engines[name](2);
        const int HiddenSize = 24;
        var (states, rows) = (Numbers(1, 5 * HiddenSize), Numbers(2, 1000 * HiddenSize));
        var (whole, wholeSums) = Start(5, 12);
        var (best, logSums) = Start(5, 12);
        Select(engine, states, rows, HiddenSize, 0, whole, wholeSums);
        foreach (var (first, end) in ((int, int)[])[(700, 1000), (0, 1), (1, 8), (8, 700)])
        {
            Select(engine, states, rows[(first * HiddenSize)..(end * HiddenSize)], HiddenSize, first, best, logSums);
        }

        Assert.Equal(whole, best);
        FloatAssert.Equal(wholeSums, logSums, Tolerance * Largest(whole));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SelectTop_BetweenForbiddenPages_StaysWithin(string name)
    {
        using var engine = EngineAgreementTests.Engines[name](2);
        foreach (var atEnd in (bool[])[true, false])
        {
            (int, int, int)[] shapes = [(1, 97, 5), (13, 200, 17), (33, 11, 32)];
            foreach (var (stateCount, rowCount, hiddenSize) in shapes)
            {
                var (states, rows) = (Numbers(3, stateCount * hiddenSize), Numbers(4, rowCount * hiddenSize));
                var (expected, expectedSums) = Start(stateCount, 3);
                var (actual, actualSums) = Start(stateCount, 3);
                Select(engine, states, rows, hiddenSize, 0, expected, expectedSums);
                using var guardedStates = new GuardedMemory(states, atEnd);
                using var guardedRows = new GuardedMemory(rows, atEnd);
                engine.SelectTop(
                    new()
                    {
                        HiddenSize = hiddenSize,
                        States = guardedStates.Span,
                        OutputRows = guardedRows.Span,
                        Best = actual,
                        LogSums = actualSums,
                    }
                );

                Assert.Equal(expected, actual);
                Assert.Equal(expectedSums, actualSums);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SelectTop_RowsAsLongAsAModels_EqualsTheReferenceButForRounding(string name)
    {
        using var engine = EngineAgreementTests.Engines[name](2);
        var random = RandomProblem.Create(61, [(1, 5, 7)], 2048, 700, 1);
        var (expected, expectedSums) = Start(35, 20);
        var (actual, actualSums) = Start(35, 20);
        using var reference = new ReferenceEngine();
        Select(reference, random.CellStates, random.OutputRows, 2048, 0, expected, expectedSums);
        Select(engine, random.CellStates, random.OutputRows, 2048, 0, actual, actualSums);

        var tolerance = Tolerance * Largest(expected);
        FloatAssert.Equal(Logits(expected), Logits(actual), tolerance);
        FloatAssert.Equal(expectedSums, actualSums, tolerance);
        for (var i = 0; i < expected.Length; i++)
        {
            // Where the neighbours differ by more than rounding, it must be the same token.
            var isClear =
                (i % 20 == 0 || expected[i - 1].Logit - expected[i].Logit > 2 * tolerance)
                && (i % 20 == 19 || expected[i].Logit - expected[i + 1].Logit > 2 * tolerance);
            Assert.True(
                expected[i].Id == actual[i].Id || !isClear || i % 20 == 19,
                $"place {i}: {actual[i]}, {expected[i]} expected"
            );
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SelectTop_AnyNumberOfThreads_GivesTheSameBits(string name)
    {
        var random = RandomProblem.Create(67, [(1, 3, 3)], 50, 2000, 1);
        var (best, logSums) = Start(9, 8);
        using var one = EngineAgreementTests.Engines[name](1);
        Select(one, random.CellStates, random.OutputRows, 50, 0, best, logSums);
        foreach (var threads in (int[])[1, 2, 5])
        {
            var (again, againSums) = Start(9, 8);
            using var several = EngineAgreementTests.Engines[name](threads);
            Select(several, random.CellStates, random.OutputRows, 50, 0, again, againSums);

            Assert.Equal(best, again);
            Assert.Equal(logSums, againSums);
        }
    }

    /// <summary>exp of such logits overflows or underflows. Their log-sum-exp does not.</summary>
    [Theory]
    [InlineData(30000)]
    [InlineData(-30000)]
    public void SelectTop_LogitsFarFromZero_GivesAFiniteLogSum(float logit)
    {
        foreach (var create in EngineAgreementTests.Engines.Values)
        {
            using var engine = create(2);
            var (best, logSums) = Start(1, 1);
            Select(engine, [1], [logit - 1, logit, logit - 200], 1, 0, best, logSums);
            Select(engine, [1], [logit - 3], 1, 3, best, logSums);

            Assert.Equal([new(1, logit)], best);
            FloatAssert.Equal([logit + Math.Log(1 + Math.Exp(-1) + Math.Exp(-3))], logSums, Tolerance);
        }
    }

    /// <summary>The caller must be able to see the overflow.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void SelectTop_ProductsBeyondFloat32_GivesWhatIsNotFinite(string name)
    {
        using var engine = EngineAgreementTests.Engines[name](2);
        foreach (
            var row in (float[][])
                [
                    [3e38f, 3e38f],
                    [3e38f, -3e38f],
                ]
        )
        {
            var (best, logSums) = Start(1, 1);
            Select(engine, [1e30f, 1e30f], [1, 1, .. row], 2, 0, best, logSums);

            // The exact sum of the second pair is 0. Only the reference finds it; sums in float32 overflow.
            var isExact = name == EngineKind.Reference.Name && row[1] < 0;
            Assert.True(
                !double.IsFinite(logSums[0]) || !float.IsFinite(best[0].Logit) || isExact,
                $"{best[0]} {logSums[0]}"
            );
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SelectTop_FewerTokensThanPlaces_LeavesTheRestEmpty(string name)
    {
        using var engine = EngineAgreementTests.Engines[name](2);
        var (best, logSums) = Start(2, 4);
        Select(engine, [1, -1], [2, 3], 1, 7, best, logSums);

        var none = TokenScore.None;
        Assert.Equal([new(8, 3), new(7, 2), none, none, new(7, -2), new(8, -3), none, none], best);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SelectTop_NoRowsOrNoStates_ChangesNothing(string name)
    {
        using var engine = EngineAgreementTests.Engines[name](2);
        TokenScore[] best = [new(3, 1), TokenScore.None];
        double[] logSums = [1];
        Select(engine, [1, 2], [], 2, 0, best, logSums);
        Select(engine, [], [1, 2], 2, 0, [], []);

        Assert.Equal([new(3, 1), TokenScore.None], best);
        Assert.Equal([1.0], logSums);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SelectTop_PartsThatDoNotFit_Throws(string name)
    {
        using var engine = EngineAgreementTests.Engines[name](2);
        var (best, logSums) = Start(2, 3);
        Assert.ThrowsAny<ArgumentException>(() => Select(engine, [1, 2, 3], [1, 2], 2, 0, best, logSums));
        Assert.ThrowsAny<ArgumentException>(() => Select(engine, [1, 2, 3, 4], [1, 2, 3], 2, 0, best, logSums));
        Assert.ThrowsAny<ArgumentException>(() => Select(engine, [1, 2], [1, 2], 2, 0, best, logSums));
        Assert.ThrowsAny<ArgumentException>(() => Select(engine, [1, 2, 3, 4], [1, 2], 2, 0, best[1..], logSums));
        Assert.ThrowsAny<ArgumentException>(() => Select(engine, [1, 2, 3, 4], [1, 2], 2, 0, [], logSums));
        Assert.ThrowsAny<ArgumentException>(() => Select(engine, [1, 2, 3, 4], [1, 2], 2, -1, best, logSums));
        Assert.ThrowsAny<ArgumentException>(() => Select(engine, [1, 2, 3, 4], [1, 2], 2, int.MaxValue, best, logSums));
        Assert.ThrowsAny<ArgumentException>(() => Select(engine, [1, 2, 3, 4], [1, 2], 0, 0, best, logSums));
        Assert.ThrowsAny<ArgumentException>(() =>
            Select(engine, [1], [1], 1, 0, new TokenScore[ITamEngine.MaxTopCount + 1], new double[1])
        );
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SelectTop_Cancelled_Throws(string name)
    {
        using var engine = EngineAgreementTests.Engines[name](2);
        var (best, logSums) = Start(1, 1);

        Assert.ThrowsAny<OperationCanceledException>(() =>
            Select(engine, [1], [1], 1, 0, best, logSums, new CancellationToken(canceled: true))
        );
    }

    private static (TokenScore[] Best, double[] LogSums) Start(int stateCount, int count)
    {
        var best = new TokenScore[stateCount * count];
        var logSums = new double[stateCount];
        Array.Fill(best, TokenScore.None);
        Array.Fill(logSums, double.NegativeInfinity);
        return (best, logSums);
    }

    private static void Select(
        ITamEngine engine,
        float[] states,
        float[] rows,
        int hiddenSize,
        int firstId,
        TokenScore[] best,
        double[] logSums,
        CancellationToken cancellationToken = default
    ) =>
        engine.SelectTop(
            new()
            {
                HiddenSize = hiddenSize,
                States = states,
                OutputRows = rows,
                FirstId = firstId,
                Best = best,
                LogSums = logSums,
            },
            cancellationToken
        );

    private static void AssertEqual(ITamEngine engine, int stateCount, int rowCount, int hiddenSize, int count)
    {
        var (states, rows) = (Numbers(stateCount, stateCount * hiddenSize), Numbers(rowCount, rowCount * hiddenSize));
        var (expected, expectedSums) = Start(stateCount, count);
        var (actual, actualSums) = Start(stateCount, count);
        using var reference = new ReferenceEngine();
        Select(reference, states, rows, hiddenSize, 5, expected, expectedSums);
        Select(engine, states, rows, hiddenSize, 5, actual, actualSums);

        Assert.Equal(expected, actual);
        var tolerance = Tolerance * Math.Max(1, Largest(expected));
        FloatAssert.Equal(expectedSums, actualSums, tolerance, $"{stateCount} x {rowCount} x {hiddenSize}");
    }

    /// <summary>Whole numbers from -3 to 3.</summary>
    private static float[] Numbers(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)random.Next(-3, 4))];
    }

    private static float[] Logits(TokenScore[] tokens) => Array.ConvertAll(tokens, token => token.Logit);

    private static double Largest(TokenScore[] tokens) =>
        tokens.Where(token => token.Id >= 0).Max(token => Math.Abs(token.Logit));
}
