namespace Tamx.Report;

/// <summary>A picture or a video as a person sees it. Its frames are parts of vision blocks.</summary>
/// <param name="IsVideo">True for a video.</param>
/// <param name="Name">
/// "Picture 1" or "Video 2", numbered in the order of the conversation; "Picture 1 as one tile" for the whole of a
/// picture after its tiles.
/// </param>
/// <param name="Frames">Vision block, and temporal patch within it, in order of time.</param>
/// <param name="IsWhole">True for the whole of a picture after its tiles: the conversation has it once.</param>
internal sealed record ReportMedia(
    bool IsVideo,
    string Name,
    IReadOnlyList<(int Block, int Frame)> Frames,
    bool IsWhole = false
)
{
    /// <summary>
    /// Joins vision blocks. A video may be one block of many frames (Qwen2.5-VL) or one block per frame (Qwen3-VL).
    /// </summary>
    public static IReadOnlyList<ReportMedia> Of(IReadOnlyList<VisionBlock> blocks, IReadOnlyList<PatchGrid> videoGrids)
    {
        var media = new List<ReportMedia>();
        var (video, number) = (0, 0);
        for (var b = 0; b < blocks.Count; )
        {
            var block = blocks[b];
            var count = 1;
            if (block.IsVideo)
            {
                count =
                    block.Grid.Frames > 1
                        ? 1
                        : BlocksOfVideo(blocks, b, video < videoGrids.Count ? videoGrids[video].Frames : null);
                video++;
            }

            (int, int)[] frames =
            [
                .. Enumerable
                    .Range(b, count)
                    .SelectMany(index =>
                        Enumerable.Range(0, blocks[index].Grid.Frames).Select(frame => (index, frame))
                    ),
            ];
            var isWhole = b > 0 && !block.IsVideo && blocks[b - 1].EndPosition > block.StartPosition;
            number += isWhole ? 0 : 1;
            var name = $"{(block.IsVideo ? "Video" : "Picture")} {number}{(isWhole ? " as one tile" : "")}";
            media.Add(new ReportMedia(block.IsVideo, name, frames, isWhole));
            b += count;
        }

        return media;
    }

    /// <summary>
    /// How many blocks from <paramref name="first"/> on are frames of one video. Its grid says so; without a grid, all
    /// blocks that are alike.
    /// </summary>
    private static int BlocksOfVideo(IReadOnlyList<VisionBlock> blocks, int first, int? frames)
    {
        var count = 1;
        while (
            first + count < blocks.Count
            && blocks[first + count] is { IsVideo: true } next
            && next.Grid == blocks[first].Grid
            && next.TurnIndex == blocks[first].TurnIndex
            && count < (frames ?? int.MaxValue)
        )
        {
            count++;
        }

        return count;
    }
}
