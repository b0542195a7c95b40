using Tamx.Llama;

namespace Tamx;

/// <summary>
/// Brings the cells of tiled pictures, which a sequence has tile by tile, into the picture's rows. All else stays.
/// </summary>
/// <remarks>Every cell carries the same token, so token ids are the same in both orders.</remarks>
internal sealed class CellOrder
{
    private readonly List<(int First, int[] Sources)> _pictures;

    private CellOrder(List<(int First, int[] Sources)> pictures) => _pictures = pictures;

    /// <summary>The order of a prompt's pictures; null where none is tiled.</summary>
    public static CellOrder? Of(IReadOnlyList<PromptPicture> pictures)
    {
        List<(int, int[])> tiled =
        [
            .. pictures
                .Where(picture => picture.TileColumns * picture.TileRows > 1)
                .Select(picture => (picture.FirstPosition, SourcesOf(picture))),
        ];
        return tiled.Count > 0 ? new CellOrder(tiled) : null;
    }

    /// <summary>Rows of values, one per position, in that order.</summary>
    /// <param name="rows">Rows [positions, size], row-major, of the sequence's beginning.</param>
    /// <param name="size">Values per row.</param>
    public ReadOnlyMemory<float> Apply(ReadOnlyMemory<float> rows, int size)
    {
        var ordered = rows.ToArray();
        Apply(rows.Span, ordered, size);
        return ordered;
    }

    /// <summary>An answer token's evidence in that order.</summary>
    public EvidenceStep Apply(EvidenceStep step)
    {
        var count = step.Scores.Length / step.TokenIds.Length;
        var ordered = step.Scores.ToArray();
        for (var i = 0; i < step.TokenIds.Length; i++)
        {
            Apply(step.ScoresOf(i), ordered.AsSpan(i * count, count), 1);
        }

        return step with
        {
            Scores = ordered,
        };
    }

    private void Apply(ReadOnlySpan<float> rows, Span<float> ordered, int size)
    {
        foreach (var (first, sources) in _pictures)
        {
            for (var i = 0; i < sources.Length; i++)
            {
                rows.Slice((first + sources[i]) * size, size).CopyTo(ordered[((first + i) * size)..]);
            }
        }
    }

    /// <summary>For each cell, row by row, which of the picture's cells in the sequence it is.</summary>
    private static int[] SourcesOf(PromptPicture picture)
    {
        var (width, height) = (picture.Columns / picture.TileColumns, picture.Rows / picture.TileRows);
        var sources = new int[picture.Columns * picture.Rows];
        for (var i = 0; i < sources.Length; i++)
        {
            var (row, column) = Math.DivRem(i, picture.Columns);
            var tile = (row / height * picture.TileColumns) + (column / width);
            sources[i] = (tile * width * height) + (row % height * width) + (column % width);
        }

        return sources;
    }
}
