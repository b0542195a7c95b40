using System.Text;
using ImageMagick;
using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Chat;

public sealed class ChatJsonTests
{
    private static readonly string DataUrl =
        "data:image/png;base64," + Convert.ToBase64String(TestPictures.Gradient(32, 32).Encoded.Span);

    [Fact]
    public void Parse_OpenAiMessages_KeepsOrderAndParts()
    {
        var messages = Parse(
            $$"""
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
            """
        );

        Assert.Equal(
            [TurnRole.System, TurnRole.User, TurnRole.Assistant, TurnRole.User],
            messages.Select(message => message.Role)
        );
        Assert.Equal(
            ["TextPart", "ImagePart", "ImagePart", "TextPart"],
            messages[1].Parts.Select(part => part.GetType().Name)
        );
        Assert.Equal(
            TestPictures.Gradient(32, 32).Encoded.ToArray(),
            ((ImagePart)messages[1].Parts[1]).Encoded.ToArray()
        );
        Assert.Equal(
            "<|im_start|>system\nBe brief.<|im_end|>\n"
                + "<|im_start|>user\nWhat is <|vision_start|><|image_pad|><|vision_end|>"
                + "<|vision_start|><|image_pad|><|vision_end|>?<|im_end|>\n"
                + "<|im_start|>assistant\nA gradient.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n",
            new ChatTemplate("unused").Format(messages)
        );
    }

    [Fact]
    public void Parse_ObjectWithMessages_IsTheSame()
    {
        var messages = Parse("""{"model": "x", "messages": [{"role": "user", "content": "Hi"}]}""");
        Assert.Equal("Hi", ((TextPart)Assert.Single(messages[0].Parts)).Text);
    }

