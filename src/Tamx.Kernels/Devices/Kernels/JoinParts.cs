using ILGPU;

namespace Tamx.Kernels.Devices.Kernels;

/// <summary>Joins the parts of products whose sums were split.</summary>
internal static class JoinParts
{
    // A[t, firstColumn + v] = max(least, sum over parts of P[part, t, v]), in the order of the parts
    //
    // P      [partCount, rowCount, stateCount]
    // A      [rowCount, stride]
    // groups (rowCount, ceil(stateCount / 256))
    //
    // Reads every value once: limited by memory.
    public static void Run(
        ArrayView<float> parts,
        ArrayView<float> activations,
        int partCount,
        int rowCount,
        int stateCount,
        int stride,
        int firstColumn,
        float least
    )
    {
        var column = Grid.IdxY * DeviceKernel.GroupThreads + Group.IdxX;
        if (column < stateCount)
        {
            var place = (long)Grid.IdxX * stateCount + column;
            var sum = parts[place];
            for (var part = 1; part < partCount; part++)
            {
                place += (long)rowCount * stateCount;
                sum += parts[place];
            }

            activations[(long)Grid.IdxX * stride + firstColumn + column] = sum < least ? least : sum;
        }
    }
}
