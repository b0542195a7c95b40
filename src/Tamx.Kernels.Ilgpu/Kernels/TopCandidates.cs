using ILGPU;
using Tamx.Kernels.Devices;

namespace Tamx.Kernels.Ilgpu.Kernels;

/// <summary>top_candidates.</summary>
internal static class TopCandidates
{
    // The k largest logits of every state over a slice of the vocabulary, best first, of equal ones the lower row; and the slice's log-sum-exp in parts:
    // m = largest logit,  sum over t of exp(logit[t] - m)
    //
    // logits  [states, rowCount]
    // tokens  [states, k]                 logits; -inf where the slice has fewer rows
    // rows    [states, k]                 which rows of the slice they are; rowCount where there are no more
    // sums    [states, 2]                 m and the sum
    // groups  (number of states), of any power of 2 threads up to 256; rowCount and k at least 1
    //
    // Each thread has every 256th logit and holds out its best one; the best of all 256 is taken k times, and only the thread that it came from looks
    // through its logits again. Reads each logit twice, and k of 256 parts of them once more: limited by memory, and next to nothing beside the
    // product that made them. A sum adds every 256th term, and the sums are joined in a tree; where there are fewer than 256 threads, each has several.
    public static void Run(ArrayView<float> logits, ArrayView<float> tokens, ArrayView<int> rows, ArrayView<float> sums, int rowCount, int k)
    {
        var values = SharedMemory.Allocate<float>(DeviceKernel.GroupThreads);
        var places = SharedMemory.Allocate<int>(DeviceKernel.GroupThreads);
        int thread = Group.IdxX;
        var own = logits.SubView((long)Grid.IdxX * rowCount, rowCount);
        float largest = float.NegativeInfinity;

        // What was taken last: at first something that all logits come after.
        float last = float.PositiveInfinity;
        int lastRow = -1;
        float best = float.NegativeInfinity;
        int bestRow = rowCount;
        bool looks = true;
        for (int n = 0; n < k; n++)
        {
            if (looks)
            {
                best = float.NegativeInfinity;
                bestRow = rowCount;
                for (int t = thread; t < rowCount; t += Group.DimX)
                {
                    float value = own[t];
                    if (value > best && (value < last || (value == last && t > lastRow)))
                    {
                        best = value;
                        bestRow = t;
                    }
                }
            }

            values[thread] = best;
            places[thread] = bestRow;
            Group.Barrier();
            for (int half = Group.DimX / 2; half > 0; half /= 2)
            {
                if (thread < half)
                {
                    float other = values[thread + half];
                    int otherRow = places[thread + half];
                    if (other > values[thread] || (other == values[thread] && otherRow < places[thread]))
                    {
                        values[thread] = other;
                        places[thread] = otherRow;
                    }
                }

                Group.Barrier();
            }

            last = values[0];
            lastRow = places[0];
            looks = lastRow == bestRow;
            largest = n == 0 ? last : largest;
            if (thread == 0)
            {
                tokens[(long)Grid.IdxX * k + n] = last;
                rows[(long)Grid.IdxX * k + n] = lastRow;
            }

            Group.Barrier();
        }

        for (int i = thread; i < DeviceKernel.GroupThreads; i += Group.DimX)
        {
            float sum = 0;
            for (int t = i; t < rowCount; t += DeviceKernel.GroupThreads)
            {
                sum += Exponential.Of(own[t] - largest);
            }

            values[i] = sum;
        }

        Group.Barrier();
        for (int half = DeviceKernel.GroupThreads / 2; half > 0; half /= 2)
        {
            for (int i = thread; i < half; i += Group.DimX)
            {
                values[i] += values[i + half];
            }

            Group.Barrier();
        }

        if (thread == 0)
        {
            sums[2 * Grid.IdxX] = largest;
            sums[2 * Grid.IdxX + 1] = values[0];
        }
    }
}
