using ILGPU;

namespace Tamx.Kernels.Devices.Kernels;

/// <summary>The best logits per state, and their log-sum-exp.</summary>
internal static class TopCandidates
{
    private const int Threads = DeviceKernel.GroupThreads;
    private const int Offers = 4;

    // The k largest logits of every state over a slice of the vocabulary, best first, of equal ones the lower row; and
    // the slice's log-sum-exp in parts:
    // m = largest logit,  sum over t of exp(logit[t] - m)
    //
    // logits  [states, rowCount]
    // tokens  [states, k]                 logits; -inf where the slice has fewer rows
    // rows    [states, k]                 which rows of the slice they are; rowCount where there are no more
    // sums    [states, 2]                 m and the sum
    // groups  (number of states); rowCount and k at least 1
    //
    // Each thread searches every 256th logit and offers its four best. All offers are sorted. Where a thread's fourth
    // offer is among the best, the thread may have more behind it. So the order is certain down to the first fourth
    // offer, the fence, and another round finds what comes after it. One round is enough unless one thread has four of
    // the k best: nearly always for k = 5, and for k = 64 in 97 of 100 states. Reads each logit twice: limited by
    // memory, and fast beside the product that computed the logits.
    public static void Run(
        ArrayView<float> logits,
        ArrayView<float> tokens,
        ArrayView<int> rows,
        ArrayView<float> sums,
        int rowCount,
        int k
    )
    {
        var values = SharedMemory.Allocate<float>(Threads * Offers);
        var places = SharedMemory.Allocate<int>(Threads * Offers);
        var fenceValues = SharedMemory.Allocate<float>(Threads);
        var fencePlaces = SharedMemory.Allocate<int>(Threads);
        var taken = SharedMemory.Allocate<int>(1);
        var thread = Group.IdxX;
        var own = logits.SubView((long)Grid.IdxX * rowCount, rowCount);
        var largest = float.NegativeInfinity;

        // The last token taken. At first it is one that goes before all logits.
        var last = float.PositiveInfinity;
        var lastRow = -1;
        var n = 0;
        while (n < k)
        {
            Offer(own, rowCount, last, lastRow, values, places, fenceValues, fencePlaces);
            Group.Barrier();
            Sort(values, places);
            FindFence(fenceValues, fencePlaces);

            // Takes all down to the fence. Where rows run out, the fence comes after everything.
            var wanted = k - n;
            for (var i = thread; i < Math.Min(wanted, Threads * Offers); i += Threads)
            {
                if (!IsBefore(fenceValues[0], fencePlaces[0], values[i], places[i]))
                {
                    tokens[(long)Grid.IdxX * k + n + i] = values[i];
                    rows[(long)Grid.IdxX * k + n + i] = places[i];
                    if (i + 1 == wanted || IsBefore(fenceValues[0], fencePlaces[0], values[i + 1], places[i + 1]))
                    {
                        taken[0] = i + 1;
                    }
                }
            }

            Group.Barrier();
            largest = n == 0 ? values[0] : largest;
            last = values[taken[0] - 1];
            lastRow = places[taken[0] - 1];
            n += taken[0];
            Group.Barrier();
        }

        var sum = 0f;
        for (var t = thread; t < rowCount; t += Threads)
        {
            sum += Exponential.Of(own[t] - largest);
        }

        values[thread] = sum;
        Group.Barrier();
        for (var half = Threads / 2; half > 0; half /= 2)
        {
            if (thread < half)
            {
                values[thread] += values[thread + half];
            }

            Group.Barrier();
        }

        if (thread == 0)
        {
            sums[2 * Grid.IdxX] = largest;
            sums[2 * Grid.IdxX + 1] = values[0];
        }
    }

    private static bool IsBefore(float one, int oneRow, float other, int otherRow) =>
        one > other || (one == other && oneRow < otherRow);

    /// <summary>
    /// Offers the thread's four best logits after the last one taken. The fourth, if there is one, is also its fence.
    /// </summary>
    private static void Offer(
        ArrayView<float> logits,
        int rowCount,
        float last,
        int lastRow,
        ArrayView<float> values,
        ArrayView<int> places,
        ArrayView<float> fenceValues,
        ArrayView<int> fencePlaces
    )
    {
        var best0 = float.NegativeInfinity;
        var best1 = float.NegativeInfinity;
        var best2 = float.NegativeInfinity;
        var best3 = float.NegativeInfinity;
        var row0 = rowCount;
        var row1 = rowCount;
        var row2 = rowCount;
        var row3 = rowCount;
        for (var t = Group.IdxX; t < rowCount; t += Threads)
        {
            // Rows ascend, so of equal logits the earlier row is better.
            var value = logits[t];
            if (value > best3 && (value < last || (value == last && t > lastRow)))
            {
                best3 = value;
                row3 = t;
                Order(ref best2, ref row2, ref best3, ref row3);
                Order(ref best1, ref row1, ref best2, ref row2);
                Order(ref best0, ref row0, ref best1, ref row1);
            }
        }

        var thread = Group.IdxX;
        values[thread] = best0;
        values[thread + Threads] = best1;
        values[thread + 2 * Threads] = best2;
        values[thread + 3 * Threads] = best3;
        places[thread] = row0;
        places[thread + Threads] = row1;
        places[thread + 2 * Threads] = row2;
        places[thread + 3 * Threads] = row3;
        fenceValues[thread] = best3;
        fencePlaces[thread] = row3;
    }

    private static void Order(ref float one, ref int oneRow, ref float other, ref int otherRow)
    {
        if (other > one)
        {
            var value = one;
            var row = oneRow;
            one = other;
            oneRow = otherRow;
            other = value;
            otherRow = row;
        }
    }

    /// <summary>Bitonic sort of all offers, best first (Batcher; Knuth, TAOCP 3, 5.3.4).</summary>
    private static void Sort(ArrayView<float> values, ArrayView<int> places)
    {
        for (var size = 2; size <= Threads * Offers; size *= 2)
        {
            for (var distance = size / 2; distance > 0; distance /= 2)
            {
                for (var pair = Group.IdxX; pair < Threads * Offers / 2; pair += Threads)
                {
                    var i = 2 * pair - (pair & (distance - 1));
                    var j = i + distance;
                    var isBefore = IsBefore(values[j], places[j], values[i], places[i]);
                    if (isBefore == ((i & size) == 0))
                    {
                        var value = values[i];
                        var place = places[i];
                        values[i] = values[j];
                        places[i] = places[j];
                        values[j] = value;
                        places[j] = place;
                    }
                }

                Group.Barrier();
            }
        }
    }

    /// <summary>
    /// The best of the fences. Where no thread has four offers, it comes after everything.
    /// </summary>
    private static void FindFence(ArrayView<float> fenceValues, ArrayView<int> fencePlaces)
    {
        var thread = Group.IdxX;
        for (var half = Threads / 2; half > 0; half /= 2)
        {
            var other = thread + half;
            if (
                thread < half
                && IsBefore(fenceValues[other], fencePlaces[other], fenceValues[thread], fencePlaces[thread])
            )
            {
                fenceValues[thread] = fenceValues[other];
                fencePlaces[thread] = fencePlaces[other];
            }

            Group.Barrier();
        }
    }
}
