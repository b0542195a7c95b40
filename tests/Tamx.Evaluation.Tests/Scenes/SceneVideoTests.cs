using Tamx.Evaluation.Scenes;

namespace Tamx.Evaluation.Tests.Scenes;

public sealed class SceneVideoTests
{
    [Fact]
    public void Generate_EveryVideo_OnlyTheNamedObjectMovesAsTold()
    {
        HashSet<string> ways = [];
        for (var i = 0; i < 30; i++)
        {
            var video = SceneVideo.Generate(4, i);
            Assert.Equal(4, video.Frames.Count);
            (var x0, var y0) = CenterOf(video, 0, 1);
            (var x1, var y1) = CenterOf(video, 3, 1);
            var way = (Math.Round((x1 - x0) / 96), Math.Round((y1 - y0) / 96)) switch
            {
                (1, 0) => "right",
                (-1, 0) => "left",
                (0, 1) => "down",
                (0, -1) => "up",
                _ => "nowhere",
            };
            ways.Add(way);
            Assert.Equal(
                $"The {video.Objects[0].Adjective} {video.Objects[0].Noun} moves {way}.",
                video.Question.Answer
            );
            Assert.All(
                video.Objects.Skip(1),
                other => Assert.Equal(CenterOf(video, 0, other.Id + 1), CenterOf(video, 3, other.Id + 1))
            );
        }

        Assert.Equal(4, ways.Count);
    }

    [Fact]
    public void Generate_WhereNothingStands_FramesAreAlike()
    {
        var video = SceneVideo.Generate(4, 1);
        Assert.NotEqual(video.Frames[0], video.Frames[3]);
        var same = 0;
        for (var i = 0; i < video.Labels[0].Length; i++)
        {
            // The edge of an object, where it covers less than half a pixel, bears no label.
            same += video.Frames[0].AsSpan(i * 3, 3).SequenceEqual(video.Frames[3].AsSpan(i * 3, 3)) ? 1 : 0;
        }

        var moved = video.Labels[0].Zip(video.Labels[3]).Count(pair => pair.First != pair.Second);
        Assert.InRange(video.Labels[0].Length - same, moved / 2, moved * 2);
    }

    [Theory]
    [InlineData(1, 384)]
    [InlineData(65, 384)]
    [InlineData(4, 100)]
    public void Generate_ArgumentOutsideItsLimits_Throws(int frames, int size) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => SceneVideo.Generate(1, 0, frames, size));

    private static (double X, double Y) CenterOf(SceneVideo video, int frame, int label)
    {
        (int Y, int X)[] places =
        [
            .. video
                .Labels[frame]
                .Index()
                .Where(pair => pair.Item == label)
                .Select(pair => Math.DivRem(pair.Index, video.Size)),
        ];
        return (places.Average(place => place.X), places.Average(place => place.Y));
    }
}
