using Tamx.Testing;

namespace Tamx.Kernels.Tests;

/// <summary>What a process has left when engines have worked in it for long. Nothing else may run beside, for it is the process that is looked at.</summary>
[Collection("Alone")]
public class LeakTests
{
    /// <summary>The engines that have memory besides the managed heap.</summary>
    public static TheoryData<string> WithMemory => [.. TestEngines.Working.Where(kind => kind != EngineKind.Reference).Select(kind => kind.Name)];

    /// <summary>
    /// Hundreds of computations of maps and of best tokens, and a new engine for every tenth. One has some 500 kB of its own, and on a device its
    /// programs besides, which it takes a while to build. What a driver caches shows in the first two hundred.
    /// </summary>
    [Theory]
    [MemberData(nameof(WithMemory))]
    public void EachMethod_HundredsOfTimes_LeavesNothingBehind(string kind)
    {
        var problem = RandomProblem.Create(47, [(1, 24, 24)], 64, 40, 30, 2);
        var best = new TokenScore[100 * 8];
        var logSums = new double[100];
        var engine = TamEngines.Create(kind);
        var memoryBefore = 0L;
        var handlesBefore = 0;
        var count = TamEngines.OnDevices.Contains(kind) ? 500 : 1000;
        for (var i = 0; i < count; i++)
        {
            if (i % 10 == 9)
            {
                engine.Dispose();
                engine = TamEngines.Create(kind);
            }

            problem.Compute(engine);
            engine.SelectTop(new() { HiddenSize = 64, States = problem.CellStates.AsSpan(0, 100 * 64), OutputRows = problem.OutputRows, Best = best, LogSums = logSums });
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
}

[CollectionDefinition("Alone", DisableParallelization = true)]
public sealed class Alone;
