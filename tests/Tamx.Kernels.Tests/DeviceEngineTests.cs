using Tamx.Kernels.Devices;
using Tamx.Kernels.Devices.Cuda;
using Tamx.Kernels.Devices.OpenCl;
using Tamx.Testing;

namespace Tamx.Kernels.Tests;

/// <summary>
/// What only engines on devices do: memory, slices, falling back to the CPU. Walks this machine's devices.
/// </summary>
public class DeviceEngineTests
{
    private const double Tolerance = 5e-6;

    /// <summary>With this model even small problems are offloaded.</summary>
    private static readonly OffloadCostModel Free = new(-1, double.PositiveInfinity);

    public static TheoryData<string> Working => TestEngines.DeviceNames;

    /// <summary>Memory that was never written must not matter, and nothing may be written past an allocation.</summary>
    [Theory]
    [MemberData(nameof(Working))]
    public void Compute_OnPoisonedMemory_EqualsTheReference(string kind)
    {
        foreach (var poison in (float[])[float.NaN, 1e30f])
        {
            foreach (var kernelSize in (int[])[1, 3, 5, 7, 9])
            {
                foreach (var first in (bool[])[false, true])
                {
                    var problem = RandomProblem
                        .Create(31, [(1, 5, 13), (2, 3, 30)], 19, 70, 9, 2)
                        .With(kernelSize: kernelSize, normalizeBeforeFilter: first);
                    var device = new PoisonedDevice(Open(kind), poison);
                    using (var engine = new DeviceEngine(device, 0))
                    {
                        AssertEqual(problem, engine);
                        AssertEqual(problem.With(strength: 0, kernelSize: kernelSize), engine);
                    }

                    Assert.True(device.CheckedCount >= 7, $"{device.CheckedCount} allocations");
                }
            }
        }
    }

    /// <summary>
    /// Every kernel, with just more rows and cells than a tile and a group have, since Oclgrind runs this too.
    /// </summary>
    [Theory]
    [MemberData(nameof(Working))]
    public void Compute_SmallShapes_EqualsTheReference(string kind)
    {
        using var engine = TamEngines.Create(kind);
        foreach (var kernelSize in (int[])[1, 3, 5, 7, 9])
        {
            var problem = RandomProblem.Create(kernelSize, [(2, 3, 4), (1, 2, 2)], 17, 5, 3);
            AssertEqual(problem.With(kernelSize: kernelSize), engine);
        }

        AssertEqual(RandomProblem.Create(53, [(1, 1, 67)], 3, 18, 65).With(kernelSize: 1), engine);
        AssertEqual(RandomProblem.Create(59, [(1, 3, 90)], 2, 66, 1).With(strength: 0, kernelSize: 1), engine);
    }

    /// <summary>For products that overflow float32, NaN and infinity are where the reference has them.</summary>
    [Theory]
    [MemberData(nameof(Working))]
    public void Compute_ProductsPastTheRange_TreatsNaNAndInfinityAsTheReference(string kind)
    {
        using var engine = TamEngines.Create(kind);

        AssertNonFinite(engine);
    }

    /// <summary>A sum that is split gives the same bits as one that is not.</summary>
    [Theory]
    [MemberData(nameof(Working))]
    public void Project_InPartsOrNot_GivesTheSameBits(string kind)
    {
        var problem = RandomProblem.Create(61, [(1, 9, 10)], 600, 70, 1);
        var split = new float[70 * problem.CellStates.Length / 600];
        var whole = new float[split.Length];
        using (var engine = new DeviceEngine(new PoisonedDevice(Open(kind), 0) { ComputeUnitCount = 1000 }, 0))
        {
            engine.Project(problem.CellStates, problem.OutputRows, 600, split);
        }

        using (var engine = new DeviceEngine(new PoisonedDevice(Open(kind), 0) { ComputeUnitCount = 1 }, 0))
        {
            engine.Project(problem.CellStates, problem.OutputRows, 600, whole);
        }

        Assert.Equal(whole, split);
    }

    [Theory]
    [MemberData(nameof(Working))]
    public void Compute_StatesInSlices_GivesTheSameBits(string kind)
    {
        var problem = RandomProblem.Create(37, [(1, 20, 17), (1, 3, 3), (2, 9, 11)], 50, 12, 6);
        using var whole = new DeviceEngine(Open(kind), 0);
        using var sliced = new DeviceEngine(Open(kind), 0, stateSliceBytes: 1);

        Assert.Equal(problem.Compute(whole).Maps, problem.Compute(sliced).Maps);
    }

