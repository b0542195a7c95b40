// The rank-Gaussian filter over k x k windows of every frame of every map, k = KERNEL_SIZE (3, 5, 7 or 9; given when this is compiled):
// sorted z_0..z_(n-1), n = k*k;  mean mu, population deviation sd, c = sd / mu;  sum z_j g_j / sum g_j,  g_j = exp(-(j - n/2)^2 / (2 c^2))
// mu = 0 gives 0. All values equal give 0, or the value where constant_is_value. Borders are reflected without repeating the edge.
//
// source      all maps, values finite and not negative
// maps        their entries
// destination as source, and not the same memory
// groups      (number of maps, ceil(cells of the largest map / 256)); a thread has one window
//
// Limited by the sort: Batcher's odd-even mergesort (Knuth, TAOCP 3, 5.2.2) is 26, 138, 350 and 700 or so compare-exchanges; unrolled, the
// window stays in registers. Neighbours' windows overlap, so the values come from the cache.
#define WINDOW (KERNEL_SIZE * KERNEL_SIZE)
#define REACH (KERNEL_SIZE / 2)

FUNCTION int reflect(int i, int length)
{
    i = i < 0 ? -i : i;
    i = i >= length ? 2 * (length - 1) - i : i;
    if (i < 0 || i >= length) {
        // The window is wider than the map: reflected again and again.
        int period = length > 1 ? 2 * (length - 1) : 1;
        i = i % period;
        i = i < 0 ? i + period : i;
        i = i < length ? i : period - i;
    }
    return i;
}

// Ascending. Entries i and i + k are compared where i is in the lower half of a span of 2 k, and both are in the same pair of runs of p.
FUNCTION void sort_window(float *window)
{
    UNROLL
    for (int p = 1; p < WINDOW; p *= 2) {
        UNROLL
        for (int k = p; k >= 1; k /= 2) {
            int start = k == p ? 0 : k;
            UNROLL
            for (int i = 0; i < WINDOW; i++) {
                if (i >= start && ((i - start) & k) == 0 && i + k < WINDOW && (i ^ (i + k)) < 2 * p) {
                    float low = MIN(window[i], window[i + k]);
                    window[i + k] = MAX(window[i], window[i + k]);
                    window[i] = low;
                }
            }
        }
    }
}

KERNEL GROUP_SIZE(GROUP_THREADS, 1) void rank_filter(
    const GLOBAL float *source, const GLOBAL map_entry *maps, GLOBAL float *destination, int constant_is_value)
{
    int cell = GROUP_Y * GROUP_THREADS + LOCAL_X;
    if (cell >= maps[GROUP_X].cell_count) {
        return;
    }

    int rows = maps[GROUP_X].rows;
    int columns = maps[GROUP_X].columns;
    int in_frame = cell % (rows * columns);
    const GLOBAL float *frame = source + maps[GROUP_X].offset + (cell - in_frame);
    int row = in_frame / columns;
    int column = in_frame % columns;
    int x[KERNEL_SIZE];
    UNROLL
    for (int i = 0; i < KERNEL_SIZE; i++) {
        x[i] = reflect(column + i - REACH, columns);
    }

    float window[WINDOW];
    float sum = 0.0f;
    UNROLL
    for (int i = 0; i < KERNEL_SIZE; i++) {
        const GLOBAL float *line = frame + reflect(row + i - REACH, rows) * columns;
        UNROLL
        for (int j = 0; j < KERNEL_SIZE; j++) {
            window[KERNEL_SIZE * i + j] = line[x[j]];
            sum += line[x[j]];
        }
    }

    sort_window(window);
    float mean = sum / (float)WINDOW;
    float result = 0.0f;
    if (window[0] == window[WINDOW - 1]) {
        result = constant_is_value ? window[0] : 0.0f;
    } else if (mean > 0.0f) {
        // By a power of two near 1 / mean, so that no square leaves the range of float32.
        unsigned int exponent = FLOAT_BITS(mean) & 0x7f800000u;
        float scale = BITS_FLOAT(exponent < 0x7e800000u ? 0x7f000000u - exponent : 0x00800000u);
        float squares = 0.0f;
        UNROLL
        for (int i = 0; i < WINDOW; i++) {
            float difference = (window[i] - mean) * scale;
            squares = FMA(difference, difference, squares);
        }

        float scaled = mean * scale;
        float factor = -(float)WINDOW * (scaled * scaled) / (2.0f * squares);
        float weights = 0.5f;
        float weighted = 0.5f * window[WINDOW / 2];
        UNROLL
        for (int i = 1; i <= WINDOW / 2; i++) {
            float weight = exponential(factor * (float)(i * i));
            weights += weight;
            weighted = FMA(weight, 0.5f * (window[WINDOW / 2 - i] + window[WINDOW / 2 + i]), weighted);
        }
        result = weighted / weights;
    }
    destination[maps[GROUP_X].offset + cell] = result;
}
