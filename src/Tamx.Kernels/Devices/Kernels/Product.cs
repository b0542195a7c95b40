using ILGPU;

namespace Tamx.Kernels.Devices.Kernels;

/// <summary>The products of hidden states and output rows: activations, and logits.</summary>
internal static class Product
{
    // A[t, firstColumn + v] = max(least, sum over d of W[t, d] H[v, d]);  least is 0 for relu, and -inf for none
    //
    // W      [rowCount, hiddenSize]      output-embedding rows
    // H      [stateCount, hiddenSize]    hidden states, a slice of all
    // A      [parts, rowCount, stride]   activations; the slice's columns are written
    // groups (ceil(stateCount / 64), rowTiles * parts), rowTiles = ceil(rowCount / 64); all counts at least 1
    //
    // For logits, W and H change places: H is then a slice of the vocabulary, and a row of A has one state's logits.
    //
    // A sum has chunks of 256 terms. Each chunk is summed, and the chunks are added in order. Where there are too few
    // tiles for the device, each part of chunksPerPart = 1 chunk has its own A, and JoinParts adds the parts in the
    // same order. So splitting does not change a bit, and neither does the number of states.
    //
    // 2 TVD operations on 4 (T + V) D bytes: limited by arithmetic from some 50 rows on, and with fewer rows by the
    // upload of H.
    public static void Run(
        ArrayView<float> outputRows,
        ArrayView<float> states,
        ArrayView<float> activations,
        int rowCount,
        int stateCount,
        int hiddenSize,
        int stride,
        int firstColumn,
        int rowTiles,
        int chunksPerPart,
        float least
    )
    {
        var left = SharedMemory.Allocate1D<float>(Tile.SlabLength);
        var right = SharedMemory.Allocate1D<float>(Tile.SlabLength);
        var part = Grid.IdxY / rowTiles;
        var firstRow = (Grid.IdxY - part * rowTiles) * Tile.Size;
        var firstState = Grid.IdxX * Tile.Size;
        var rows = Tile.Rows(firstRow, rowCount);
        var columns = Tile.Rows(firstState, stateCount);
        var row = firstRow + Tile.Place(Group.IdxY);
        var column = firstState + Tile.Place(Group.IdxX);
        var place = ((long)part * rowCount + row) * stride + firstColumn + column;

        var partStart = part * chunksPerPart * DeviceKernel.Chunk;
        var partEnd = (int)Math.Min((long)partStart + (long)chunksPerPart * DeviceKernel.Chunk, hiddenSize);
        for (var start = partStart; start < partEnd; start += DeviceKernel.Chunk)
        {
            var end = Math.Min(start + DeviceKernel.Chunk, partEnd);
            var sums = default(Tile.Sums);
            var nextLeft = Tile.Fetch(outputRows, rows, hiddenSize, start + Group.IdxX);
            var nextRight = Tile.Fetch(states, columns, hiddenSize, start + Group.IdxX);
            for (var first = start; first < end; first += Tile.Slab)
            {
                Tile.Put(left, nextLeft);
                Tile.Put(right, nextRight);
                Group.Barrier();

                // The last fetch is not used. It saves a branch around sixteen loads.
                nextLeft = Tile.Fetch(outputRows, rows, hiddenSize, first + Tile.Slab + Group.IdxX);
                nextRight = Tile.Fetch(states, columns, hiddenSize, first + Tile.Slab + Group.IdxX);
                sums = Tile.AddProducts(left, right, sums);
                Group.Barrier();
            }

            var before = start == partStart ? 0 : 1;
            var floor = end == partEnd ? least : float.NegativeInfinity;
            Store(activations, place, row, rowCount, column, stateCount, before, floor, sums.Row0);
            Store(activations, place + stride, row + 1, rowCount, column, stateCount, before, floor, sums.Row1);
            Store(activations, place + 2L * stride, row + 2, rowCount, column, stateCount, before, floor, sums.Row2);
            Store(activations, place + 3L * stride, row + 3, rowCount, column, stateCount, before, floor, sums.Row3);
            Store(activations, place + 32L * stride, row + 32, rowCount, column, stateCount, before, floor, sums.Row4);
            Store(activations, place + 33L * stride, row + 33, rowCount, column, stateCount, before, floor, sums.Row5);
            Store(activations, place + 34L * stride, row + 34, rowCount, column, stateCount, before, floor, sums.Row6);
            Store(activations, place + 35L * stride, row + 35, rowCount, column, stateCount, before, floor, sums.Row7);
        }
    }

    private static void Store(
        ArrayView<float> activations,
        long place,
        int row,
        int rowCount,
        int column,
        int stateCount,
        int before,
        float floor,
        Tile.Eight sums
    )
    {
        if (row < rowCount)
        {
            Store(activations, place, column, stateCount, before, floor, sums.Value0);
            Store(activations, place + 1, column + 1, stateCount, before, floor, sums.Value1);
            Store(activations, place + 2, column + 2, stateCount, before, floor, sums.Value2);
            Store(activations, place + 3, column + 3, stateCount, before, floor, sums.Value3);
            Store(activations, place + 32, column + 32, stateCount, before, floor, sums.Value4);
            Store(activations, place + 33, column + 33, stateCount, before, floor, sums.Value5);
            Store(activations, place + 34, column + 34, stateCount, before, floor, sums.Value6);
            Store(activations, place + 35, column + 35, stateCount, before, floor, sums.Value7);
        }
    }

    private static void Store(
        ArrayView<float> activations,
        long place,
        int column,
        int stateCount,
        int before,
        float floor,
        float sum
    )
    {
        if (column < stateCount)
        {
            if (before != 0)
            {
                sum = activations[place] + sum;
            }

            activations[place] = sum < floor ? floor : sum;
        }
    }
}