    [Theory]
    [MemberData(nameof(Working))]
    public void Compute_MoreThanTheMemoryAllows_SaysHowMuchIsWantedAndThere(string kind)
    {
        var problem = RandomProblem.Create(41, [(1, 40, 40)], 64, 12, 6);
        using var engine = TamEngines.Create(new EngineOptions { Kind = kind, MaxDeviceBytes = 100_000 });

        var exception = Assert.Throws<EngineUnavailableException>(() => problem.Compute(engine));

        // 1600 states of 64, 12 rows, 12 x 1600 activations, 6 maps, twice, and their small tables.
        Assert.Matches(@"lacks memory: 0\.56\d MB are wanted, and 0\.1 MB may be used", exception.Message);
        Assert.DoesNotContain('\n', exception.Message);
        AssertEqual(RandomProblem.Create(41, [(1, 4, 4)], 64, 12, 6), engine);
    }

    /// <summary>Only what is too large for the device is computed elsewhere. The log says so once.</summary>
    [Theory]
    [MemberData(nameof(Working))]
    public void Compute_DeviceLacksMemory_TheOtherEngineDoesThisCall(string kind)
    {
        var problem = RandomProblem.Create(43, [(1, 40, 40)], 64, 12, 6);
        var log = new List<string>();
        using var engine = new AutoEngine(
            TamEngines.Create(new EngineOptions { Kind = kind, MaxDeviceBytes = 100_000 }),
            () => TamEngines.Create(EngineKind.Cpu),
            Free,
            log.Add
        );

        AssertEqual(problem, engine);
        AssertEqual(problem, engine);
        AssertEqual(RandomProblem.Create(43, [(1, 4, 4)], 64, 12, 6), engine);

        Assert.Equal(kind, engine.Kind);
        Assert.Contains(" and cpu, ", engine.Name, StringComparison.Ordinal);
        var line = Assert.Single(log);
        Assert.Contains("lacks memory", line, StringComparison.Ordinal);
        Assert.Contains("cpu", line, StringComparison.Ordinal);
    }

    /// <summary>Each engine has its own cache of compiled kernels, and disposes of it.</summary>
    [Theory]
    [MemberData(nameof(Working))]
    public void Dispose_OneOfTwoEngines_LeavesTheOtherAtWork(string kind)
    {
        var problem = RandomProblem.Create(61, [(1, 9, 9)], 20, 12, 6);
        using var kept = TamEngines.Create(kind);
        AssertEqual(problem, kept);
        var gone = TamEngines.Create(kind);
        AssertEqual(problem, gone);
        gone.Dispose();
        gone.Dispose();

        AssertEqual(problem, kept);
    }

    [Theory]
    [MemberData(nameof(Working))]
    public void Run_DeviceThatIsRight_Passes(string kind)
    {
        using var engine = TamEngines.Create(kind);

        DeviceSelfTest.Run(engine);
    }

    /// <summary>Each kernel in turn is not run, as if a driver had compiled it to nothing.</summary>
    [Theory]
    [MemberData(nameof(Working))]
    public void Run_AnyKernelThatDoesNothing_IsFound(string kind)
    {
        foreach (var kernel in DeviceKernel.All.Except(((int[])[5, 7, 9]).Select(DeviceKernel.RankFilter)))
        {
            using var engine = new DeviceEngine(new PoisonedDevice(Open(kind), 0.5f) { Skipped = kernel }, 0);

            var exception = Assert.Throws<EngineUnavailableException>(() => DeviceSelfTest.Run(engine));
            Assert.Contains("computes wrongly", exception.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Working))]
    public void Project_DeviceFails_TheOtherEngineTakesOver(string kind)
    {
        var actual = new float[100];
        using var engine = new AutoEngine(
            new DeviceEngine(new PoisonedDevice(Open(kind), 0) { LaunchesLeft = 0 }, 0),
            () => new ReferenceEngine(),
            Free,
            null
        );

        engine.Project(Enumerable.Repeat(1f, 300).ToArray(), [2, 3, 4], 3, actual);

        Assert.Equal(EngineKind.Reference, engine.Kind);
        Assert.All(actual, value => Assert.Equal(9, value));
    }

    /// <summary>
    /// Unwritten memory must not matter here either. More states than a slice has, and more places than tokens.
    /// </summary>
    [Theory]
    [MemberData(nameof(Working))]
    public void SelectTop_OnPoisonedMemoryInSlices_EqualsTheReference(string kind)
    {
        var (states, rows) = (Numbers(1, 130 * 19), Numbers(2, 300 * 19));
        var (expected, expectedSums) = Select(new ReferenceEngine(), states, rows);
        foreach (var poison in (float[])[float.NaN, 1e30f])
        {
            var device = new PoisonedDevice(Open(kind), poison);
            using (var engine = new DeviceEngine(device, 0, stateSliceBytes: 1))
            {
                var (actual, actualSums) = Select(engine, states, rows);
                Assert.Equal(expected, actual);
                FloatAssert.Equal(expectedSums, actualSums, Tolerance * expected.Max(token => token.Logit));
                Assert.Equal(TokenScore.None, Select(engine, states, rows[..19]).Best[1]);
            }

            Assert.True(device.CheckedCount >= 6, $"{device.CheckedCount} allocations");
        }
    }

