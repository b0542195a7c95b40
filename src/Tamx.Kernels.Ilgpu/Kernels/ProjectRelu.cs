using ILGPU;

namespace Tamx.Kernels.Ilgpu.Kernels;

/// <summary>project_relu.</summary>
internal static class ProjectRelu
{
    // A[t, firstCell + v] = max(least, sum over d of W[t, d] H[v, d]);  relu where least is 0, the products as they are where it is -inf
    //
    // W      [rowCount, hiddenSize]      output-embedding rows
    // H      [stateCount, hiddenSize]    hidden states, a slice of all
    // A      [rowCount, cellCount]       activations; the slice's columns are written
    // groups (ceil(stateCount / 64), ceil(rowCount / 64)); all counts at least 1; firstCell + stateCount <= cellCount
    //
    // Logits are had with W and H in each other's place: H is then a slice of the vocabulary, and a row of A one state's logits.
    //
    // 2 TVD operations on 4 (T + V) D bytes: limited by arithmetic from some 50 rows on, and by the transfer of H to the device before that.
    public static void Tiled(
        ArrayView<float> outputRows,
        ArrayView<float> states,
        ArrayView<float> activations,
        int rowCount,
        int stateCount,
        int hiddenSize,
        int cellCount,
        int firstCell,
        float least)
    {
        var left = SharedMemory.Allocate<float>(Tile.SlabLength);
        var right = SharedMemory.Allocate<float>(Tile.SlabLength);
        var sums = default(Tile.Sums);
        int firstRow = Grid.IdxY * Tile.Size;
        int firstState = Grid.IdxX * Tile.Size;
        for (int first = 0; first < hiddenSize; first += Tile.Slab)
        {
            Tile.LoadRows(outputRows, firstRow, rowCount, hiddenSize, first, left);
            Tile.LoadRows(states, firstState, stateCount, hiddenSize, first, right);
            Group.Barrier();
            sums = Tile.AddProducts(left, right, sums);
            Group.Barrier();
        }

        int row = firstRow + Group.IdxY;
        int state = firstState + Group.IdxX;
        StoreRow(activations, row, rowCount, state, stateCount, cellCount, firstCell, least, sums.Row0);
        StoreRow(activations, row + Tile.Step, rowCount, state, stateCount, cellCount, firstCell, least, sums.Row1);
        StoreRow(activations, row + 2 * Tile.Step, rowCount, state, stateCount, cellCount, firstCell, least, sums.Row2);
        StoreRow(activations, row + 3 * Tile.Step, rowCount, state, stateCount, cellCount, firstCell, least, sums.Row3);
    }

    /// <summary>The same in the same order, one result at a time: for processors, where a barrier costs more than all the sums before it.</summary>
    public static void Plain(
        ArrayView<float> outputRows,
        ArrayView<float> states,
        ArrayView<float> activations,
        int rowCount,
        int stateCount,
        int hiddenSize,
        int cellCount,
        int firstCell,
        float least)
    {
        int endRow = Math.Min(rowCount, (Grid.IdxY + 1) * Tile.Size);
        int endState = Math.Min(stateCount, (Grid.IdxX + 1) * Tile.Size);
        for (int row = Grid.IdxY * Tile.Size; row < endRow; row++)
        {
            for (int state = Grid.IdxX * Tile.Size + Group.IdxX; state < endState; state += Group.DimX)
            {
                var outputRow = outputRows.SubView((long)row * hiddenSize, hiddenSize);
                var hidden = states.SubView((long)state * hiddenSize, hiddenSize);
                float sum = 0;
                for (int d = 0; d < hiddenSize; d++)
                {
                    sum += outputRow[d] * hidden[d];
                }

                activations[(long)row * cellCount + firstCell + state] = Math.Max(sum, least);
            }
        }
    }

    private static void StoreRow(
        ArrayView<float> activations, int row, int rowCount, int state, int stateCount, int cellCount, int firstCell, float least, Tile.Four sums)
    {
        if (row < rowCount)
        {
            long place = (long)row * cellCount + firstCell + state;
            Store(activations, place, state, stateCount, Math.Max(sums.Value0, least));
            Store(activations, place + Tile.Step, state + Tile.Step, stateCount, Math.Max(sums.Value1, least));
            Store(activations, place + 2 * Tile.Step, state + 2 * Tile.Step, stateCount, Math.Max(sums.Value2, least));
            Store(activations, place + 3 * Tile.Step, state + 3 * Tile.Step, stateCount, Math.Max(sums.Value3, least));
        }
    }

    private static void Store(ArrayView<float> activations, long place, int state, int stateCount, float value)
    {
        if (state < stateCount)
        {
            activations[place] = value;
        }
    }
}
