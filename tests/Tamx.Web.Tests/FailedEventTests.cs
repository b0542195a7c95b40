using Tamx.Llama;
using Tamx.Llama.Media;
using Tamx.Web.Requests;
using Tamx.Web.Wire;

namespace Tamx.Web.Tests;

/// <summary>What a worker refuses, in the words of whoever asked.</summary>
public sealed class FailedEventTests
{
    private static readonly Setting Tokens = new(nameof(CompletionOptions.MaxNewTokens));
    private static readonly Setting Frames = new(nameof(VideoSampling.MaxFrames));
    private static readonly Setting Kernel = new(nameof(TamOptions.KernelSize));
    private static readonly Setting Port = new(nameof(ServerOptions.Port));

    [Fact]
    public void Message_ThroughThePipe_NamesItsSettingsInTheWordsOfTheCaller()
    {
        var refusal = InvalidInputException.Naming($"{{a}} has {1.5} tokens: {Tokens}, {Frames}, {Kernel}; {Port}");
        var arrived = WireJson.Read<FailedEvent>(WireJson.Bytes(FailedEvent.Of(400, "invalid_input", refusal)));
        Assert.Equal((400, "invalid_input"), (arrived.Status, arrived.Code));
        Assert.Equal(refusal.Message, arrived.ToException().Message);
        Assert.Equal(
            "{a} has 1.5 tokens: maxTokens, maxFrames, kernelSize; Port",
            arrived.ToException().Describe(FieldNames.Explain.NameOf)
        );
        Assert.Equal(
            "{a} has 1.5 tokens: max_tokens, maxFrames, kernelSize; Port",
            arrived.ToException().Describe(FieldNames.Chat.NameOf)
        );
    }

    [Fact]
    public void Message_WithoutSettings_StaysAsItIs()
    {
        var arrived = FailedEvent.Of(400, "invalid_image", new InvalidInputException("a {0} picture"));
        Assert.Equal("a {0} picture", arrived.ToException().Message);
    }
}
