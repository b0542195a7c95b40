using System.Text;
using System.Text.Json;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;
using Tamx.Testing;
using Tamx.Web.Requests;
using Tamx.Web.Wire;

namespace Tamx.Web.Tests;

/// <summary>The shapes of messages as the server reads them; those of the command line are the same.</summary>
public sealed class MessageResolverTests
{
    private static readonly byte[] Picture = TestPictures.Gradient(40, 56).Encoded.ToArray();
    private static readonly string Base64 = Convert.ToBase64String(Picture);

    [Fact]
    public void Read_OllamasImages_StandBeforeTheContent()
    {
        var reader = Reader();
        var message = Read(
            reader,
            new
            {
                role = "user",
                content = "Which?",
                images = new[] { Base64 },
            }
        );
        Assert.Equal([null, "Which?"], message.Parts.Select(part => (part as ParsedText)?.Text));
        Assert.Equal(Picture, Assert.Single(reader.Files).ToArray());
    }

    [Theory]
    [InlineData("url", "data:image/png;base64,")]
    [InlineData("base64", "")]
    [InlineData("image_url", "  data:image/png;base64,\n")]
    [InlineData("image", "")]
    public void Read_PictureUnderAnyOfItsNames_IsRead(string name, string head)
    {
        var reader = Reader();
        var source = head + Base64.Replace('+', '-').TrimEnd('=');
        Read(reader, Content(new Dictionary<string, object> { ["type"] = "image", [name] = source }));
        Assert.Equal(Picture, Assert.Single(reader.Files).ToArray());
    }

    [Fact]
    public void Read_BoundsAndSampling_GoToTheWorker()
    {
        var picture = Read(
            Reader(),
            Content(
                new
                {
                    type = "image",
                    image = Base64,
                    max_pixels = 4096,
                }
            )
        ).Parts[0];
        var arrived = Assert.IsType<ParsedPicture>(WireJson.Read<ParsedPart>(WireJson.Bytes(picture)));
        Assert.Equal(new ParsedPicture(new("picture 1", "0"), new PixelBounds { MaxPixels = 4096 }), arrived);
        var asked = new
        {
            type = "video",
            video = "data:video/mp4;base64,AAAA",
            nframes = 6,
            video_end = 2,
        };
        var video = Read(Reader(), Content(asked)).Parts[0];
        Assert.Equal(
            new VideoSampling
            {
                FrameCount = 6,
                MaxFrames = 6,
                EndSeconds = 2,
            },
            Assert.IsType<ParsedVideo>(WireJson.Read<ParsedPart>(WireJson.Bytes(video))).Sampling
        );
    }

    [Fact]
    public void Read_FramesInADataUrl_AreCountedAndKept()
    {
        var part = Read(Reader(), FrameList($"{Base64},{Base64}")).Parts[0];
        Assert.True(part is ParsedVideo { IsFrameList: true, Sources.Count: 2 });
        var many = string.Join(',', Enumerable.Repeat(Base64, 65));
        Assert.Equal("too_many_frames", Refusal(FrameList(many)).Code);
        Assert.Equal("invalid_messages", Refusal(FrameList(new string(',', 20_000_000))).Code);

        static object FrameList(string frames) =>
            Content(new { type = "video", video = $"data:video/jpeg;base64,{frames}" });
    }

    [Theory]
    [InlineData("""{"role": "user", "content": "x", "pictures": []}""", null, null)]
    [InlineData(
        """{"role": "user", "content": "x", "pictures": ["a"]}""",
        "invalid_messages",
        "message 0 has \"pictures\""
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "text", "text": "x", "style": 1}]}""",
        "invalid_messages",
        "message 0, part 0 has \"style\""
    )]
    [InlineData("""{"role": "user", "content": "a\u0000b"}""", "invalid_messages", "zero character")]
    [InlineData(
        """{"role": "user", "content": "x", "images": ["/etc/passwd"]}""",
        "source_refused",
        "message 0, image 0 names a file"
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "image", "path": "scene.jpg"}]}""",
        "source_refused",
        "names a file"
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "image", "url": "file:///etc/passwd"}]}""",
        "source_refused",
        "names a file"
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "video", "path": "/etc/passwd"}]}""",
        "source_refused",
        "names a file"
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "image", "base64": "/etc/pass.wd"}]}""",
        "invalid_messages",
        "no base64"
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "video", "video": "data:video/mp4;base64,AAAA", "nframes": 80}]}""",
        "invalid_value",
        "nframes"
    )]
    public void Read_NameOrSourceWithoutMeaning_IsRefused(string message, string? code, string? text)
    {
        var refusal = Record.Exception(() => Read(Reader(), Encoding.UTF8.GetBytes($"[{message}]"))) as ApiException;
        Assert.Equal(code, refusal?.Code);
        Assert.Contains(text ?? "", refusal?.Message ?? "", StringComparison.Ordinal);
    }

    private static MessageResolver Reader() =>
        new(new RequestLimits(), new Dictionary<string, Upload>()) { Sampling = new VideoSampling { MaxFrames = 64 } };

    private static object Content(object part) => new { role = "user", content = new[] { part } };

    private static ParsedMessage Read(MessageResolver reader, object message) =>
        Read(reader, JsonSerializer.SerializeToUtf8Bytes(new[] { message }));

    private static ParsedMessage Read(MessageResolver reader, byte[] messages)
    {
        using var json = JsonDocument.Parse(messages);
        return reader.Read(json.RootElement)[0];
    }

    private static ApiException Refusal(object message) => Assert.Throws<ApiException>(() => Read(Reader(), message));
}
