// s = (A.E) / (E.E), 0 where E.E < 1e-12;  M = relu(A - strength s E), per map; M = A where strength is 0
//
// A      [rows, cell_count]           activations, of which a map takes its explained row over its block
// maps   one entry per group
// M      in: E (not read where strength is 0), out: M
// groups (number of maps)
//
// Reads A and E twice, writes M once: limited by memory. Each thread adds up every 256th product and the sums are joined in a tree, so what
// float32 loses grows with the logarithm of the map's size.
KERNEL GROUP_SIZE(GROUP_THREADS, 1) void subtract_scaled(
    const GLOBAL float *activations, const GLOBAL map_entry *maps, GLOBAL float *values, int cell_count, float strength)
{
    LOCAL float crossed[GROUP_THREADS];
    LOCAL float squared[GROUP_THREADS];
    int count = maps[GROUP_X].cell_count;
    const GLOBAL float *activation = activations + (index_t)maps[GROUP_X].output_row * (index_t)cell_count + (index_t)maps[GROUP_X].first_cell;
    GLOBAL float *map = values + maps[GROUP_X].offset;
    // Every thread goes through the same barriers, so nothing returns early.
    int summed = strength == 0.0f ? 0 : count;
    float crossed_sum = 0.0f;
    float squared_sum = 0.0f;
    for (int v = LOCAL_X; v < summed; v += GROUP_THREADS) {
        crossed_sum = FMA(activation[v], map[v], crossed_sum);
        squared_sum = FMA(map[v], map[v], squared_sum);
    }
    crossed[LOCAL_X] = crossed_sum;
    squared[LOCAL_X] = squared_sum;
    BARRIER();
    for (int half_count = GROUP_THREADS / 2; half_count > 0; half_count /= 2) {
        if (LOCAL_X < half_count) {
            crossed[LOCAL_X] += crossed[LOCAL_X + half_count];
            squared[LOCAL_X] += squared[LOCAL_X + half_count];
        }
        BARRIER();
    }

    float scale = squared[0] < 1e-12f ? 0.0f : strength * (crossed[0] / squared[0]);
    for (int v = LOCAL_X; v < count; v += GROUP_THREADS) {
        map[v] = summed == 0 ? activation[v] : MAX(FMA(-scale, map[v], activation[v]), 0.0f);
    }
}
