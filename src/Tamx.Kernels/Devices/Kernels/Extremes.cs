using ILGPU;

namespace Tamx.Kernels.Devices.Kernels;

/// <summary>The smallest and the largest of a group's values. With a NaN, both are NaN, as in the reference.</summary>
internal static class Extremes
{
    /// <summary>The smaller; NaN where either is.</summary>
    public static float Smaller(float one, float other) => other < one || float.IsNaN(other) ? other : one;

    /// <summary>The larger; NaN where either is.</summary>
    public static float Larger(float one, float other) => other > one || float.IsNaN(other) ? other : one;

    /// <summary>Reduces the values of a group of <see cref="DeviceKernel.GroupThreads"/> threads in a tree.</summary>
    /// <param name="smallest">Shared memory, one value per thread.</param>
    /// <param name="largest">Shared memory, one value per thread.</param>
    /// <param name="low">The thread's smallest value.</param>
    /// <param name="high">The thread's largest value.</param>
    /// <param name="destination">Receives the smallest and the largest of all.</param>
    /// <param name="place">Index of the first of the two.</param>
    public static void Join(
        ArrayView<float> smallest,
        ArrayView<float> largest,
        float low,
        float high,
        ArrayView<float> destination,
        long place
    )
    {
        var thread = Group.IdxX;
        smallest[thread] = low;
        largest[thread] = high;
        Group.Barrier();
        for (var half = DeviceKernel.GroupThreads / 2; half > 0; half /= 2)
        {
            if (thread < half)
            {
                smallest[thread] = Smaller(smallest[thread], smallest[thread + half]);
                largest[thread] = Larger(largest[thread], largest[thread + half]);
            }

            Group.Barrier();
        }

        if (thread == 0)
        {
            destination[place] = smallest[0];
            destination[place + 1] = largest[0];
        }
    }
}
