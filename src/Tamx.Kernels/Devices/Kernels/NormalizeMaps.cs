using ILGPU;

namespace Tamx.Kernels.Devices.Kernels;

/// <summary>Values as shares of their range.</summary>
internal static class NormalizeMaps
{
    // value = (value - smallest) / (largest - smallest) of the map's range, at most 1; a range without width gives 0
    //
    // values  all maps
    // maps    their entries
    // ranges  [number of ranges, 2]: smallest, largest
    // groups  (number of maps, ceil(cells of the largest map / 256))
    //
    // Reads and writes every value once: limited by memory.
    public static void Run(ArrayView<float> values, ArrayView<MapEntry> maps, ArrayView<float> ranges)
    {
        var entry = maps[Grid.IdxX];
        var cell = Grid.IdxY * DeviceKernel.GroupThreads + Group.IdxX;
        if (cell < entry.CellCount)
        {
            var smallest = ranges[2 * entry.Range];
            var width = ranges[2 * entry.Range + 1] - smallest;
            var share = (values[entry.Offset + cell] - smallest) / width;

            // Not Math.Min, which drops NaN on a device.
            share = share > 1 ? 1 : share;
            values[entry.Offset + cell] = width > 0 ? share : 0;
        }
    }
}
