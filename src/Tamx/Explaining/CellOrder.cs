using Tamx.Llama;

namespace Tamx;

/// <summary>
/// Brings cells, which a sequence has tile by tile, one place ahead, or with ends of rows between them, into their
/// picture's rows; ends of rows follow the cells. All else stays.
/// </summary>
internal sealed class CellOrder
{
    private readonly List<(int First, int[] Sources)> _pictures;

    private CellOrder(List<(int First, int[] Sources)> pictures) => _pictures = pictures;

    /// <summary>The order of a prompt's pictures; null where all are in order.</summary>
    public static CellOrder? Of(IReadOnlyList<PromptPicture> pictures)
    {
        List<(int, int[])> others =
        [
            .. pictures
                .Where(picture => !picture.IsInOrder)
                .Select(picture => (picture.FirstPosition, SourcesOf(picture))),
        ];
        return others.Count > 0 ? new CellOrder(others) : null;
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

    /// <summary>Token ids in that order.</summary>
    public int[] Apply(int[] ids)
    {
        var ordered = ids.ToArray();
        Apply(ids.AsSpan(), ordered, 1);
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

    private void Apply<T>(ReadOnlySpan<T> rows, Span<T> ordered, int size)
    {
        foreach (var (first, sources) in _pictures)
        {
            for (var i = 0; i < sources.Length; i++)
            {
                rows.Slice((first + sources[i]) * size, size).CopyTo(ordered[((first + i) * size)..]);
            }
        }
    }

    /// <summary>Which of the picture's tokens each cell is, row by row, and then the others.</summary>
    private static int[] SourcesOf(PromptPicture picture)
    {
        int[] cells = [.. Enumerable.Range(0, picture.Columns * picture.Rows).Select(picture.SequenceIndexOf)];
        return [.. cells, .. Enumerable.Range(0, picture.TokenCount).Except(cells)];
    }
}
