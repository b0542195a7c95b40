using Tamx.Llama.Families;

namespace Tamx;

/// <summary>A box or a point of a picture that an answer names.</summary>
/// <param name="Label">What the answer says is there; empty where it does not say.</param>
/// <param name="LabelTokens">
/// The answer's tokens that hold the label, counted from its first. Empty for a region without one.
/// </param>
/// <param name="CoordinateTokens">The answer's tokens that hold the numbers.</param>
/// <param name="BlockIndex">
/// Index of the picture's vision block: the last picture before the answer, and of a picture in tiles their block.
/// </param>
/// <param name="Box">Where it is.</param>
/// <param name="IsClamped">
/// Whether the answer's box reaches beyond the picture. <paramref name="Box"/> is the part within.
/// </param>
public sealed record ClaimedRegion(
    string Label,
    IReadOnlyList<int> LabelTokens,
    IReadOnlyList<int> CoordinateTokens,
    int BlockIndex,
    RegionBox Box,
    bool IsClamped
)
{
    // Qwen2-VL and Qwen2.5-VL see patches of 14 pixels, four to a cell.
    private const int Qwen2CellPixels = 28;

    /// <summary>Reads the regions that a run's answer claims, in its order. A thought claims none.</summary>
    /// <param name="trace">The run. It needs token texts and the model's architecture; without, there are none.</param>
    /// <param name="layout">Its layout.</param>
    /// <remarks>
    /// <para>
    /// Read are objects with <c>bbox_2d</c> or <c>point_2d</c> anywhere in the text, with <c>label</c> or else their
    /// first text; <c>&lt;|box_start|&gt;(x1,y1),(x2,y2)&lt;|box_end|&gt;</c>, after
    /// <c>&lt;|object_ref_start|&gt;label&lt;|object_ref_end|&gt;</c> or without;
    /// <c>&lt;ref&gt;label&lt;/ref&gt;&lt;box&gt;[[x1,y1,x2,y2]]&lt;/box&gt;</c> of InternVL; and bare <c>(x,y)</c> and
    /// <c>(x1,y1),(x2,y2)</c>. What is malformed, cut off or outside the picture is left out. A bare one is too if any
    /// of it is outside, since it may be no place.
    /// </para>
    /// <para>
    /// Coordinates are thousandths of the picture's sides in Qwen3-VL, Qwen2-VL and InternVL, and in Qwen2.5-VL pixels
    /// of the resized picture. Two of these share one architecture; the run's model name tells Qwen2-VL. Sources:
    /// Qwen's cookbooks for spatial understanding; for Qwen2-VL arXiv 2409.12191; for InternVL its evaluation on
    /// RefCOCO.
    /// </para>
    /// </remarks>
    public static IReadOnlyList<ClaimedRegion> Read(Trace trace, SequenceLayout layout)
    {
        ArgumentNullException.ThrowIfNull(trace);
        ArgumentNullException.ThrowIfNull(layout);
        var block = PictureOf(layout);
        if (
            block < 0
            || trace.OutputTexts is null
            || SidesOf(trace.Run, layout.VisionBlocks[block].Grid) is not { } sides
        )
        {
            return [];
        }

        var bytes = new List<byte>();
        var ends = new List<int>();
        foreach (var position in layout.AnswerPositions.Skip(layout.ThoughtCount))
        {
            bytes.AddRange(trace.FindBytes(trace.TokenIds[position]).GetValueOrDefault().Span);
            ends.Add(bytes.Count);
        }

        return
        [
            .. new ClaimText([.. bytes])
                .Read()
                .Select(claim => InPicture(claim, block, sides, TokensOf))
                .OfType<ClaimedRegion>(),
        ];

        int[] TokensOf(IEnumerable<Range> ranges)
        {
            var tokens = new SortedSet<int>();
            foreach (var range in ranges)
            {
                for (
                    var token = FirstEndAfter(range.Start.Value);
                    token < ends.Count && (token == 0 ? 0 : ends[token - 1]) < range.End.Value;
                    token++
                )
                {
                    tokens.Add(layout.ThoughtCount + token);
                }
            }

            return [.. tokens];
        }

        int FirstEndAfter(int place)
        {
            var found = ends.BinarySearch(place + 1);
            if (found < 0)
            {
                return ~found;
            }

            // Tokens without bytes end where the one before them does.
            while (found > 0 && ends[found - 1] == ends[found])
            {
                found--;
            }

            return found;
        }
    }

    private static int PictureOf(SequenceLayout layout)
    {
        for (var block = layout.VisionBlocks.Count - 1; block >= 0 && layout.AnswerPositions.Count > 0; block--)
        {
            var candidate = layout.VisionBlocks[block];
            if (!candidate.IsVideo && candidate.EndPosition < layout.AnswerPositions[0])
            {
                return layout.TilesOf(block);
            }
        }

        return -1;
    }

    /// <summary>What the coordinates of a picture's right and bottom edge are; null for an unknown family.</summary>
    private static (double Width, double Height)? SidesOf(RunInfo run, PatchGrid cells)
    {
        var isQwen2 = run.Model?.Replace(' ', '-').Contains("Qwen2-VL", StringComparison.OrdinalIgnoreCase) ?? false;
        return ModelFamily.WithArchitecture(run.Architecture).FirstOrDefault() switch
        {
            null or { NamesBoxes: false } => null,
            { CoordinateRange: { } range } => (range, range),
            _ when isQwen2 => (1000, 1000),
            _ => (cells.Columns * Qwen2CellPixels, cells.Rows * Qwen2CellPixels),
        };
    }

    private static ClaimedRegion? InPicture(
        ClaimText.Claim claim,
        int block,
        (double Width, double Height) sides,
        Func<IEnumerable<Range>, int[]> tokensOf
    )
    {
        var isPoint = claim.Numbers.Count == 2;
        var (left, top) = (claim.Numbers[0] / sides.Width, claim.Numbers[1] / sides.Height);
        var (right, bottom) = isPoint ? (left, top) : (claim.Numbers[2] / sides.Width, claim.Numbers[3] / sides.Height);
        var whole = new RegionBox(left, top, right, bottom);
        var box = new RegionBox(Within(left), Within(top), Within(right), Within(bottom));
        var isRegion = isPoint ? box == whole : box.Left < box.Right && box.Top < box.Bottom;
        return isRegion && (box == whole || !claim.IsBare)
            ? new ClaimedRegion(
                claim.Label,
                tokensOf(claim.LabelPlace is { } place ? [place] : []),
                tokensOf(claim.NumberPlaces),
                block,
                box,
                box != whole
            )
            : null;

        static double Within(double value) => Math.Clamp(value, 0, 1);
    }
}
