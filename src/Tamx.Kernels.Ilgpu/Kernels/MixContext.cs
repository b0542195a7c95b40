using ILGPU;
using Tamx.Kernels.Devices;

namespace Tamx.Kernels.Ilgpu.Kernels;

/// <summary>mix_context.</summary>
internal static class MixContext
{
    // E[m, v] = sum over t of Q[m, t] A[t, v], for the maps m of one block and its cells v
    //
    // Q      [maps, rowCount]             weights of the context
    // A      [rowCount, cellCount]        activations
    // maps   the block's mapCount entries, from firstMap on; all have its FirstCell and CellCount
    // E      where each map is to be
    // groups (ceil(block's cells / 64), ceil(mapCount / 64)); all counts at least 1
    //
    // 2 MTV operations on 4 (MT + TV + MV) bytes: limited by arithmetic where there are many maps, by writing E where there are few rows.
    // The sums run in order of t from 0 on, so a map is the same whichever other rows and maps are computed along with it.
    public static void Tiled(
        ArrayView<float> weights,
        ArrayView<float> activations,
        ArrayView<MapEntry> maps,
        ArrayView<float> interference,
        int firstMap,
        int mapCount,
        int rowCount,
        int cellCount)
    {
        var left = SharedMemory.Allocate<float>(Tile.SlabLength);
        var right = SharedMemory.Allocate<float>(Tile.SlabLength);
        var sums = default(Tile.Sums);
        int firstRow = Grid.IdxY * Tile.Size;
        int firstCell = Grid.IdxX * Tile.Size;
        int blockCell = maps[firstMap].FirstCell;
        int blockSize = maps[firstMap].CellCount;
        int thread = Group.IdxY * Tile.Step + Group.IdxX;
        for (int first = 0; first < rowCount; first += Tile.Slab)
        {
            for (int row = Group.IdxY; row < Tile.Size; row += Tile.Step)
            {
                int k = first + Group.IdxX;
                float weight = 0;
                if (firstRow + row < mapCount && k < rowCount)
                {
                    weight = weights[(long)maps[firstMap + firstRow + row].WeightRow * rowCount + k];
                }

                left[Group.IdxX * Tile.Stride + row] = weight;
            }

            int cell = thread % Tile.Size;
            for (int k = thread / Tile.Size; k < Tile.Slab; k += Tile.Step * Tile.Step / Tile.Size)
            {
                float activation = 0;
                if (first + k < rowCount && firstCell + cell < blockSize)
                {
                    activation = activations[(long)(first + k) * cellCount + blockCell + firstCell + cell];
                }

                right[k * Tile.Stride + cell] = activation;
            }

            Group.Barrier();
            sums = Tile.AddProducts(left, right, sums);
            Group.Barrier();
        }

        int map = firstRow + Group.IdxY;
        int place = firstCell + Group.IdxX;
        StoreRow(interference, maps, firstMap, map, mapCount, place, blockSize, sums.Row0);
        StoreRow(interference, maps, firstMap, map + Tile.Step, mapCount, place, blockSize, sums.Row1);
        StoreRow(interference, maps, firstMap, map + 2 * Tile.Step, mapCount, place, blockSize, sums.Row2);
        StoreRow(interference, maps, firstMap, map + 3 * Tile.Step, mapCount, place, blockSize, sums.Row3);
    }

    /// <summary>The same in the same order, one result at a time: for processors, where a barrier costs more than all the sums before it.</summary>
    public static void Plain(
        ArrayView<float> weights,
        ArrayView<float> activations,
        ArrayView<MapEntry> maps,
        ArrayView<float> interference,
        int firstMap,
        int mapCount,
        int rowCount,
        int cellCount)
    {
        int endMap = Math.Min(mapCount, (Grid.IdxY + 1) * Tile.Size);
        for (int map = Grid.IdxY * Tile.Size; map < endMap; map++)
        {
            var entry = maps[firstMap + map];
            int endCell = Math.Min(entry.CellCount, (Grid.IdxX + 1) * Tile.Size);
            for (int cell = Grid.IdxX * Tile.Size + Group.IdxX; cell < endCell; cell += Group.DimX)
            {
                float sum = 0;
                for (int t = 0; t < rowCount; t++)
                {
                    sum += weights[(long)entry.WeightRow * rowCount + t] * activations[(long)t * cellCount + entry.FirstCell + cell];
                }

                interference[entry.Offset + cell] = sum;
            }
        }
    }

    private static void StoreRow(
        ArrayView<float> interference, ArrayView<MapEntry> maps, int firstMap, int map, int mapCount, int cell, int blockSize, Tile.Four sums)
    {
        if (map < mapCount)
        {
            int offset = maps[firstMap + map].Offset;
            Store(interference, offset, cell, blockSize, sums.Value0);
            Store(interference, offset, cell + Tile.Step, blockSize, sums.Value1);
            Store(interference, offset, cell + 2 * Tile.Step, blockSize, sums.Value2);
            Store(interference, offset, cell + 3 * Tile.Step, blockSize, sums.Value3);
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
