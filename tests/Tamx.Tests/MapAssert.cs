using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>Compares the maps of two runs of one answer.</summary>
internal static class MapAssert
{
    /// <summary>The same answer positions and words, and maps of its tokens that are as close as is said.</summary>
    public static void Equal(ActivationMaps expected, ActivationMaps maps, double tolerance)
    {
        Assert.Equal(expected.Layout.AnswerPositions, maps.Layout.AnswerPositions);
        Assert.Equal(expected.Words.Select(word => word.Word.Text), maps.Words.Select(word => word.Word.Text));
        Assert.All(
            expected.Answer.Zip(maps.Answer),
            pair =>
                FloatAssert.Equal(
                    pair.First.Token.VisionMaps[0]!.Values.Span,
                    pair.Second.Token.VisionMaps[0]!.Values.Span,
                    tolerance,
                    "map"
                )
        );
    }
}
