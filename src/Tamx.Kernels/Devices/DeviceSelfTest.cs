namespace Tamx.Kernels.Devices;

/// <summary>
/// Checks a device with a small problem before <see cref="EngineKind.Auto"/> uses it, since drivers' compilers have
/// bugs.
/// </summary>
internal static class DeviceSelfTest
{
    /// <summary>More than a chunk, so that the product of so few rows is split.</summary>
    private const int HiddenSize = DeviceKernel.Chunk + 4;

    private const int RowCount = 18;
    private const float Tolerance = 1e-5f;

    /// <summary>Compares an engine's maps and best tokens with the reference's.</summary>
    /// <exception cref="EngineUnavailableException">They differ, or the engine fails.</exception>
    public static void Run(ITamEngine engine)
    {
        using var reference = new ReferenceEngine();
        var expected = Compute(reference);
        var actual = Compute(engine);
        for (var i = 0; i < expected.Length; i++)
        {
            // Written so that NaN fails.
            if (!(Math.Abs(actual[i] - expected[i]) <= Tolerance))
            {
                throw new EngineUnavailableException(
                    engine.Kind,
                    $"engine {engine.Name} computes wrongly: {actual[i]} where {expected[i]} is right; "
                        + "a newer driver may help"
                );
            }
        }
    }

    /// <summary>
    /// Two blocks with three maps, and a state's two best tokens. The states repeat no pattern, and about half of the
    /// products are below 0.
    /// </summary>
    private static float[] Compute(ITamEngine engine)
    {
        TamBlock[] blocks = [new(0, 1, 9, 8), new(72, 2, 3, 4)];
        TamMap[] maps = [new(0, 3, 0), new(1, 3, 0), new(0, 17, 1)];
        var problem = new TamProblem
        {
            HiddenSize = HiddenSize,
            CellStates = Values(96 * HiddenSize, 1),
            OutputRows = Values(RowCount * HiddenSize, 2),
            Blocks = blocks,
            Maps = maps,
            Weights = Array.ConvertAll(Values(maps.Length * RowCount, 3), Math.Abs),
            RangeCount = 2,
            EciStrength = 1,
            KernelSize = 3,
        };
        var values = new float[problem.MapValueCount];
        engine.Compute(problem, values, [ValueRange.Empty, new ValueRange(0, 10)]);

        TokenScore[] best = [TokenScore.None, TokenScore.None];
        double[] logSums = [double.NegativeInfinity];
        engine.SelectTop(
            new TopTokenQuery
            {
                HiddenSize = HiddenSize,
                States = problem.CellStates[..HiddenSize],
                OutputRows = problem.OutputRows,
                Best = best,
                LogSums = logSums,
            }
        );
        return
        [
            .. values,
            .. best.Select(token => (float)token.Id),
            .. best.Select(token => token.Logit),
            (float)logSums[0],
        ];
    }

    private static float[] Values(int count, uint seed)
    {
        var values = new float[count];
        foreach (ref var value in values.AsSpan())
        {
            seed = seed * 1664525 + 1013904223;
            value = (seed >> 8) / (float)(1 << 23) - 1;
        }

        return values;
    }
}
