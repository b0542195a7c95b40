using ILGPU;
using Tamx.Kernels.Devices;

namespace Tamx.Kernels.Ilgpu.Kernels;

/// <summary>joint_minmax.</summary>
internal static class JointMinMax
{
    // The smallest and the largest value of all maps of a range, and of what the range held before.
    //
    // values  all maps
    // maps    their entries
    // members indices of the entries of range 0, then of range 1, ...; those of range r are members[starts[r]] to members[starts[r + 1] - 1]
    // ranges  [number of ranges, 2]: smallest, largest; (inf, -inf) where there was nothing before
    // groups  (number of ranges), of any power of 2 threads up to 256
    //
    // Reads every value once: limited by memory.
    public static void Run(ArrayView<float> values, ArrayView<MapEntry> maps, ArrayView<int> members, ArrayView<int> starts, ArrayView<float> ranges)
    {
        var smallest = SharedMemory.Allocate<float>(DeviceKernel.GroupThreads);
        var largest = SharedMemory.Allocate<float>(DeviceKernel.GroupThreads);
        int range = Grid.IdxX;
        int thread = Group.IdxX;

        // One thread alone takes what was there before, for it will write there.
        float low = thread == 0 ? ranges[2 * range] : float.PositiveInfinity;
        float high = thread == 0 ? ranges[2 * range + 1] : float.NegativeInfinity;
        for (int i = starts[range]; i < starts[range + 1]; i++)
        {
            var entry = maps[members[i]];
            for (int v = thread; v < entry.CellCount; v += Group.DimX)
            {
                float value = values[entry.Offset + v];
                low = Math.Min(low, value);
                high = Math.Max(high, value);
            }
        }

        smallest[thread] = low;
        largest[thread] = high;
        Group.Barrier();
        for (int half = Group.DimX / 2; half > 0; half /= 2)
        {
            if (thread < half)
            {
                smallest[thread] = Math.Min(smallest[thread], smallest[thread + half]);
                largest[thread] = Math.Max(largest[thread], largest[thread + half]);
            }

            Group.Barrier();
        }

        if (thread == 0)
        {
            ranges[2 * range] = smallest[0];
            ranges[2 * range + 1] = largest[0];
        }
    }
}
