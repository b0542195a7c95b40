// The inner part of both matrix products. A group of 16 x 16 threads makes a tile of 64 x 64 results, 4 x 4 per thread, from slabs of 16
// terms of the sums that lie in local memory: every value that is fetched from there serves four products.
// A thread's results lie 16 apart, so that neighbours read and write neighbouring values. The padding keeps writes by column apart.

#define TILE 64
#define TILE_STRIDE (TILE + 1)
#define SLAB 16
#define PER_THREAD (TILE / GROUP_WIDTH)

FUNCTION void clear_sums(float *sums)
{
    UNROLL
    for (int i = 0; i < PER_THREAD * PER_THREAD; i++) {
        sums[i] = 0.0f;
    }
}

// sums[i, j] += left[k, y + 16 i] * right[k, x + 16 j] over a slab, in order of k: a term of weight 0 leaves the sum as it is, wherever it stands.
FUNCTION void add_products(const LOCAL float *left, const LOCAL float *right, float *sums)
{
    for (int k = 0; k < SLAB; k++) {
        float a[PER_THREAD];
        float b[PER_THREAD];
        UNROLL
        for (int i = 0; i < PER_THREAD; i++) {
            a[i] = left[k * TILE_STRIDE + LOCAL_Y + GROUP_HEIGHT * i];
            b[i] = right[k * TILE_STRIDE + LOCAL_X + GROUP_WIDTH * i];
        }
        UNROLL
        for (int i = 0; i < PER_THREAD; i++) {
            UNROLL
            for (int j = 0; j < PER_THREAD; j++) {
                sums[PER_THREAD * i + j] = FMA(a[i], b[j], sums[PER_THREAD * i + j]);
            }
        }
    }
}

// Copies 64 rows x 16 values of a matrix [row_count, length] into slab[k, row], with zeros for what lies outside.
FUNCTION void load_rows(const GLOBAL float *matrix, int first_row, int row_count, int length, int first, LOCAL float *slab)
{
    UNROLL
    for (int i = 0; i < TILE / GROUP_HEIGHT; i++) {
        int row = LOCAL_Y + GROUP_HEIGHT * i;
        int k = first + LOCAL_X;
        float value = 0.0f;
        if (first_row + row < row_count && k < length) {
            value = matrix[(index_t)(first_row + row) * (index_t)length + (index_t)k];
        }
        slab[LOCAL_X * TILE_STRIDE + row] = value;
    }
}
