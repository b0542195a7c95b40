using Tamx.Kernels.Devices;
using Tamx.Testing;

namespace Tamx.GpuCheck;

/// <summary>
/// The least work of a kernel in one call. It gives the floor that the kernel's time is compared with.
/// </summary>
/// <param name="Operations">
/// Additions, multiplications, minima and maxima in float32. A fused pair counts as two.
/// </param>
/// <param name="Bytes">Bytes that must be read and written, counted once.</param>
internal readonly record struct KernelWork(double Operations, double Bytes)
{
    /// <summary>The least seconds that any implementation of this algorithm can take on a card.</summary>
    /// <param name="operationsPerSecond">The card's measured peak.</param>
    /// <param name="bytesPerSecond">The card's measured bandwidth.</param>
    public double Floor(double operationsPerSecond, double bytesPerSecond) =>
        Math.Max(Operations / operationsPerSecond, Bytes / bytesPerSecond);

    /// <summary>The work of a kernel in the computation of maps; null for other kernels.</summary>
    public static KernelWork? OfMaps(DeviceKernel kernel, RandomProblem problem)
    {
        double size = problem.HiddenSize;
        var rows = problem.OutputRows.Length / size;
        var cells = problem.Blocks.Sum(block => (double)block.CellCount);
        var values = problem.Maps.Sum(map => (double)problem.Blocks[map.Block].CellCount);
        return kernel.Name switch
        {
            "product" => Product(rows, cells, size),
            "mix_context" => new(2 * values * rows, sizeof(float) * (problem.Weights.Length + (rows * cells) + values)),

            // A.E and E.E, then s E subtracted and rectified.
            "subtract_scaled" => new(7 * values, sizeof(float) * ((rows * cells) + (2 * values))),
            "rank_filter_3" => Filter(3),
            "rank_filter_5" => Filter(5),
            "rank_filter_7" => Filter(7),
            "rank_filter_9" => Filter(9),
            "joint_minmax" => new(2 * values, sizeof(float) * values),
            "normalize_maps" => new(2 * values, sizeof(float) * 2 * values),
            _ => null,
        };

        KernelWork Filter(int windowSide) => new(values * FilterOperations(windowSide), sizeof(float) * 2 * values);
    }

    /// <summary>The work of a kernel in the search for the best tokens; null for other kernels.</summary>
    public static KernelWork? OfTokens(DeviceKernel kernel, int states, int rows, int hiddenSize) =>
        kernel.Name switch
        {
            "product" => Product(rows, states, hiddenSize),

            // A comparison, and a term of the log-sum-exp: a subtraction, an exponential (ten or so), an addition.
            "top_candidates" => new(13.0 * states * rows, sizeof(float) * (double)states * rows),
            _ => null,
        };

    private static KernelWork Product(double rows, double columns, double size) =>
        new(2 * rows * columns * size, sizeof(float) * ((rows * size) + (columns * size) + (rows * columns)));

    /// <summary>
    /// For a window of n values: a minimum and a maximum per exchange of Batcher's network, then mean, deviation and
    /// two weighted sums.
    /// </summary>
    private static int FilterOperations(int windowSide)
    {
        var n = windowSide * windowSide;
        var exchanges = 0;
        for (var p = 1; p < n; p *= 2)
        {
            for (var k = p; k >= 1; k /= 2)
            {
                for (var i = k == p ? 0 : k; i + k < n; i++)
                {
                    exchanges += ((i - (k == p ? 0 : k)) & k) == 0 && (i ^ (i + k)) < 2 * p ? 1 : 0;
                }
            }
        }

        return (2 * exchanges) + (8 * n);
    }
}
