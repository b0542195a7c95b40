using static Tamx.Tests.SyntheticTrace;

namespace Tamx.Tests;

public class SequenceLayoutTests
{
    private static readonly MarkerIds Markers = MarkerIds.QwenPublished;

    [Fact]
    public void Parse_OneVideoBlockPerFrame_SpreadsTheGridOverThem()
    {
        int[] ids = [.. User([1, .. Video(6), 2, .. Video(6), .. Image(4), .. Video(2), 3]), .. Assistant(4)];

        var layout = Parse(ids, [new(1, 4, 4)], [new(2, 4, 6), new(1, 2, 4)]);

        Assert.Equal(
            [new(1, 2, 3), new(1, 2, 3), new(1, 2, 2), new(1, 1, 2)],
            layout.VisionBlocks.Select(block => block.Grid)
        );
    }

    [Fact]
    public void Parse_SeveralVideosInOneBlockEach_KeepsTheirFrames()
    {
        int[] ids = [.. User([.. Video(12), 1, .. Video(4)]), .. Assistant(4)];

        var layout = Parse(ids, [], [new(2, 4, 6), new(4, 2, 2)]);

        Assert.Equal([new(2, 2, 3), new(4, 1, 1)], layout.VisionBlocks.Select(block => block.Grid));
    }

    [Fact]
    public void Parse_TemporalAndOtherMerge_DividesTheGrid()
    {
        var options = new TamOptions { MergeSize = 3, TemporalMergeSize = 2 };

        var layout = SequenceLayout.Parse(
            [.. User([.. Video(6), 1]), .. Assistant(4)],
            Markers,
            [],
            [new(4, 3, 9)],
            options: options
        );

        Assert.Equal(new PatchGrid(2, 1, 3), Assert.Single(layout.VisionBlocks).Grid);
    }

    [Theory]
    [InlineData(6, 12, 8, 3)]
    [InlineData(5, 7, 35, 1)]
    [InlineData(20, 10, 2, 10)]
    public void Parse_OneMergeSizeThatFits_IsTaken(int rows, int columns, int cells, int merge)
    {
        var layout = Parse([.. User([.. Image(cells), 1]), .. Assistant(4)], [new(1, rows, columns)]);

        Assert.Equal(new PatchGrid(1, rows / merge, columns / merge), layout.VisionBlocks[0].Grid);
    }

    [Fact]
    public void Parse_MergeSizeOfTwoImages_IsOneForBoth()
    {
        int[] ids = [.. User([.. Image(6), 1, .. Image(4)]), .. Assistant(4)];

        var layout = Parse(ids, [new(1, 6, 9), new(1, 6, 6)]);

        Assert.Equal([new(1, 2, 3), new(1, 2, 2)], layout.VisionBlocks.Select(block => block.Grid));
        Throws("holds 6 tokens", () => Parse(ids, [new(1, 8, 12), new(1, 6, 6)]));
    }

    [Fact]
    public void Parse_MergeSizeOfAVideo_FollowsFromItsBlocks()
    {
        int[] perFrame = [.. User([.. Video(4), .. Video(4), .. Video(4), .. Video(4)]), .. Assistant(4)];
        int[] whole = [.. User([.. Video(4), 1]), .. Assistant(4)];

        Assert.All(
            Parse(perFrame, [], [new(4, 12, 12)]).VisionBlocks,
            block => Assert.Equal(new PatchGrid(1, 2, 2), block.Grid)
        );
        Assert.Equal(new PatchGrid(4, 1, 1), Assert.Single(Parse(whole, [], [new(4, 12, 12)]).VisionBlocks).Grid);
    }

    [Fact]
    public void Parse_MergeSizeAskedFor_IsNotReplaced()
    {
        int[] ids = [.. User([.. Image(8), 1]), .. Assistant(4)];
        var options = new TamOptions { MergeSize = 2 };

        Throws("holds 8 tokens", () => SequenceLayout.Parse(ids, Markers, [new(1, 6, 12)], [], options: options));
    }

    [Fact]
    public void Parse_TFrameVideoOfMultipleOfFour_IsNotMergedIntoFewerFrames() =>
        Assert.Equal(
            new PatchGrid(4, 2, 2),
            Parse([.. User([.. Video(16), 1]), .. Assistant(4)], [], [new(4, 4, 4)]).VisionBlocks[0].Grid
        );

