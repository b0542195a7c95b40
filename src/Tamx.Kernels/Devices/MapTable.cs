using System.Runtime.InteropServices;

namespace Tamx.Kernels.Devices;

/// <summary>One map, in the layout that kernels read.</summary>
/// <param name="WeightRow">Its row of Q.</param>
/// <param name="OutputRow">The explained token's row of A.</param>
/// <param name="FirstCell">Its block's first column of A.</param>
/// <param name="CellCount">Frames x rows x columns.</param>
/// <param name="Offset">Its first value among all maps'.</param>
/// <param name="Rows">Rows of a frame.</param>
/// <param name="Columns">Columns of a frame.</param>
/// <param name="Range">Its normalisation range.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct MapEntry(
    int WeightRow,
    int OutputRow,
    int FirstCell,
    int CellCount,
    int Offset,
    int Rows,
    int Columns,
    int Range
);

/// <summary>The maps over one block.</summary>
/// <param name="Block">The block.</param>
/// <param name="FirstCell">Its first column of the activations.</param>
/// <param name="FirstEntry">Index of the first map's entry.</param>
/// <param name="EntryCount">Number of maps.</param>
internal readonly record struct BlockEntries(TamBlock Block, int FirstCell, int FirstEntry, int EntryCount);

/// <summary>The maps of a problem, ordered by block.</summary>
internal sealed class MapTable
{
    /// <summary>Orders the maps.</summary>
    /// <param name="problem">The problem. It has at least one map.</param>
    /// <param name="compact">
    /// Whether the activations have columns only for the cells of blocks that have maps, and not for all cells.
    /// </param>
    public MapTable(in TamProblem problem, bool compact)
    {
        var maps = problem.Maps.ToArray();
        var offsets = new int[maps.Length];
        for (var m = 1; m < maps.Length; m++)
        {
            offsets[m] = offsets[m - 1] + problem.Blocks[maps[m - 1].Block].CellCount;
        }

        var entries = new List<MapEntry>(maps.Length);
        var blocks = new List<BlockEntries>();
        foreach (var group in Enumerable.Range(0, maps.Length).GroupBy(m => maps[m].Block))
        {
            var block = problem.Blocks[group.Key];
            var firstCell = compact ? ColumnCount : block.FirstCell;
            var firstEntry = entries.Count;
            entries.AddRange(
                group.Select(m => new MapEntry(
                    m,
                    maps[m].OutputRow,
                    firstCell,
                    block.CellCount,
                    offsets[m],
                    block.RowCount,
                    block.ColumnCount,
                    maps[m].Range
                ))
            );
            blocks.Add(new BlockEntries(block, firstCell, firstEntry, entries.Count - firstEntry));
            ColumnCount += block.CellCount;
            LargestBlock = Math.Max(LargestBlock, block.CellCount);
            LargestPairs = Math.Max(LargestPairs, block.FrameCount * block.RowCount * ((block.ColumnCount + 1) / 2));
        }

        Entries = [.. entries];
        Blocks = [.. blocks];

        // The maps of each range, as a list of members and where each range starts in it.
        int[] members = [.. Enumerable.Range(0, entries.Count).OrderBy(entry => entries[entry].Range)];
        var starts = new int[problem.RangeCount + 1];
        foreach (var entry in entries)
        {
            starts[entry.Range + 1]++;
        }

        for (var r = 0; r < problem.RangeCount; r++)
        {
            starts[r + 1] += starts[r];
        }

        // The ranges come first, since they are downloaded too. Entries start at a multiple of an entry's size.
        var entrySize = Marshal.SizeOf<MapEntry>();
        EntriesStart = (problem.RangeCount * Marshal.SizeOf<ValueRange>() + entrySize - 1) / entrySize * entrySize;
        MembersStart = EntriesStart + Entries.Length * entrySize;
        StartsStart = MembersStart + members.Length * sizeof(int);
        Bytes = new byte[StartsStart + starts.Length * sizeof(int)];
        MemoryMarshal.AsBytes<MapEntry>(Entries).CopyTo(Bytes.AsSpan(EntriesStart));
        MemoryMarshal.AsBytes<int>(members).CopyTo(Bytes.AsSpan(MembersStart));
        MemoryMarshal.AsBytes<int>(starts).CopyTo(Bytes.AsSpan(StartsStart));
    }

    /// <summary>All maps, ordered by block.</summary>
    public MapEntry[] Entries { get; }

    /// <summary>The blocks that have maps.</summary>
    public BlockEntries[] Blocks { get; }

    /// <summary>Cells of these blocks together.</summary>
    public int ColumnCount { get; private set; }

    /// <summary>Cells of the largest block.</summary>
    public int LargestBlock { get; private set; }

    /// <summary>Pairs of neighbouring windows of the block that has most of them.</summary>
    public int LargestPairs { get; private set; }

    /// <summary>
    /// All tables in one piece, for one upload: room for the ranges; the entries; the members, which are indices of the
    /// entries of range 0, then of range 1, and so on; and the starts, which say where each range's members start and
    /// the last one's end.
    /// </summary>
    public byte[] Bytes { get; }

    /// <summary>Where in <see cref="Bytes"/> the entries are.</summary>
    public int EntriesStart { get; }

    /// <summary>Where in <see cref="Bytes"/> the members are.</summary>
    public int MembersStart { get; }

    /// <summary>Where in <see cref="Bytes"/> the starts are.</summary>
    public int StartsStart { get; }
}