    [Theory]
    [MemberData(nameof(Working))]
    public void SelectTop_MoreThanTheMemoryAllows_SaysHowMuchIsWantedAndThere(string kind)
    {
        using var engine = TamEngines.Create(new EngineOptions { Kind = kind, MaxDeviceBytes = 100_000 });

        var exception = Assert.Throws<EngineUnavailableException>(() =>
            Select(engine, Numbers(1, 10 * 19), Numbers(2, 3000 * 19))
        );

        // 10 states and 3000 rows of 19, 10 x 3000 logits, and the small results.
        Assert.Matches(@"lacks memory: 0\.34\d MB are wanted, and 0\.1 MB may be used", exception.Message);
        Assert.DoesNotContain('\n', exception.Message);
    }

    /// <summary>The device is lost after the first states. Their tokens must not be entered twice.</summary>
    [Theory]
    [MemberData(nameof(Working))]
    public void SelectTop_DeviceFailsHalfway_TheOtherEngineStartsFromWhatWasThereBefore(string kind)
    {
        var (states, rows) = (Numbers(1, 130 * 19), Numbers(2, 300 * 19));
        using var engine = new AutoEngine(
            new DeviceEngine(new PoisonedDevice(Open(kind), 0) { LaunchesLeft = 3 }, 0, stateSliceBytes: 1),
            () => new ReferenceEngine(),
            Free,
            null
        );

        var (actual, actualSums) = Select(engine, states, rows);

        Assert.Equal(EngineKind.Reference, engine.Kind);
        var (expected, expectedSums) = Select(new ReferenceEngine(), states, rows);
        Assert.Equal(expected, actual);
        Assert.Equal(expectedSums, actualSums);
    }

    /// <summary>Computes maps with an infinite activation, with and without the steps that turn it into NaN.</summary>
    internal static void AssertNonFinite(ITamEngine engine)
    {
        float[] states = [.. Enumerable.Range(1, 24).Select(i => i == 8 ? 3e38f : i)];
        TamBlock[] blocks = [new(0, 1, 4, 6)];
        TamMap[] maps = [new(0, 0, 0), new(0, 1, 1)];
        using var reference = new ReferenceEngine();
        foreach (var (strength, kernelSize) in ((float, int)[])[(0, 1), (0, 3), (0, 9), (1, 1)])
        {
            var (expected, expectedRanges) = Compute(reference, strength, kernelSize);
            var (actual, actualRanges) = Compute(engine, strength, kernelSize);

            Assert.Equal(expected.Take(24).Select(float.IsNaN), actual.Take(24).Select(float.IsNaN));
            Assert.Equal(expectedRanges[0], actualRanges[0]);
            if (strength == 0)
            {
                // With interference, 0 times an infinite activation is NaN. The reference skips weights of 0.
                FloatAssert.Equal([.. expected.Skip(24)], [.. actual.Skip(24)], Tolerance);
            }
        }

        (float[] Maps, ValueRange[] Ranges) Compute(ITamEngine one, float strength, int kernelSize)
        {
            var problem = new TamProblem
            {
                HiddenSize = 1,
                CellStates = states,
                OutputRows = (float[])[2, 1e-30f],
                Blocks = blocks,
                Maps = maps,
                Weights = (float[])[0, 1, 0, 0],
                RangeCount = 2,
                EciStrength = strength,
                KernelSize = kernelSize,
            };
            var values = new float[48];
            ValueRange[] ranges = [ValueRange.Empty, ValueRange.Empty];
            one.Compute(problem, values, ranges);
            return (values, ranges);
        }
    }

    private static (TokenScore[] Best, double[] LogSums) Select(ITamEngine engine, float[] states, float[] rows)
    {
        var best = Enumerable.Repeat(TokenScore.None, states.Length / 19 * 6).ToArray();
        var logSums = Enumerable.Repeat(double.NegativeInfinity, states.Length / 19).ToArray();
        engine.SelectTop(
            new()
            {
                HiddenSize = 19,
                States = states,
                OutputRows = rows,
                Best = best,
                LogSums = logSums,
            }
        );
        return (best, logSums);
    }

    /// <summary>Whole numbers from -3 to 3, whose products no engine rounds.</summary>
    private static float[] Numbers(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)random.Next(-3, 4))];
    }

    private static IKernelDevice Open(EngineKind kind)
    {
        if (kind == EngineKind.Cuda)
        {
            var (handle, card) = CudaDevices.Find()[0];
            return new CudaDevice(handle, card);
        }

        var (id, device) = OpenClDevices.Find()[0];
        return new OpenClDevice(id, device);
    }

    private static void AssertEqual(RandomProblem problem, ITamEngine engine)
    {
        using var reference = new ReferenceEngine();
        var text = new ValueRange(0, 10);
        FloatAssert.Equal(problem.Compute(reference, text).Maps, problem.Compute(engine, text).Maps, Tolerance);
    }
}
