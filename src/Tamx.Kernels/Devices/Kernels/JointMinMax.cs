using ILGPU;

namespace Tamx.Kernels.Devices.Kernels;

/// <summary>The smallest and the largest value of each range.</summary>
internal static class JointMinMax
{
    // The smallest and the largest value of all maps of a range, and of what the range held before.
    //
    // extremes [maps, partCount, 2]       smallest, largest of each part of a map, from the kernel before
    // members  indices of the entries of range 0, then of range 1, ...; those of range r are members[starts[r]] to
    //          members[starts[r + 1] - 1]
    // ranges   [number of ranges, 2]      smallest, largest; (inf, -inf) where there was nothing before
    // groups   (number of ranges)
    public static void Run(
        ArrayView<float> extremes,
        ArrayView<int> members,
        ArrayView<int> starts,
        ArrayView<float> ranges,
        int partCount
    )
    {
        var smallest = SharedMemory.Allocate<float>(DeviceKernel.GroupThreads);
        var largest = SharedMemory.Allocate<float>(DeviceKernel.GroupThreads);
        var low = float.PositiveInfinity;
        var high = float.NegativeInfinity;
        if (Group.IdxX == 0)
        {
            // Only the thread that writes the range reads it, since barriers here order only shared memory.
            low = ranges[2 * Grid.IdxX];
            high = ranges[2 * Grid.IdxX + 1];
        }

        var start = starts[Grid.IdxX];
        var count = (long)(starts[Grid.IdxX + 1] - start) * partCount;
        for (long i = Group.IdxX; i < count; i += DeviceKernel.GroupThreads)
        {
            var map = i / partCount;
            var place = 2 * ((long)members[start + map] * partCount + (i - map * partCount));
            low = Extremes.Smaller(low, extremes[place]);
            high = Extremes.Larger(high, extremes[place + 1]);
        }

        Extremes.Join(smallest, largest, low, high, ranges, 2 * Grid.IdxX);
    }
}
