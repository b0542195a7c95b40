// E[m, v] = sum over t of Q[m, t] A[t, v], for the maps m of one block and its cells v
//
// Q      [maps, row_count]            weights of the context
// A      [row_count, cell_count]      activations
// maps   the block's map_count entries, from first_map on; all have its first_cell and cell_count
// E      where each map is to be
// groups (ceil(block's cells / 64), ceil(map_count / 64)); all counts at least 1
//
// 2 MTV operations on 4 (MT + TV + MV) bytes: limited by arithmetic where there are many maps, by writing E where there are few rows.
// The sums run in order of t from 0 on, so a map is the same whichever other rows and maps are computed along with it.
KERNEL GROUP_SIZE(GROUP_WIDTH, GROUP_HEIGHT) void mix_context(
    const GLOBAL float *weights, const GLOBAL float *activations, const GLOBAL map_entry *maps, GLOBAL float *interference,
    int first_map, int map_count, int row_count, int cell_count)
{
    LOCAL float left[SLAB * TILE_STRIDE];
    LOCAL float right[SLAB * TILE_STRIDE];
    float sums[PER_THREAD * PER_THREAD];
    int first_row = GROUP_Y * TILE;
    int first_cell = GROUP_X * TILE;
    int block_cell = maps[first_map].first_cell;
    int block_size = maps[first_map].cell_count;
    int thread = LOCAL_Y * GROUP_WIDTH + LOCAL_X;
    clear_sums(sums);
    for (int first = 0; first < row_count; first += SLAB) {
        UNROLL
        for (int i = 0; i < TILE / GROUP_HEIGHT; i++) {
            int row = LOCAL_Y + GROUP_HEIGHT * i;
            int k = first + LOCAL_X;
            float weight = 0.0f;
            if (first_row + row < map_count && k < row_count) {
                weight = weights[(index_t)maps[first_map + first_row + row].weight_row * (index_t)row_count + (index_t)k];
            }
            left[LOCAL_X * TILE_STRIDE + row] = weight;
        }
        UNROLL
        for (int i = 0; i < SLAB * TILE / GROUP_THREADS; i++) {
            int k = thread / TILE + GROUP_THREADS / TILE * i;
            int cell = thread % TILE;
            float activation = 0.0f;
            if (first + k < row_count && first_cell + cell < block_size) {
                activation = activations[(index_t)(first + k) * (index_t)cell_count + (index_t)(block_cell + first_cell + cell)];
            }
            right[k * TILE_STRIDE + cell] = activation;
        }
        BARRIER();
        add_products(left, right, sums);
        BARRIER();
    }

    UNROLL
    for (int i = 0; i < PER_THREAD; i++) {
        UNROLL
        for (int j = 0; j < PER_THREAD; j++) {
            int row = first_row + LOCAL_Y + GROUP_HEIGHT * i;
            int cell = first_cell + LOCAL_X + GROUP_WIDTH * j;
            if (row < map_count && cell < block_size) {
                interference[maps[first_map + row].offset + cell] = sums[PER_THREAD * i + j];
            }
        }
    }
}
