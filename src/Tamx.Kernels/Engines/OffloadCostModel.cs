namespace Tamx.Kernels;

/// <summary>Estimates whether a call is faster on a device or on the CPU.</summary>
/// <remarks>
/// A device's kernels count as free. So a call is offloaded where the CPU would take longer than the launch and the
/// copies alone.
/// </remarks>
/// <param name="CallSeconds">Time of a call that computes next to nothing.</param>
/// <param name="BytesPerSecond">Rate of copies to and from the device.</param>
internal readonly record struct OffloadCostModel(double CallSeconds, double BytesPerSecond)
{
    /// <summary>
    /// Multiplications per second of the CPU, each with its addition. It is the matrix product's rate on two cores,
    /// 110 GFLOP/s each (tests/Tamx.Benchmarks).
    /// </summary>
    private const double ProductsPerSecond = 100e9;

    /// <summary>
    /// Seconds of the rank filter per cell of a map and per k cubed. Two cores take 3 to 3.4 ns a cell for k = 3, 24
    /// for 5, 43 for 7 and 93 for 9.
    /// </summary>
    private const double FilterSeconds = 0.125e-9;

    /// <summary>
    /// The default, which was not measured on a GPU. A call takes 0.15 ms with PoCL, OpenCL on the CPU: kernels and
    /// copies of a map of 4 cells. PCI Express 3.0 x16 copies pageable memory at about 12 GB/s by its data sheet.
    /// </summary>
    public static OffloadCostModel Assumed => new(150e-6, 12e9);

    /// <summary>Whether a device should compute this.</summary>
    /// <param name="products">Multiplications in matrix products.</param>
    /// <param name="filteredValues">Values of maps that are filtered.</param>
    /// <param name="kernelSize">The filter's k; 1 for no filter.</param>
    /// <param name="copiedValues">Values that are copied to the device or from it.</param>
    public bool ShouldOffload(long products, long filteredValues, int kernelSize, long copiedValues)
    {
        var filter = kernelSize == 1 ? 0 : filteredValues * FilterSeconds * kernelSize * kernelSize * kernelSize;
        return (products / ProductsPerSecond) + filter > CallSeconds + (copiedValues * sizeof(float) / BytesPerSecond);
    }
}
