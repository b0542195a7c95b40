using Tamx.Kernels.Devices;
using Tamx.Kernels.Devices.Cuda;
using Tamx.Kernels.Devices.OpenCl;
using Tamx.Testing;

namespace Tamx.Kernels.Tests;

/// <summary>What engines on devices have besides the contract: memory, slices, the way back to the processors. Walks the devices of this machine.</summary>
public class DeviceEngineTests
{
    private const double Tolerance = 5e-6;

    /// <summary>Everything is worth such a way, small problems too.</summary>
    private static readonly WayToDevice Free = new(-1, double.PositiveInfinity);

    public static TheoryData<string> Working => [.. TestEngines.WorkingOnDevices.Select(kind => kind.Name)];

    /// <summary>Memory that was never written must not matter, nor may anything be written beside the memory that was asked for.</summary>
    [DeviceTheory]
    [MemberData(nameof(Working))]
    public void Compute_OnPoisonedMemory_EqualsTheReference(string kind)
    {
        foreach (float poison in (float[])[float.NaN, 1e30f])
        {
            foreach (int kernelSize in (int[])[1, 3, 5, 7, 9])
            {
                foreach (bool first in (bool[])[false, true])
                {
                    var problem = RandomProblem.Create(31, [(1, 5, 13), (2, 3, 30)], 19, 70, 9, 2).With(kernelSize: kernelSize, normalizeBeforeFilter: first);
                    var device = new PoisonedDevice(Open(kind), poison);
                    using (var engine = new DeviceEngine(device, 0))
                    {
                        AssertEqual(problem, engine);
                        AssertEqual(problem.With(strength: 0, kernelSize: kernelSize), engine);
                    }

                    Assert.True(device.CheckedCount >= 8, $"{device.CheckedCount} allocations");
                }
            }
        }
    }

    /// <summary>Every kernel, more rows and cells than a tile and than a group have, and as little else as that allows: Oclgrind runs this too.</summary>
    [DeviceTheory]
    [MemberData(nameof(Working))]
    public void Compute_SmallShapes_EqualsTheReference(string kind)
    {
        using var engine = TamEngine.Create(kind);
        foreach (int kernelSize in (int[])[1, 3, 5, 7, 9])
        {
            AssertEqual(RandomProblem.Create(kernelSize, [(2, 3, 4), (1, 2, 2)], 17, 5, 3).With(kernelSize: kernelSize), engine);
        }

        AssertEqual(RandomProblem.Create(53, [(1, 1, 67)], 3, 18, 65).With(kernelSize: 1), engine);
        AssertEqual(RandomProblem.Create(59, [(1, 3, 90)], 2, 66, 1).With(strength: 0, kernelSize: 1), engine);
    }

    [DeviceTheory]
    [MemberData(nameof(Working))]
    public void Compute_StatesInSlices_GivesTheSameBits(string kind)
    {
        var problem = RandomProblem.Create(37, [(1, 20, 17), (1, 3, 3), (2, 9, 11)], 50, 12, 6);
        using var whole = new DeviceEngine(Open(kind), 0);
        using var sliced = new DeviceEngine(Open(kind), 0, stateSliceBytes: 1);

        Assert.Equal(problem.Compute(whole).Maps, problem.Compute(sliced).Maps);
    }

    [DeviceTheory]
    [MemberData(nameof(Working))]
    public void Compute_MoreThanTheMemoryAllows_SaysHowMuchIsWantedAndThere(string kind)
    {
        var problem = RandomProblem.Create(41, [(1, 40, 40)], 64, 12, 6);
        using var engine = TamEngine.Create(kind, maxDeviceBytes: 100_000);

        var exception = Assert.Throws<EngineUnavailableException>(() => problem.Compute(engine));

        // 1600 states of 64, 12 rows, 12 x 1600 activations, 6 maps, twice, and their small tables.
        Assert.Matches(@"lacks memory: the maps take 0\.56\d MB, and 0\.1 MB may be used", exception.Message);
        Assert.DoesNotContain('\n', exception.Message);
        AssertEqual(RandomProblem.Create(41, [(1, 4, 4)], 64, 12, 6), engine);
    }

