using Tamx.Testing;

namespace Tamx.Kernels.Tests;

/// <summary>
/// A process's memory and handles after long work. They are measured, so no other test may run meanwhile.
/// </summary>
[Collection("Alone")]
public class LeakTests
{
    /// <summary>The engines with memory outside the managed heap.</summary>
    public static TheoryData<string> WithMemory =>
        [.. TestEngines.Working.Where(kind => kind != EngineKind.Reference).Select(kind => kind.Name)];

    /// <summary>
    /// Hundreds of computations of maps and best tokens, with a new engine for every tenth. An engine has some 500 kB,
    /// and on a device its programs. Drivers fill their own caches in the first two hundred computations.
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
            engine.SelectTop(
                new()
                {
                    HiddenSize = 64,
                    States = problem.CellStates.AsSpan(0, 100 * 64),
                    OutputRows = problem.OutputRows,
                    Best = best,
                    LogSums = logSums,
                }
            );
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
        var handles = OperatingSystem.IsLinux() ? Directory.GetFiles("/proc/self/fd").Length : process.HandleCount;
        return (process.WorkingSet64, handles);
    }
}

[CollectionDefinition("Alone", DisableParallelization = true)]
public sealed class Alone;
