using System.Text;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Chat;

public sealed class ChatJsonTests
{
    private static readonly string DataUrl = "data:image/png;base64," + Convert.ToBase64String(TestPictures.Gradient(32, 32).Encoded.Span);

    [Fact]
    public void Parse_OpenAiMessages_KeepsOrderAndParts()
    {
        var messages = Parse($$"""
            [
              {"role": "system", "content": "Be brief."},
              {"role": "user", "content": [
                {"type": "text", "text": "What is "},
                {"type": "image_url", "image_url": { "url": "{{DataUrl}}" } },
                {"type": "image", "image": "{{DataUrl}}"},
                {"type": "text", "text": "?"}]},
              {"role": "assistant", "content": "A gradient."},
              {"role": "user", "content": "Why?"}
            ]
            """);

        Assert.Equal([ChatRole.System, ChatRole.User, ChatRole.Assistant, ChatRole.User], messages.Select(message => message.Role));
        Assert.Equal(
            ["TextPart", "ImagePart", "ImagePart", "TextPart"], messages[1].Parts.Select(part => part.GetType().Name));
        Assert.Equal(TestPictures.Gradient(32, 32).Encoded.ToArray(), ((ImagePart)messages[1].Parts[1]).Encoded.ToArray());
        Assert.Equal(
            "<|im_start|>system\nBe brief.<|im_end|>\n" +
            "<|im_start|>user\nWhat is <|vision_start|><|image_pad|><|vision_end|><|vision_start|><|image_pad|><|vision_end|>?<|im_end|>\n" +
            "<|im_start|>assistant\nA gradient.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n",
            new ChatTemplate("unused").Format(messages));
    }

    [Fact]
    public void Parse_ObjectWithMessages_IsTheSame() =>
        Assert.Equal("Hi", ((TextPart)Assert.Single(Parse("""{"model": "x", "messages": [{"role": "user", "content": "Hi"}]}""")[0].Parts)).Text);

    [Fact]
    public void Open_RelativePath_IsRelativeToTheFile()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("a b.png"), TestPictures.Gradient(40, 30).Encoded.ToArray());
        File.WriteAllText(folder.File("chat.json"), """[{"role": "user", "content": [{"type": "image", "image": "a b.png"}]}]""");

        var picture = (ImagePart)ChatJson.Open(folder.File("chat.json"))[0].Parts[0];
        Assert.Equal("a b.png", picture.Name);
        Assert.Equal(TestPictures.Gradient(40, 30).Encoded.ToArray(), picture.Encoded.ToArray());

        var uri = new Uri(folder.File("a b.png")).AbsoluteUri;
        File.WriteAllText(folder.File("chat.json"), $$"""[{"role": "user", "content": [{"type": "image", "image": "{{uri}}"}]}]""");
        Assert.Equal("a b.png", ((ImagePart)ChatJson.Open(folder.File("chat.json"))[0].Parts[0]).Name);
    }

    [Theory]
    [InlineData("", "is no JSON")]
    [InlineData("[", "is no JSON (line 1")]
    [InlineData("{}", "is no list of messages")]
    [InlineData("[]", "is no list of messages")]
    [InlineData("[1]", "message 0 is no object")]
    [InlineData("""[{"content": "Hi"}]""", "message 0 has no role")]
    [InlineData("""[{"role": "tool", "content": "Hi"}]""", "message 0 has role \"tool\"")]
    [InlineData("""[{"role": "user"}]""", "message 0 has no content")]
    [InlineData("""[{"role": "user", "content": "Hi"}, {"role": "user", "content": [{"type": "audio"}]}]""", "message 1, part 0 has type \"audio\"")]
    [InlineData("""[{"role": "user", "content": [{"text": "Hi"}]}]""", "message 0, part 0 has no type")]
    [InlineData("""[{"role": "user", "content": [{"type": "text"}]}]""", "message 0, part 0 has no text")]
    [InlineData("""[{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]""", "has no image_url.url")]
    [InlineData("""[{"role": "user", "content": [{"type": "image", "image": "data:image/png,abc"}]}]""", "without ;base64,")]
    [InlineData("""[{"role": "user", "content": [{"type": "image", "image": "data:image/png;base64,%%%"}]}]""", "no base64")]
    [InlineData("""[{"role": "user", "content": [{"type": "image", "image": "/etc/hostname"}]}]""", "only data URLs")]
    [InlineData("""[{"role": "user", "content": [{"type": "image", "image": "file:///etc/hostname"}]}]""", "only data URLs")]
    [InlineData("""[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]}]""", "only data URLs")]
    public void Parse_BadInput_SaysWhere(string json, string message)
    {
        var exception = Assert.Throws<InvalidInputException>(() => Parse(json));
        Assert.StartsWith("chat: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_Address_IsNotFetched()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("chat.json"), """[{"role": "user", "content": [{"type": "image", "image": "http://127.0.0.1:9/a.png"}]}]""");
        Assert.Contains(
            "nothing is fetched", Assert.Throws<InvalidInputException>(() => ChatJson.Open(folder.File("chat.json"))).Message, StringComparison.Ordinal);
    }

    private static IReadOnlyList<ChatMessage> Parse(string json) => ChatJson.Parse(Encoding.UTF8.GetBytes(json), "chat", null);
}
