using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Tests;

/// <summary>What stands in for pictures and videos when support is measured.</summary>
public sealed class NeutralTests
{
    [Theory]
    [InlineData(NeutralPicture.MeanColor)]
    [InlineData(NeutralPicture.Blurred)]
    [InlineData(NeutralPicture.Shuffled)]
    public void Neutral_PictureAndVideo_KeepSizesAndTimes(NeutralPicture kind)
    {
        var video = VideoPart.FromFrames(TestVideos.Frames(5), new() { FramesPerSecond = 0.5 });
        var picture = TestPictures.Gradient(96, 64);
        ChatTurn[] messages = [new(TurnRole.User, [video, new TextPart("What moves?"), picture])];

        var neutral = PictureEdits.Neutral(messages, kind)[0].Parts;

        var twin = Assert.IsType<VideoPart>(neutral[0]);
        Assert.Equal(video.Seconds, twin.Seconds);
        Assert.Equal(video.Video.FramesPerSecond, twin.Video.FramesPerSecond);
        Assert.Same(messages[0].Parts[1], neutral[1]);
        Assert.NotEqual(picture.Encoded.ToArray(), Assert.IsType<ImagePart>(neutral[2]).Encoded.ToArray());
    }

    [Fact]
    public async Task MeasureAsync_Video_ReadsTheAnswerWithANeutralOne()
    {
        var model = LoadedModels.Get("qwen3vl");
        ChatTurn[] messages =
        [
            new(TurnRole.User, [VideoPart.FromFrames(TestVideos.Frames(4)), new TextPart("What moves?")]),
        ];
        var options = new ExplainOptions
        {
            Completion = new CompletionOptions { MaxNewTokens = 4, CandidateCount = 3 },
        };
        var explanation = await Explainer.ExplainAsync(model, messages, options);

        var supports = await WordSupport.MeasureAsync(model, messages, explanation);

        Assert.NotEmpty(supports);
        Assert.Contains(supports, support => support.PictureGain != 0);
        Assert.All(supports, support => Assert.NotNull(support.Opposition));
    }
}
