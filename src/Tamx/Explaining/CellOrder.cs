using Tamx.Llama;

namespace Tamx;

/// <summary>
/// Brings cells, which a sequence has tile by tile or one place ahead, into their picture's rows. All else stays.
/// </summary>
/// <remarks>Every cell carries the same token, so token ids are the same in both orders.</remarks>
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
    private static int[] SourcesOf(PromptPicture picture) =>
        [.. Enumerable.Range(0, picture.Columns * picture.Rows).Select(picture.SequenceIndexOf)];
}
