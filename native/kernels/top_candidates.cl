// The k largest logits of every state over a slice of the vocabulary, best first, of equal ones the lower row; and the slice's log-sum-exp in parts:
// m = largest logit,  sum over t of exp(logit[t] - m)
//
// logits  [states, row_count]
// tokens  [states, k]                 logits; -inf where the slice has fewer rows
// rows    [states, k]                 which rows of the slice they are; row_count where there are no more
// sums    [states, 2]                 m and the sum
// groups  (number of states); row_count and k at least 1
//
// Each thread has every 256th logit and holds out its best one; the best of all 256 is taken k times, and only the thread that it came from looks
// through its logits again. Reads each logit twice, and k of 256 parts of them once more: limited by memory, and next to nothing beside the
// product that made them. A sum adds every 256th term per thread and joins the threads in a tree.
KERNEL GROUP_SIZE(GROUP_THREADS, 1) void top_candidates(
    const GLOBAL float *logits, GLOBAL float *tokens, GLOBAL int *rows, GLOBAL float *sums, int row_count, int k)
{
    LOCAL float values[GROUP_THREADS];
    LOCAL int places[GROUP_THREADS];
    const GLOBAL float *own = logits + (index_t)GROUP_X * (index_t)row_count;
    GLOBAL float *token = tokens + (index_t)GROUP_X * (index_t)k;
    GLOBAL int *row = rows + (index_t)GROUP_X * (index_t)k;
    float lowest = BITS_FLOAT(0xff800000u);
    float largest = lowest;
    // What was taken last: at first something that all logits come after.
    float last = BITS_FLOAT(0x7f800000u);
    int last_row = -1;
    float best = lowest;
    int best_row = row_count;
    int looks = 1;
    for (int n = 0; n < k; n++) {
        if (looks) {
            best = lowest;
            best_row = row_count;
            for (int t = LOCAL_X; t < row_count; t += GROUP_THREADS) {
                float value = own[t];
                if (value > best && (value < last || (value == last && t > last_row))) {
                    best = value;
                    best_row = t;
                }
            }
        }
        values[LOCAL_X] = best;
        places[LOCAL_X] = best_row;
        BARRIER();
        for (int half_count = GROUP_THREADS / 2; half_count > 0; half_count /= 2) {
            if (LOCAL_X < half_count) {
                float other = values[LOCAL_X + half_count];
                int other_row = places[LOCAL_X + half_count];
                if (other > values[LOCAL_X] || (other == values[LOCAL_X] && other_row < places[LOCAL_X])) {
                    values[LOCAL_X] = other;
                    places[LOCAL_X] = other_row;
                }
            }
            BARRIER();
        }
        last = values[0];
        last_row = places[0];
        looks = last_row == best_row;
        largest = n == 0 ? last : largest;
        if (LOCAL_X == 0) {
            token[n] = last;
            row[n] = last_row;
        }
        BARRIER();
    }

    float sum = 0.0f;
    for (int t = LOCAL_X; t < row_count; t += GROUP_THREADS) {
        sum += exponential(own[t] - largest);
    }
    values[LOCAL_X] = sum;
    BARRIER();
    for (int half_count = GROUP_THREADS / 2; half_count > 0; half_count /= 2) {
        if (LOCAL_X < half_count) {
            values[LOCAL_X] += values[LOCAL_X + half_count];
        }
        BARRIER();
    }
    if (LOCAL_X == 0) {
        sums[2 * GROUP_X] = largest;
        sums[2 * GROUP_X + 1] = values[0];
    }
}
