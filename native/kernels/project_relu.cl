// A[t, first_cell + v] = max(least, sum over d of W[t, d] H[v, d]);  relu where least is 0, the products as they are where it is -inf
//
// W      [row_count, hidden_size]     output-embedding rows
// H      [state_count, hidden_size]   hidden states, a slice of all
// A      [row_count, cell_count]      activations; the slice's columns are written
// groups (ceil(state_count / 64), ceil(row_count / 64)); all counts at least 1; first_cell + state_count <= cell_count
//
// Logits are had with W and H in each other's place: H is then a slice of the vocabulary, and a row of A one state's logits.
//
// 2 TVD operations on 4 (T + V) D bytes: limited by arithmetic from some 50 rows on, and by the transfer of H to the device before that.
KERNEL GROUP_SIZE(GROUP_WIDTH, GROUP_HEIGHT) void project_relu(
    const GLOBAL float *output_rows, const GLOBAL float *states, GLOBAL float *activations,
    int row_count, int state_count, int hidden_size, int cell_count, int first_cell, float least)
{
    LOCAL float left[SLAB * TILE_STRIDE];
    LOCAL float right[SLAB * TILE_STRIDE];
    float sums[PER_THREAD * PER_THREAD];
    int first_row = GROUP_Y * TILE;
    int first_state = GROUP_X * TILE;
    clear_sums(sums);
    for (int first = 0; first < hidden_size; first += SLAB) {
        load_rows(output_rows, first_row, row_count, hidden_size, first, left);
        load_rows(states, first_state, state_count, hidden_size, first, right);
        BARRIER();
        add_products(left, right, sums);
        BARRIER();
    }

    UNROLL
    for (int i = 0; i < PER_THREAD; i++) {
        UNROLL
        for (int j = 0; j < PER_THREAD; j++) {
            int row = first_row + LOCAL_Y + GROUP_HEIGHT * i;
            int state = first_state + LOCAL_X + GROUP_WIDTH * j;
            if (row < row_count && state < state_count) {
                float sum = sums[PER_THREAD * i + j];
                activations[(index_t)row * (index_t)cell_count + (index_t)(first_cell + state)] = sum < least ? least : sum;
            }
        }
    }
}