    [Fact]
    public void Parse_RoleWordInTheText_IsTextUnlessTamxIsFollowed()
    {
        int[] ids = [.. User(1, Markers.Assistant!.Value, 2), .. Assistant(3, Markers.User!.Value)];

        var tamx = Parse(ids);
        var tuned = SequenceLayout.Parse(ids, Markers, [], [], options: TamOptions.ForProfile(TamProfile.Tuned));

        Assert.Equal([3, 5], tamx.ContextPositions);
        Assert.Equal([3, 4, 5], tuned.ContextPositions);
        Assert.Single(tamx.AnswerPositions);
        Assert.Equal(2, tuned.AnswerPositions.Count);
    }

    [Fact]
    public void Parse_GeneratedCount_TakesTheLastTokensMarkersIncluded()
    {
        int[] ids = [.. User(1, 2), .. Generated(3, 4, Markers.TurnEnd)];

        var layout = Parse(ids, generatedCount: 3);

        Assert.Equal([ids.Length - 3, ids.Length - 2, ids.Length - 1], layout.AnswerPositions);
        Assert.Equal([3, 4], layout.ContextPositions);
    }

    [Fact]
    public void Parse_PaperProfile_TakesContextAfterTheVisionOnly()
    {
        int[] ids = [.. Turn(Markers.System!.Value, 9), .. User([1, .. Image(4), 2]), .. Assistant(4)];

        var layout = SequenceLayout.Parse(
            ids,
            Markers,
            [new(1, 4, 4)],
            [],
            options: TamOptions.ForProfile(TamProfile.Paper)
        );

        Assert.Equal(2, ids[Assert.Single(layout.ContextPositions)]);
    }

    [Fact]
    public void Parse_NoAnswer_Throws()
    {
        Throws("no turn", () => Parse([1, 2, 3]));
        Throws("role user", () => Parse([.. User(1)]));
        Throws("role user", () => Parse([.. User(1), .. Assistant()]));
        Throws("no text", () => Parse([.. User(1), .. Assistant(Image(4))], [new(1, 4, 4)]));
        Throws("0 generated", () => Parse([.. User(1)], generatedCount: 0));
        Throws("7 generated", () => Parse([.. User(1)], generatedCount: 7));
    }

    [Fact]
    public void Parse_GridsThatDoNotFit_Throws()
    {
        int[] image = [.. User([1, .. Image(6), 2]), .. Assistant(4)];
        int[] video = [.. User([1, .. Video(6), 2, .. Video(6)]), .. Assistant(4)];

        Throws("has no grid", () => Parse(image));
        Throws("holds 6 tokens", () => Parse(image, [new(1, 4, 4)]));
        Throws("multiples", () => Parse(image, [new(1, 5, 4)]));
        Throws("at least 1", () => Parse(image, [new(0, 4, 6)]));
        Throws("within", () => Parse(image, [new(1 << 30, 1 << 10, 1 << 10)]));
        Throws("the sequence uses 1", () => Parse(image, [new(1, 4, 6), new(1, 4, 6)]));
        Throws("has no grid", () => Parse(video));
        Throws("only 2 follow", () => Parse(video, [], [new(3, 4, 6)]));
        Throws("holds 6 tokens", () => Parse(video, [], [new(2, 4, 4)]));
        Throws("row 1 is needed", () => Parse(video, [], [new(1, 4, 6)]));
    }

    [Fact]
    public void Parse_VisionMarkersInAGeneratedAnswer_AreNoBlockButExplained()
    {
        int[] ids = [.. User([.. Image(4), 1]), .. Generated([3, .. Image(2), 4])];

        var layout = Parse(ids, [new(1, 4, 4)], generatedCount: 6);

        Assert.Single(layout.VisionBlocks);
        Assert.Equal(Enumerable.Range(ids.Length - 6, 6), layout.AnswerPositions);
    }

    [Fact]
    public void Parse_VisionStartWithoutEnd_IsNoBlock() =>
        Assert.Empty(Parse([.. User(1), .. Generated(3, Markers.VisionStart, 4)], generatedCount: 3).VisionBlocks);

    private static SequenceLayout Parse(
        int[] ids,
        PatchGrid[]? images = null,
        PatchGrid[]? videos = null,
        int? generatedCount = null
    ) => SequenceLayout.Parse(ids, Markers, images ?? [], videos ?? [], generatedCount);

    private static void Throws(string message, Action action) =>
        Assert.Contains(message, Assert.Throws<InvalidInputException>(action).Message, StringComparison.Ordinal);
}
