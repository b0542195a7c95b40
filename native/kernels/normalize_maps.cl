// value = (value - smallest) / (largest - smallest) of the map's range, at most 1; 0 where the range has no width
//
// values  all maps
// maps    their entries
// ranges  [number of ranges, 2]: smallest, largest
// groups  (number of maps, ceil(cells of the largest map / 256))
//
// Reads and writes every value once: limited by memory.
KERNEL GROUP_SIZE(GROUP_THREADS, 1) void normalize_maps(GLOBAL float *values, const GLOBAL map_entry *maps, const GLOBAL float *ranges)
{
    int cell = GROUP_Y * GROUP_THREADS + LOCAL_X;
    if (cell < maps[GROUP_X].cell_count) {
        float smallest = ranges[2 * maps[GROUP_X].range];
        float width = ranges[2 * maps[GROUP_X].range + 1] - smallest;
        GLOBAL float *value = values + maps[GROUP_X].offset + cell;
        *value = width > 0.0f ? MIN((*value - smallest) / width, 1.0f) : 0.0f;
    }
}