    [DeviceTheory]
    [MemberData(nameof(Working))]
    public void Compute_DeviceFails_TheOtherEngineTakesOver(string kind)
    {
        var problem = RandomProblem.Create(43, [(1, 40, 40)], 64, 12, 6);
        var log = new List<string>();
        using var engine = new AutoEngine(TamEngine.Create(kind, maxDeviceBytes: 100_000), () => TamEngine.Create(EngineKind.Cpu), Free, log.Add);

        Assert.Equal(kind, engine.Kind);
        AssertEqual(problem, engine);
        AssertEqual(problem, engine);

        Assert.Equal(EngineKind.Cpu, engine.Kind);
        string line = Assert.Single(log);
        Assert.Contains("lacks memory", line, StringComparison.Ordinal);
        Assert.Contains("cpu", line, StringComparison.Ordinal);
    }

    [DeviceTheory]
    [MemberData(nameof(Working))]
    public void Run_DeviceThatIsRight_Passes(string kind)
    {
        using var engine = TamEngine.Create(kind);

        DeviceCheck.Run(engine);
    }

    /// <summary>One kernel after the other does not run at all, as if a driver had made nothing of it.</summary>
    [DeviceTheory]
    [MemberData(nameof(Working))]
    public void Run_AnyKernelThatDoesNothing_IsFound(string kind)
    {
        foreach (var kernel in DeviceKernel.All.Where(kernel => kernel.WindowSide is 0 or 3))
        {
            using var engine = new DeviceEngine(new PoisonedDevice(Open(kind), 0.5f) { Skipped = kernel }, 0);

            Assert.Contains("computes wrongly", Assert.Throws<EngineUnavailableException>(() => DeviceCheck.Run(engine)).Message, StringComparison.Ordinal);
        }
    }

    [DeviceTheory]
    [MemberData(nameof(Working))]
    public void Project_DeviceFails_TheOtherEngineTakesOver(string kind)
    {
        float[] actual = new float[100];
        using var engine = new AutoEngine(TamEngine.Create(kind, maxDeviceBytes: 1000), () => new ReferenceEngine(), Free, null);

        engine.Project(Enumerable.Repeat(1f, 300).ToArray(), [2, 3, 4], 3, actual);

        Assert.Equal(EngineKind.Reference, engine.Kind);
        Assert.All(actual, value => Assert.Equal(9, value));
    }

    /// <summary>
    /// A thousand computations, and a new engine for every tenth, which has some 500 kB on the device: 40 MB if each left them behind. What a
    /// driver caches shows in the first two hundred.
    /// </summary>
    [DeviceTheory]
    [MemberData(nameof(Working))]
    public void Compute_AThousandTimes_LeavesNothingBehind(string kind)
    {
        var problem = RandomProblem.Create(47, [(1, 24, 24)], 64, 40, 30, 2);
        var engine = TamEngine.Create(kind);
        long memoryBefore = 0;
        int handlesBefore = 0;
        for (int i = 0; i < 1000; i++)
        {
            if (i % 10 == 9)
            {
                engine.Dispose();
                engine = TamEngine.Create(kind);
            }

            problem.Compute(engine);
            if (i == 199)
            {
                (memoryBefore, handlesBefore) = Usage();
            }
        }

        engine.Dispose();
        var (memory, handles) = Usage();
        Assert.InRange(memory - memoryBefore, long.MinValue, 16 << 20);
        Assert.InRange(handles - handlesBefore, int.MinValue, 10);
    }

    private static (long Memory, int Handles) Usage()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return (process.WorkingSet64, OperatingSystem.IsLinux() ? Directory.GetFiles("/proc/self/fd").Length : process.HandleCount);
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
        FloatAssert.Equal(problem.Compute(reference, new ValueRange(0, 10)).Maps, problem.Compute(engine, new ValueRange(0, 10)).Maps, Tolerance);
    }
}