    [Fact]
    public void Open_RelativePath_IsRelativeToTheFile()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("a b.png"), TestPictures.Gradient(40, 30).Encoded.ToArray());
        File.WriteAllText(
            folder.File("chat.json"),
            """[{"role": "user", "content": [{"type": "image", "image": "a b.png"}]}]"""
        );

        var picture = (ImagePart)ChatJson.Open(folder.File("chat.json"))[0].Parts[0];
        Assert.Equal("a b.png", picture.Name);
        Assert.Equal(TestPictures.Gradient(40, 30).Encoded.ToArray(), picture.Encoded.ToArray());

        var uri = new Uri(folder.File("a b.png")).AbsoluteUri;
        File.WriteAllText(
            folder.File("chat.json"),
            $$"""[{"role": "user", "content": [{"type": "image", "image": "{{uri}}"}]}]"""
        );
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
    [InlineData(
        """[{"role": "user", "content": "Hi"}, {"role": "user", "content": [{"type": "audio"}]}]""",
        "message 1, part 0 has type \"audio\""
    )]
    [InlineData("""[{"role": "user", "content": [{"text": "Hi"}]}]""", "message 0, part 0 has no type")]
    [InlineData("""[{"role": "user", "content": [{"type": "text"}]}]""", "message 0, part 0 has no text")]
    [InlineData("""[{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]""", "has no image_url.url")]
    [InlineData(
        """[{"role": "user", "content": [{"type": "image", "image": "data:image/png,abc"}]}]""",
        "without ;base64,"
    )]
    [InlineData(
        """[{"role": "user", "content": [{"type": "image", "image": "data:image/png;base64,%%%"}]}]""",
        "no base64"
    )]
    [InlineData("""[{"role": "user", "content": [{"type": "image", "image": "/etc/hostname"}]}]""", "only data URLs")]
    [InlineData(
        """[{"role": "user", "content": [{"type": "image", "image": "file:///etc/hostname"}]}]""",
        "only data URLs"
    )]
    [InlineData(
        """[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]}]""",
        "only data URLs"
    )]
    [InlineData("""[{"role": "user", "content": [{"type": "video"}]}]""", "message 0, part 0 has no video")]
    [InlineData(
        """[{"role": "user", "content": [{"type": "video_url", "video_url": {}}]}]""",
        "message 0, part 0 has no video"
    )]
    [InlineData("""[{"role": "user", "content": [{"type": "video", "video": 5}]}]""", "has no video")]
    [InlineData("""[{"role": "user", "content": [{"type": "video", "video": ""}]}]""", "has no video")]
    [InlineData("""[{"role": "user", "content": [{"type": "video", "video": []}]}]""", "has a list of 0 frames")]
    [InlineData(
        """[{"role": "user", "content": [{"type": "video", "video": [1]}]}]""",
        "has a frame 0 that is no text"
    )]
    [InlineData(
        """[{"role": "user", "content": [{"type": "video", "video": ["a.png"]}]}]""",
        "part 0, frame 0 names a file or address; only data URLs"
    )]
    [InlineData("""[{"role": "user", "content": [{"type": "video", "video": "/tmp/a.mp4"}]}]""", "only data URLs")]
    [InlineData(
        """[{"role": "user", "content": [{"type": "video", "video": "data:image/gif;base64,AAAA"}]}]""",
        "part 0: is no JPEG, PNG, WebP, GIF or BMP"
    )]
    [InlineData(
        """[{"role": "user", "content": [{"type": "video", "video": "data:image/gif;base64,%%%"}]}]""",
        "no base64"
    )]
    [InlineData(
        """[{"role": "user", "content": [{"type": "video", "video": "data:image/gif;base64,AAAA", "fps": "2"}]}]""",
        "has a fps that is no number"
    )]
    public void Parse_BadInput_SaysWhere(string json, string message)
    {
        var exception = Assert.ThrowsAny<InvalidInputException>(() => Parse(json));
        Assert.StartsWith("chat: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_Address_IsNotFetched()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(
            folder.File("chat.json"),
            """[{"role": "user", "content": [{"type": "image", "image": "http://127.0.0.1:9/a.png"}]}]"""
        );
        Assert.Contains(
            "nothing is fetched",
            Assert.Throws<InvalidInputException>(() => ChatJson.Open(folder.File("chat.json"))).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Parse_Video_GifAndListOfPictures()
    {
        var gif =
            "data:image/gif;base64," + Convert.ToBase64String(TestVideos.Animation(MagickFormat.Gif, 50, 50, 50, 50));
        var messages = Parse(
            $$"""
            [{"role": "user", "content": [
                {"type": "video", "video": "{{gif}}", "max_frames": 2},
                {"type": "video_url", "video_url": { "url": "{{gif}}" } },
                {"type": "video", "video": ["{{DataUrl}}", "{{DataUrl}}", "{{DataUrl}}"], "sample_fps": 4},
                {"type": "text", "text": "What moves?"}]}]
            """
        );

        Assert.Equal([0, 1.5], ((VideoPart)messages[0].Parts[0]).Seconds);
        Assert.Equal([0, 0.5, 1, 1.5], ((VideoPart)messages[0].Parts[1]).Seconds);
        Assert.Equal([0, 0.25, 0.5], ((VideoPart)messages[0].Parts[2]).Seconds);
        Assert.Equal("chat: message 0, part 0", ((VideoPart)messages[0].Parts[0]).Name);
    }

    [Fact]
    public void Open_VideoOfLocalFiles_FolderListAndAnimation()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("frames"));
        foreach (var index in Enumerable.Range(0, 3))
        {
            File.WriteAllBytes(folder.File($"frames/{index}.png"), TestVideos.Frame(index).Encoded.ToArray());
        }

        File.WriteAllBytes(folder.File("a.webp"), TestVideos.Animation(MagickFormat.WebP, 50, 50));
        File.WriteAllText(
            folder.File("chat.json"),
            """
            [{"role": "user", "content": [
                {"type": "video", "video": "frames", "fps": 1},
                {"type": "video", "video": ["frames/2.png", "frames/0.png"]},
                {"type": "video", "video": "a.webp"}]}]
            """
        );
        var videos = ChatJson.Open(folder.File("chat.json"))[0].Parts.Cast<VideoPart>().ToArray();
        Assert.Equal([0, 1, 2], videos[0].Seconds);
        Assert.Equal(["2.png", "0.png"], videos[1].Video.Source.Read(default).Select(frame => frame.Encoded!.Name));
        Assert.Equal("a.webp", videos[2].Name);

        File.WriteAllText(
            folder.File("chat.json"),
            """[{"role": "user", "content": [{"type": "video", "video": "https://example.org/a.mp4"}]}]"""
        );
        Assert.Contains(
            "nothing is fetched",
            Assert.Throws<InvalidInputException>(() => ChatJson.Open(folder.File("chat.json"))).Message,
            StringComparison.Ordinal
        );
    }

    private static IReadOnlyList<ChatTurn> Parse(string json) =>
        ChatJson.Parse(Encoding.UTF8.GetBytes(json), "chat", null);
}
