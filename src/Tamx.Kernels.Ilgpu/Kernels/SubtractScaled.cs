using ILGPU;
using Tamx.Kernels.Devices;

namespace Tamx.Kernels.Ilgpu.Kernels;

/// <summary>subtract_scaled.</summary>
internal static class SubtractScaled
{
    // s = (A.E) / (E.E), 0 where E.E < 1e-12;  M = relu(A - strength s E), per map; M = A where strength is 0
    //
    // A      [rows, cellCount]            activations, of which a map takes its explained row over its block
    // maps   one entry per group
    // M      in: E (not read where strength is 0), out: M
    // groups (number of maps), of any number of threads up to 256
    //
    // Reads A and E twice, writes M once: limited by memory. A sum adds up every 256th product and the sums are joined in a tree, so what float32
    // loses grows with the logarithm of the map's size. Where there are fewer than 256 threads, each has several of the sums.
    public static void Run(ArrayView<float> activations, ArrayView<MapEntry> maps, ArrayView<float> values, int cellCount, float strength)
    {
        var crossed = SharedMemory.Allocate<float>(DeviceKernel.GroupThreads);
        var squared = SharedMemory.Allocate<float>(DeviceKernel.GroupThreads);
        var entry = maps[Grid.IdxX];
        int count = entry.CellCount;
        int thread = Group.IdxX;
        var activation = activations.SubView((long)entry.OutputRow * cellCount + entry.FirstCell, count);
        var map = values.SubView(entry.Offset, count);

        // Every thread goes through the same barriers, so nothing returns early.
        int summed = strength == 0 ? 0 : count;
        for (int i = thread; i < DeviceKernel.GroupThreads; i += Group.DimX)
        {
            float crossedSum = 0;
            float squaredSum = 0;
            for (int v = i; v < summed; v += DeviceKernel.GroupThreads)
            {
                crossedSum += activation[v] * map[v];
                squaredSum += map[v] * map[v];
            }

            crossed[i] = crossedSum;
            squared[i] = squaredSum;
        }

        Group.Barrier();
        for (int half = DeviceKernel.GroupThreads / 2; half > 0; half /= 2)
        {
            for (int i = thread; i < half; i += Group.DimX)
            {
                crossed[i] += crossed[i + half];
                squared[i] += squared[i + half];
            }

            Group.Barrier();
        }

        float scale = squared[0] < 1e-12f ? 0 : strength * (crossed[0] / squared[0]);
        for (int v = thread; v < count; v += Group.DimX)
        {
            map[v] = summed == 0 ? activation[v] : Math.Max(activation[v] - scale * map[v], 0);
        }
    }
}
