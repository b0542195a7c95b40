using ILGPU;
using ILGPU.Runtime;

namespace Tamx.Kernels.Devices.Kernels;

/// <summary>The interference of the context.</summary>
internal static class MixContext
{
    // E[m, v] = sum over t of Q[m, t] A[t, v], for the maps m of one block and its cells v
    //
    // Q      [maps, rowCount]             weights of the context
    // A      [rowCount, cellCount]        activations
    // maps   the block's mapCount entries, from firstMap on; all have its FirstCell and CellCount
    // E      all maps; each entry says where its map is
    // groups (ceil(block's cells / 64), ceil(mapCount / 64)); all counts at least 1
    //
    // 2 MTV operations on 4 (MT + TV + MV) bytes: limited by arithmetic where there are many maps, by writing E where
    // there are few rows.
    // The sums run in order of t, so a map does not depend on the other rows and maps that are computed with it.
    public static void Run(
        ArrayView<float> weights,
        ArrayView<float> activations,
        ArrayView<MapEntry> maps,
        ArrayView<float> interference,
        int firstMap,
        int mapCount,
        int rowCount,
        int cellCount
    )
    {
        var left = SharedMemory.Allocate1D<float>(Tile.SlabLength);
        var right = SharedMemory.Allocate1D<float>(Tile.SlabLength);
        var firstRow = Grid.IdxY * Tile.Size;
        var firstCell = Grid.IdxX * Tile.Size;
        var blockSize = maps[firstMap].CellCount;
        var rows = Tile.Rows(firstRow, mapCount);
        rows.Row0 = maps[firstMap + rows.Row0].WeightRow;
        rows.Row1 = maps[firstMap + rows.Row1].WeightRow;
        rows.Row2 = maps[firstMap + rows.Row2].WeightRow;
        rows.Row3 = maps[firstMap + rows.Row3].WeightRow;
        rows.Row4 = maps[firstMap + rows.Row4].WeightRow;
        rows.Row5 = maps[firstMap + rows.Row5].WeightRow;
        rows.Row6 = maps[firstMap + rows.Row6].WeightRow;
        rows.Row7 = maps[firstMap + rows.Row7].WeightRow;

        // Activations are stored by rows, so a thread fetches all terms of a slab for one cell.
        var thread = Group.IdxY * Tile.Width + Group.IdxX;
        var fetched = maps[firstMap].FirstCell + Math.Min(firstCell + thread, blockSize - 1);
        var sums = default(Tile.Sums);
        var nextLeft = Tile.Fetch(weights, rows, rowCount, Group.IdxX);
        var nextRight = Fetch(activations, fetched, rowCount, cellCount, 0);
        for (var first = 0; first < rowCount; first += Tile.Slab)
        {
            Tile.Put(left, nextLeft);
            Put(right, thread, nextRight);
            Group.Barrier();
            nextLeft = Tile.Fetch(weights, rows, rowCount, first + Tile.Slab + Group.IdxX);
            nextRight = Fetch(activations, fetched, rowCount, cellCount, first + Tile.Slab);
            sums = Tile.AddProducts(left, right, sums);
            Group.Barrier();
        }

        var map = firstRow + Tile.Place(Group.IdxY);
        var cell = firstCell + Tile.Place(Group.IdxX);
        Store(interference, maps, firstMap, map, mapCount, cell, blockSize, sums.Row0);
        Store(interference, maps, firstMap, map + 1, mapCount, cell, blockSize, sums.Row1);
        Store(interference, maps, firstMap, map + 2, mapCount, cell, blockSize, sums.Row2);
        Store(interference, maps, firstMap, map + 3, mapCount, cell, blockSize, sums.Row3);
        Store(interference, maps, firstMap, map + 32, mapCount, cell, blockSize, sums.Row4);
        Store(interference, maps, firstMap, map + 33, mapCount, cell, blockSize, sums.Row5);
        Store(interference, maps, firstMap, map + 34, mapCount, cell, blockSize, sums.Row6);
        Store(interference, maps, firstMap, map + 35, mapCount, cell, blockSize, sums.Row7);
    }

    private static Tile.Eight Fetch(ArrayView<float> source, int cell, int rowCount, int cellCount, int first) =>
        new()
        {
            Value0 = FetchOne(source, cell, rowCount, cellCount, first),
            Value1 = FetchOne(source, cell, rowCount, cellCount, first + 1),
            Value2 = FetchOne(source, cell, rowCount, cellCount, first + 2),
            Value3 = FetchOne(source, cell, rowCount, cellCount, first + 3),
            Value4 = FetchOne(source, cell, rowCount, cellCount, first + 4),
            Value5 = FetchOne(source, cell, rowCount, cellCount, first + 5),
            Value6 = FetchOne(source, cell, rowCount, cellCount, first + 6),
            Value7 = FetchOne(source, cell, rowCount, cellCount, first + 7),
        };

    private static float FetchOne(ArrayView<float> activations, int cell, int rowCount, int cellCount, int row) =>
        Tile.Keep(activations[(long)Math.Min(row, rowCount - 1) * cellCount + cell], Tile.Mask(row, rowCount));

    private static void Put(ArrayView1D<float, Stride1D.Dense> slab, int cell, Tile.Eight values)
    {
        slab[cell] = values.Value0;
        slab[Tile.Stride + cell] = values.Value1;
        slab[2 * Tile.Stride + cell] = values.Value2;
        slab[3 * Tile.Stride + cell] = values.Value3;
        slab[4 * Tile.Stride + cell] = values.Value4;
        slab[5 * Tile.Stride + cell] = values.Value5;
        slab[6 * Tile.Stride + cell] = values.Value6;
        slab[7 * Tile.Stride + cell] = values.Value7;
    }

    private static void Store(
        ArrayView<float> interference,
        ArrayView<MapEntry> maps,
        int firstMap,
        int map,
        int mapCount,
        int cell,
        int blockSize,
        Tile.Eight sums
    )
    {
        if (map < mapCount)
        {
            var offset = maps[firstMap + map].Offset;
            Store(interference, offset, cell, blockSize, sums.Value0);
            Store(interference, offset, cell + 1, blockSize, sums.Value1);
            Store(interference, offset, cell + 2, blockSize, sums.Value2);
            Store(interference, offset, cell + 3, blockSize, sums.Value3);
            Store(interference, offset, cell + 32, blockSize, sums.Value4);
            Store(interference, offset, cell + 33, blockSize, sums.Value5);
            Store(interference, offset, cell + 34, blockSize, sums.Value6);
            Store(interference, offset, cell + 35, blockSize, sums.Value7);
        }
    }

    private static void Store(ArrayView<float> interference, int offset, int cell, int blockSize, float value)
    {
        if (cell < blockSize)
        {
            interference[offset + cell] = value;
        }
    }
}
