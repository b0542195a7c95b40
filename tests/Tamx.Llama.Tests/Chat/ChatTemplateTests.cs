using Tamx.Llama.Chat;

namespace Tamx.Llama.Tests.Chat;

/// <summary>Prompts equal what the published chat templates of the Qwen-VL models give.</summary>
public sealed class ChatTemplateTests
{
    private const string DefaultSystem = "You are a helpful assistant.";

    [Fact]
    public void Format_UserWithPicture_Qwen3Vl()
    {
        var text = new ChatTemplate(null).Format([new(ChatRole.User, [new ImagePart(default, "a.png"), new TextPart("Describe this image.")])]);
        Assert.Equal("<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>Describe this image.<|im_end|>\n<|im_start|>assistant\n", text);
    }

    [Fact]
    public void Format_NoSystemMessage_Qwen25VlPutsItsOwn()
    {
        var text = new ChatTemplate(DefaultSystem).Format([new(ChatRole.User, "Hi")]);
        Assert.Equal("<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", text);
    }

    [Fact]
    public void Format_SystemAndSeveralTurns_KeepsTheirOrder()
    {
        var text = new ChatTemplate(DefaultSystem).Format(
        [
            new(ChatRole.System, "Be brief."),
            new(ChatRole.User, [new TextPart("A "), new ImagePart(default, "a.png"), new TextPart(" B")]),
            new(ChatRole.Assistant, "Yes."),
            new(ChatRole.User, [new ImagePart(default, "b.png"), new ImagePart(default, "c.png")]),
        ]);
        Assert.Equal(
            "<|im_start|>system\nBe brief.<|im_end|>\n" +
            "<|im_start|>user\nA <|vision_start|><|image_pad|><|vision_end|> B<|im_end|>\n" +
            "<|im_start|>assistant\nYes.<|im_end|>\n" +
            "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|><|vision_start|><|image_pad|><|vision_end|><|im_end|>\n" +
            "<|im_start|>assistant\n",
            text);
    }

    [Fact]
    public void Format_NoMessages_Throws() => Assert.Throws<InvalidInputException>(() => new ChatTemplate(null).Format([]));

    [Theory]
    [InlineData("qwen3vl", null)]
    [InlineData("qwen2.5vl", DefaultSystem)]
    public void For_ModelsOwnTemplate_GivesItsDefaultSystem(string name, string? expected)
    {
        var text = LoadedModels.Get(LoadedModels.Files(name)).Template.Format([new(ChatRole.User, "Hi")]);
        Assert.Equal(expected is not null, text.StartsWith($"<|im_start|>system\n{expected}<|im_end|>\n", StringComparison.Ordinal));
    }
}
