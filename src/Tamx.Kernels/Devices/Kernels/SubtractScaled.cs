using ILGPU;

namespace Tamx.Kernels.Devices.Kernels;

/// <summary>Subtracts the interference from the activations.</summary>
internal static class SubtractScaled
{
    // s = (A.E) / (E.E), 0 where E.E < 1e-12;  M = relu(A - strength s E), per map; M = A where strength is 0
    //
    // A        [rows, cellCount]          activations, of which a map takes its explained row over its block
    // maps     one entry per group
    // M        in: E (not read where strength is 0), out: M
    // extremes [maps, 2]                  receives the smallest and the largest value of each M
    // groups   (number of maps)
    //
    // Reads A and E twice, writes M once: limited by memory. Each thread adds up every 256th product, and a tree adds
    // the threads' sums. So float32's rounding error grows with the logarithm of the map's size.
    public static void Run(
        ArrayView<float> activations,
        ArrayView<MapEntry> maps,
        ArrayView<float> values,
        ArrayView<float> extremes,
        int cellCount,
        float strength
    )
    {
        var crossed = SharedMemory.Allocate<float>(DeviceKernel.GroupThreads);
        var squared = SharedMemory.Allocate<float>(DeviceKernel.GroupThreads);
        var entry = maps[Grid.IdxX];
        var count = entry.CellCount;
        var thread = Group.IdxX;
        var activation = activations.SubView((long)entry.OutputRow * cellCount + entry.FirstCell, count);
        var map = values.SubView(entry.Offset, count);

        // Every thread must reach every barrier, so none returns early.
        var summed = strength == 0 ? 0 : count;
        var crossedSum = 0f;
        var squaredSum = 0f;
        for (var v = thread; v < summed; v += DeviceKernel.GroupThreads)
        {
            var interference = map[v];
            crossedSum += activation[v] * interference;
            squaredSum += interference * interference;
        }

        crossed[thread] = crossedSum;
        squared[thread] = squaredSum;
        Group.Barrier();
        for (var half = DeviceKernel.GroupThreads / 2; half > 0; half /= 2)
        {
            if (thread < half)
            {
                crossed[thread] += crossed[thread + half];
                squared[thread] += squared[thread + half];
            }

            Group.Barrier();
        }

        var scale = squared[0] < 1e-12f ? 0 : strength * (crossed[0] / squared[0]);
        var low = float.PositiveInfinity;
        var high = float.NegativeInfinity;
        for (var v = thread; v < count; v += DeviceKernel.GroupThreads)
        {
            var value = activation[v];
            if (summed != 0)
            {
                // Not Math.Max, which drops NaN on a device.
                value -= scale * map[v];
                value = value < 0 ? 0 : value;
            }

            map[v] = value;
            low = Extremes.Smaller(low, value);
            high = Extremes.Larger(high, value);
        }

        // All threads read the scale before its place is overwritten.
        Group.Barrier();
        Extremes.Join(crossed, squared, low, high, extremes, 2L * Grid.IdxX);
    }
}
