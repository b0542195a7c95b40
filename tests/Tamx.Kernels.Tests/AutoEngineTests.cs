using Tamx.Testing;

namespace Tamx.Kernels.Tests;

/// <summary>
/// What the device computes and what the CPU. The device only counts calls, so these tests need none.
/// </summary>
public class AutoEngineTests
{
    private static readonly RandomProblem Small = RandomProblem.Create(3, [(1, 4, 5)], 8, 12, 3);
    private static readonly RandomProblem Large = RandomProblem.Create(3, [(1, 20, 30)], 1024, 120, 4);
    private static readonly OffloadCostModel Free = new(-1, double.PositiveInfinity);

    [Fact]
    public void Compute_SmallProblem_StaysOnTheCpu()
    {
        var device = new ProbeEngine();
        using var engine = Create(device);

        Small.Compute(engine);

        Assert.Equal(0, device.Calls);
        Assert.Equal("reference", engine.Name);
        Large.Compute(engine);
        Assert.Equal(1, device.Calls);
        Assert.Equal("probe and reference", engine.Name);
    }

    [Fact]
    public void Compute_LargeProblem_GoesToTheDevice()
    {
        var device = new ProbeEngine();
        using var engine = Create(device);

        Large.Compute(engine);
        Large.Compute(engine);

        Assert.Equal(2, device.Calls);
        Assert.Equal("probe", engine.Name);
        Assert.Equal(device.Kind, engine.Kind);
    }

    [Fact]
    public void AnyMethod_DeviceFails_TheCpuTakesOverForGood()
    {
        var states = new float[] { 1, 2 };
        Action<ITamEngine>[] calls =
        [
            engine => Small.Compute(engine),
            engine => engine.Project(states, states, 2, new float[1]),
            engine =>
                engine.Refine(
                    new TamProblem
                    {
                        HiddenSize = 1,
                        CellStates = [],
                        OutputRows = [],
                        Blocks = [],
                        Maps = [],
                        Weights = [],
                        RangeCount = 0,
                        EciStrength = 0,
                        KernelSize = 1,
                    },
                    [1],
                    1,
                    [],
                    []
                ),
            engine =>
                engine.SelectTop(
                    new()
                    {
                        HiddenSize = 2,
                        States = states,
                        OutputRows = states,
                        Best = new TokenScore[1],
                        LogSums = new double[1],
                    }
                ),
        ];
        foreach (var call in calls)
        {
            var device = new ProbeEngine { Fails = true };
            var log = new List<string>();
            using var engine = new AutoEngine(device, () => new ReferenceEngine(), Free, log.Add);

            call(engine);
            call(engine);

            Assert.Equal(1, device.Calls);
            Assert.Equal("the reference engine takes over: it is gone", Assert.Single(log));
            Assert.Equal(EngineKind.Reference, engine.Kind);
        }
    }

    [Fact]
    public void AnyMethod_DeviceLacksMemory_TheCpuDoesThisCallOnly()
    {
        var device = new ProbeEngine { Fails = true, IsFull = true };
        var log = new List<string>();
        using var engine = new AutoEngine(device, () => new ReferenceEngine(), Free, log.Add);

        Small.Compute(engine);
        Small.Compute(engine);

        Assert.Equal(2, device.Calls);
        Assert.False(device.IsDisposed);
        Assert.Equal("the reference engine takes over: it is gone", Assert.Single(log));
        Assert.Equal(device.Kind, engine.Kind);
    }

    [Fact]
    public void MaxWorkingBytes_Always_IsTheDevices()
    {
        using var engine = Create(new ProbeEngine { MaxWorkingBytes = 17 });

        Assert.Equal(17, engine.MaxWorkingBytes);
    }

    [Fact]
    public void Compute_CpuFails_Throws()
    {
        using var engine = new AutoEngine(
            new ProbeEngine(),
            () => new ProbeEngine { Fails = true },
            OffloadCostModel.Assumed,
            null
        );

        Assert.Throws<EngineUnavailableException>(() => Small.Compute(engine));
        Assert.Throws<EngineUnavailableException>(() => Small.Compute(engine));
    }

    /// <summary>
    /// Long answers of real models are offloaded. Short ones are not, and neither is a token that is explained while
    /// the model writes.
    /// </summary>
    [Theory]
    [InlineData(300, 2048, 120, 120, 3, true)]
    [InlineData(3840, 2048, 110, 512, 3, true)]
    [InlineData(300, 2048, 4, 4, 3, false)]
    [InlineData(300, 2048, 40, 30, 9, true)]
    [InlineData(300, 2048, 40, 30, 3, false)]
    [InlineData(144, 128, 60, 40, 3, false)]
    public void ShouldOffload_Sizes_Decide(
        long cells,
        long hiddenSize,
        long rows,
        long maps,
        int kernelSize,
        bool expected
    )
    {
        var products = ((cells * hiddenSize) + (maps * cells)) * rows;
        var copied = ((cells + rows) * hiddenSize) + (maps * (cells + rows));

        Assert.Equal(expected, OffloadCostModel.Assumed.ShouldOffload(products, maps * cells, kernelSize, copied));
    }

    private static AutoEngine Create(ITamEngine device) =>
        new(device, () => new ReferenceEngine(), OffloadCostModel.Assumed, null);

    private sealed class ProbeEngine : ITamEngine
    {
        public int Calls { get; private set; }

        public bool Fails { get; init; }

        public bool IsFull { get; init; }

        public bool IsDisposed { get; private set; }

        public long MaxWorkingBytes { get; init; }

        public EngineKind Kind => EngineKind.Cuda;

        public string Name => "probe";

        public void Project(
            ReadOnlySpan<float> states,
            ReadOnlySpan<float> outputRows,
            int hiddenSize,
            Span<float> destination,
            CancellationToken cancellationToken = default
        ) => Count();

        public void Compute(
            in TamProblem problem,
            Span<float> maps,
            Span<ValueRange> ranges,
            CancellationToken cancellationToken = default
        ) => Count();

        public void Refine(
            in TamProblem problem,
            ReadOnlySpan<float> activations,
            int cellCount,
            Span<float> maps,
            Span<ValueRange> ranges,
            CancellationToken cancellationToken = default
        ) => Count();

        public void SelectTop(in TopTokenQuery query, CancellationToken cancellationToken = default) => Count();

        public void Dispose() => IsDisposed = true;

        private void Count()
        {
            Calls++;
            if (Fails)
            {
                throw new EngineUnavailableException(Kind, "it is gone") { IsLackOfMemory = IsFull };
            }
        }
    }
}
