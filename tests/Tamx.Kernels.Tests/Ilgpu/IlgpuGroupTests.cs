using ILGPU;
using ILGPU.Runtime.CPU;
using Tamx.Kernels.Devices;
using Tamx.Kernels.Ilgpu;
using Tamx.Testing;

namespace Tamx.Kernels.Tests.Ilgpu;

/// <summary>
/// The kernels in groups of 256 threads with barriers between them, as on a GPU: on a processor that has as many threads for each other's sake. Takes
/// a hundred times as long as groups of one, hence the smallest shapes that have more rows and cells than a tile, and more terms than a slab.
/// </summary>
public class IlgpuGroupTests
{
    [Fact]
    public void Compute_InGroupsAsOnAGpu_GivesTheBitsOfGroupsOfOne()
    {
        IlgpuEngine.Register();
        using var context = Context.Create(builder => builder.CPU(new CPUDevice(32, 8, 1)));
        using var engine = new DeviceEngine(new IlgpuDevice(context, context.Devices[0], new EngineDevice("ILGPU0", IlgpuEngine.Kind, "a test", 1 << 30, IsGpu: false)), 0);
        using var plain = TamEngine.Create(IlgpuEngine.Kind);
        using var reference = new ReferenceEngine();
        foreach (var problem in (RandomProblem[])
            [
                RandomProblem.Create(3, [(2, 3, 4), (1, 5, 14)], 17, 66, 3),
                RandomProblem.Create(5, [(1, 1, 67)], 3, 18, 65).With(kernelSize: 1),
                RandomProblem.Create(7, [(1, 4, 3)], 2, 5, 2).With(kernelSize: 9),
            ])
        {
            var text = new ValueRange(0, 10);
            var (maps, ranges) = problem.Compute(engine, text);

            FloatAssert.Equal(problem.Compute(reference, text).Maps, maps, TestEngines.Tolerance(IlgpuEngine.Kind));
            Assert.Equal(problem.Compute(plain, text).Maps, maps);
            Assert.Equal(problem.Compute(plain, text).Ranges, ranges);
        }
    }

    [Fact]
    public void SelectTop_InGroupsAsOnAGpu_GivesTheBitsOfGroupsOfOne()
    {
        IlgpuEngine.Register();
        using var context = Context.Create(builder => builder.CPU(new CPUDevice(32, 8, 1)));
        using var engine = new DeviceEngine(new IlgpuDevice(context, context.Devices[0], new EngineDevice("ILGPU0", IlgpuEngine.Kind, "a test", 1 << 30, IsGpu: false)), 0);
        using var plain = TamEngine.Create(IlgpuEngine.Kind);
        using var reference = new ReferenceEngine();
        var problem = RandomProblem.Create(11, [(1, 1, 3)], 18, 300, 1);

        var (best, logSums) = Select(engine);

        Assert.Equal(Select(plain).Best, best);
        Assert.Equal(Select(plain).LogSums, logSums);
        Assert.Equal(Select(reference).Best.Select(token => token.Id), best.Select(token => token.Id));
        FloatAssert.Equal(Select(reference).LogSums, logSums, 1e-5);

        (TokenScore[] Best, double[] LogSums) Select(ITamEngine one)
        {
            var tokens = Enumerable.Repeat(TokenScore.None, 3 * 5).ToArray();
            var sums = Enumerable.Repeat(double.NegativeInfinity, 3).ToArray();
            one.SelectTop(new() { HiddenSize = 18, States = problem.CellStates, OutputRows = problem.OutputRows, Best = tokens, LogSums = sums });
            return (tokens, sums);
        }
    }

    /// <summary>The room stands on the kernels alone.</summary>
    [Fact]
    public void References_OfTheRoom_AreTheAllowedOnes() => Assert.Equal(
        ["Tamx.Kernels"],
        typeof(IlgpuEngine).Assembly.GetReferencedAssemblies().Select(name => name.Name!).Where(name => name.StartsWith("Tamx", StringComparison.Ordinal)));

    [Fact]
    public void Devices_OfIlgpu_AreListedByNameWithTheProcessorsLast()
    {
        IlgpuEngine.Register();

        var devices = TamEngine.Devices.Where(device => device.Kind == IlgpuEngine.Kind).ToList();

        Assert.Equal(Enumerable.Range(0, devices.Count).Select(index => $"ILGPU{index}"), devices.Select(device => device.Name));
        Assert.False(devices[^1].IsGpu);
        using var engine = TamEngine.Create(new EngineOptions { Device = devices[^1].Name });
        Assert.Equal($"ilgpu, {devices[^1].Name}: {devices[^1].Description}", engine.Name);
    }
}
