namespace Tamx.Kernels;

/// <summary>When a device is worth the way to it: where the processors would take longer than the call and the copies alone.</summary>
/// <param name="CallSeconds">What a call costs that computes next to nothing.</param>
/// <param name="BytesPerSecond">Rate of copies to and from the device.</param>
internal readonly record struct WayToDevice(double CallSeconds, double BytesPerSecond)
{
    /// <summary>Multiplications and additions of the processors: the matrix product of two cores (tests/Tamx.Benchmarks, 110 GFLOP/s each).</summary>
    private const double ProductsPerSecond = 100e9;

    /// <summary>Per cell of a map and per k cubed, two cores: 3 to 3.4 ns for k = 3, 24 for 5, 43 for 7, 93 for 9.</summary>
    private const double FilterSeconds = 0.125e-9;

    /// <summary>
    /// The call as measured with PoCL, which is a driver and no device: 0.15 ms for the kernels and copies of a map of 4 cells. The rate is what PCI
    /// Express 3.0 x16 has for pageable memory by its data sheet, about 12 GB/s; no GPU was at hand.
    /// </summary>
    public static WayToDevice Assumed => new(150e-6, 12e9);

    /// <summary>Whether a device should compute this.</summary>
    /// <param name="products">Multiplications in matrix products.</param>
    /// <param name="filteredValues">Values in maps that the rank filter goes over.</param>
    /// <param name="kernelSize">The filter's k, 1 for none.</param>
    /// <param name="copiedValues">Values that go to the device or come from it.</param>
    public bool IsWorthIt(long products, long filteredValues, int kernelSize, long copiedValues)
    {
        var filter = kernelSize == 1 ? 0 : filteredValues * FilterSeconds * kernelSize * kernelSize * kernelSize;
        return (products / ProductsPerSecond) + filter > CallSeconds + (copiedValues * sizeof(float) / BytesPerSecond);
    }
}
