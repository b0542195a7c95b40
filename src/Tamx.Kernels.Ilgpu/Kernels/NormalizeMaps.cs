using ILGPU;
using Tamx.Kernels.Devices;

namespace Tamx.Kernels.Ilgpu.Kernels;

/// <summary>normalize_maps.</summary>
internal static class NormalizeMaps
{
    // value = (value - smallest) / (largest - smallest) of the map's range, at most 1; 0 where the range has no width
    //
    // values  all maps
    // maps    their entries
    // ranges  [number of ranges, 2]: smallest, largest
    // groups  (number of maps, ceil(cells of the largest map / 256)), of any number of threads
    //
    // Reads and writes every value once: limited by memory.
    public static void Run(ArrayView<float> values, ArrayView<MapEntry> maps, ArrayView<float> ranges)
    {
        var entry = maps[Grid.IdxX];
        float smallest = ranges[2 * entry.Range];
        float width = ranges[2 * entry.Range + 1] - smallest;
        int end = Math.Min(entry.CellCount, (Grid.IdxY + 1) * DeviceKernel.GroupThreads);
        for (int cell = Grid.IdxY * DeviceKernel.GroupThreads + Group.IdxX; cell < end; cell += Group.DimX)
        {
            float value = values[entry.Offset + cell];
            values[entry.Offset + cell] = width > 0 ? Math.Min((value - smallest) / width, 1) : 0;
        }
    }
}
