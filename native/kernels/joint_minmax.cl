// The smallest and the largest value of all maps of a range, and of what the range held before.
//
// values  all maps
// maps    their entries
// members indices of the entries of range 0, then of range 1, ...; those of range r are members[starts[r]] to members[starts[r + 1] - 1]
// ranges  [number of ranges, 2]: smallest, largest; (inf, -inf) where there was nothing before
// groups  (number of ranges)
//
// Reads every value once: limited by memory.
KERNEL GROUP_SIZE(GROUP_THREADS, 1) void joint_minmax(
    const GLOBAL float *values, const GLOBAL map_entry *maps, const GLOBAL int *members, const GLOBAL int *starts, GLOBAL float *ranges)
{
    LOCAL float smallest[GROUP_THREADS];
    LOCAL float largest[GROUP_THREADS];
    // One thread alone takes what was there before, for it will write there, and barriers here order nothing but local memory.
    float low = LOCAL_X == 0 ? ranges[2 * GROUP_X] : BITS_FLOAT(0x7f800000u);
    float high = LOCAL_X == 0 ? ranges[2 * GROUP_X + 1] : BITS_FLOAT(0xff800000u);
    for (int i = starts[GROUP_X]; i < starts[GROUP_X + 1]; i++) {
        const GLOBAL float *map = values + maps[members[i]].offset;
        int count = maps[members[i]].cell_count;
        for (int v = LOCAL_X; v < count; v += GROUP_THREADS) {
            float value = map[v];
            low = MIN(low, value);
            high = MAX(high, value);
        }
    }
    smallest[LOCAL_X] = low;
    largest[LOCAL_X] = high;
    BARRIER();
    for (int half_count = GROUP_THREADS / 2; half_count > 0; half_count /= 2) {
        if (LOCAL_X < half_count) {
            smallest[LOCAL_X] = MIN(smallest[LOCAL_X], smallest[LOCAL_X + half_count]);
            largest[LOCAL_X] = MAX(largest[LOCAL_X], largest[LOCAL_X + half_count]);
        }
        BARRIER();
    }
    if (LOCAL_X == 0) {
        ranges[2 * GROUP_X] = smallest[0];
        ranges[2 * GROUP_X + 1] = largest[0];
    }
}
