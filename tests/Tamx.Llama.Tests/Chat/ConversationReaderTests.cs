using System.Text;
using System.Text.Json;
using ImageMagick;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;
using Tamx.Testing;

namespace Tamx.Llama.Tests.Chat;

/// <summary>
/// The shapes that other programs write, which the command line and the server read by the same code.
/// </summary>
public sealed class ConversationReaderTests
{
    private static readonly byte[] Picture = TestPictures.Gradient(48, 40).Encoded.ToArray();
    private static readonly string Base64 = Convert.ToBase64String(Picture);

    /// <summary>In each, BASE64 stands for a picture's base64.</summary>
    [Theory]
    [InlineData("image", "data:image/png;base64,BASE64")]
    [InlineData("image", "  data:image\\/png;base64,BASE64")]
    [InlineData("image", "DATA:image/png;BASE64,BASE64\\n\\r\\t ")]
    [InlineData("image", "data:image/png;base64,%20BASE64%0a")]
    [InlineData("image", "data:image/png;base64,BASE64====")]
    [InlineData("image", "data:image/png;base64,BASE64!")]
    [InlineData("image", "data:image/png;base64,BASE64\\u0041")]
    [InlineData("image", "data:image/png;base64,BASE64\\u00e4")]
    [InlineData("image", "data:image/png;base64,BASE64%4")]
    [InlineData("image", "data:image/png;base64,BASE64%g0")]
    [InlineData("image", "data:image/png;base64,")]
    [InlineData("image", "data:image/png,BASE64")]
    [InlineData("image", "BASE64")]
    [InlineData("base64", "BASE64")]
    [InlineData("base64", "AAAA")]
    [InlineData("base64", "A")]
    [InlineData("video", "data:video/jpeg;base64,BASE64,BASE64")]
    [InlineData("video", "data:video/jpeg;base64,BASE64,%%,,BASE64")]
    [InlineData("image", "data:video/jpeg;base64,BASE64,BASE64")]
    public void Read_SourceThatWasTakenOut_IsWhatItWas(string name, string text)
    {
        string[] spellings = [Base64, Base64.Replace("/", "\\/", StringComparison.Ordinal), UrlSafe(Base64)];
        foreach (var spelling in spellings)
        {
            var inside = text.Replace("BASE64", spelling, StringComparison.Ordinal);
            inside = inside.Replace($";{spelling},", ";BASE64,", StringComparison.Ordinal);
            var type = name == "video" ? "video" : "image";
            Assert.Equal(
                Outcome(new ConversationReader(), $$$"""{"type":"{{{type}}}","{{{name}}}":"{{{inside}}}"}"""),
                Outcome(
                    new ConversationReader { Media = [Encoding.UTF8.GetBytes(inside)] },
                    $$$"""{"type":"{{{type}}}","{{{name}}}":"{{{Encoding.ASCII.GetString(ConversationReader.PlaceOf(0))}}}"}"""
                )
            );
        }

        static string UrlSafe(string base64) => base64.Replace('+', '-').Replace('/', '_').TrimEnd('=');

        static string Outcome(ConversationReader reader, string part)
        {
            using var json = JsonDocument.Parse($$$"""[{"role":"user","content":[{{{part}}}]}]""");
            try
            {
                var sources = reader.Read(json.RootElement)[0].Parts[0] switch
                {
                    ParsedPicture picture => [picture.Source],
                    ParsedVideo video => video.Sources,
                    _ => [],
                };
                return string.Join(
                    '|',
                    sources.Select(source => source.Place + ":" + Convert.ToHexString(source.Decode() ?? []))
                );
            }
            catch (InvalidInputException e)
            {
                return e.Message;
            }
        }
    }

    [Theory]
    [InlineData("\\u00001")]
    [InlineData("\\u0000-1")]
    [InlineData("\\u0000x")]
    public void Read_NumberThatIsNoSources_IsAName(string text)
    {
        using var json = JsonDocument.Parse(
            $$$"""[{"role":"user","content":[{"type":"image","image":"{{{text}}}"}]}]"""
        );
        var reader = new ConversationReader { Media = ["AAAA"u8.ToArray()] };
        var picture = Assert.IsType<ParsedPicture>(reader.Read(json.RootElement)[0].Parts[0]);
        Assert.Null(picture.Source.Decode());
    }

    [Fact]
    public void Parse_OllamasImages_StandBeforeTheContent()
    {
        var parts = Parse(
            new
            {
                role = "user",
                content = "Which?",
                images = new[] { Base64, "data:image/png;base64," + Base64 },
            }
        );
        Assert.Equal(Picture, ((ImagePart)parts[0]).Encoded.ToArray());
        Assert.Equal(Picture, ((ImagePart)parts[1]).Encoded.ToArray());
        Assert.Equal("Which?", ((TextPart)parts[2]).Text);
        Assert.IsType<ImagePart>(Assert.Single(Parse(new { role = "user", images = new[] { Base64 } })));
    }

    [Fact]
    public void Parse_AssistantsTurnWithContentNull_IsAnEmptyText()
    {
        var turn = new
        {
            role = "assistant",
            content = (string?)null,
            tool_calls = Array.Empty<int>(),
        };
        Assert.Equal("", Assert.IsType<TextPart>(Assert.Single(Parse(turn))).Text);
        Assert.Throws<InvalidInputException>(() => Parse(new { role = "user", content = (string?)null }));
        Assert.Throws<InvalidInputException>(() => Parse(new { role = "assistant" }));
    }

    [Theory]
    [InlineData("url", "data:image/png;base64,{0}")]
    [InlineData("base64", "{0}")]
    [InlineData("base64", "data:image/png;base64,{0}")]
    [InlineData("image", "{0}")]
    [InlineData("image", " \n data:image/png;base64,{0}\n")]
    [InlineData("image", "DATA:image/png;charset=utf-8;BASE64,{0}")]
    [InlineData("image_url", "data:image/png;base64,{0}")]
    public void Parse_PictureUnderAnyOfItsNames_IsRead(string name, string format) =>
        AssertPicture(
            new Dictionary<string, object> { ["type"] = "image", [name] = string.Format(null, format, Base64) }
        );

    [Fact]
    public void Parse_Base64InItsVariants_IsRead()
    {
        var wrapped = string.Join("\r\n", Base64.Chunk(76).Select(line => new string(line)));
        var urlSafe = Base64.Replace('+', '-').Replace('/', '_').TrimEnd('=');
        foreach (var text in (string[])[wrapped, urlSafe, Uri.EscapeDataString(Base64)])
        {
            AssertPicture(new { type = "image_url", image_url = new { url = "data:image/png;base64," + text } });
            AssertPicture(new { type = "image_url", image_url = new { url = text } });
        }
    }

    [Fact]
    public void Parse_Bounds_AreThePictures()
    {
        var part = (ImagePart)
            Parse(
                Content(
                    new
                    {
                        type = "image",
                        image = Base64,
                        min_pixels = 1024,
                        max_pixels = 50176,
                    }
                )
            )[0];
        Assert.Equal(new PixelBounds { MinPixels = 1024, MaxPixels = 50176 }, part.Bounds);
        part = (ImagePart)
            Parse(
                Content(
                    new
                    {
                        type = "image",
                        image = Base64,
                        resized_height = 64,
                        resized_width = 96,
                    }
                )
            )[0];
        Assert.Equal(new PixelBounds { Width = 96, Height = 64 }, part.Bounds);
        part = (ImagePart)
            Parse(Content(new { type = "image_url", image_url = new { url = Base64, detail = "low" } }))[0];
        Assert.Equal(new PixelBounds { MaxPixels = 512 * 512 }, part.Bounds);
        part = (ImagePart)
            Parse(Content(new { type = "image_url", image_url = new { url = Base64, detail = "auto" } }))[0];
        Assert.Null(part.Bounds);
    }

    [Fact]
    public void Parse_Developer_IsSystem() =>
        Assert.Equal(
            TurnRole.System,
            ChatJson.Parse("""[{"role": "developer", "content": "Be kind."}]"""u8.ToArray(), "chat", null)[0].Role
        );

    [Fact]
    public void Parse_FramesInADataUrl_AreAVideo()
    {
        var frames = string.Join(',', TestVideos.Frames(3).Select(frame => Convert.ToBase64String(frame.Encoded.Span)));
        var url = "data:video/jpeg;base64," + frames;
        var video = (VideoPart)
            Parse(
                Content(
                    new
                    {
                        type = "video_url",
                        video_url = new { url },
                        fps = 4,
                    }
                )
            )[0];
        Assert.Equal([0, 0.25, 0.5], video.Seconds);
    }

    [Fact]
    public void Parse_AnimationWithANumberAndARange_TakesThose()
    {
        var gif =
            "data:image/gif;base64,"
            + Convert.ToBase64String(TestVideos.Animation(MagickFormat.Gif, [.. Enumerable.Repeat(50, 8)]));
        var video = (VideoPart)
            Parse(
                Content(
                    new
                    {
                        type = "video",
                        video = gif,
                        nframes = 2,
                        video_start = 1,
                        video_end = 2.6,
                    }
                )
            )[0];
        Assert.Equal([1, 2.5], video.Seconds);
        video = (VideoPart)
            Parse(
                Content(
                    new
                    {
                        type = "video",
                        video = gif,
                        min_frames = 6,
                        fps = 0.5,
                        total_pixels = 90_000,
                    }
                )
            )[0];
        Assert.Equal(6, video.Seconds.Count);
        Assert.Equal(new PixelBounds { TotalPixels = 90_000 }, video.Bounds);
    }

    [Fact]
    public void Parse_Mp4InADataUrl_IsReadAndLeavesNoFile()
    {
        using var folder = new TemporaryFolder();
        TestVideos.Write(folder.File("a.mp4"), 1);
        var url = "data:video/mp4;base64," + Convert.ToBase64String(File.ReadAllBytes(folder.File("a.mp4")));
        var video = (VideoPart)Parse(Content(new { type = "video_url", video_url = new { url } }))[0];
        Assert.Equal(4, video.Seconds.Count);
        Assert.Equal(4, video.Video.Source.Read(default).Count());

        var message = Refusal(Content(new { type = "video", base64 = Convert.ToBase64String(new byte[300]) }));
        Assert.StartsWith(
            "chat: message 0, part 0: is no video that ffmpeg can decode",
            message,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(Path.GetTempPath(), message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        """{"role": "user", "content": "x", "imges": ["a"]}""",
        "message 0 has \"imges\", a name that means nothing here"
    )]
    [InlineData("""{"role": "user", "content": "x", "tool_calls": [{}]}""", "message 0 has \"tool_calls\"")]
    [InlineData("""{"role": "user", "role": "system", "content": "x"}""", "message 0 has \"role\" twice")]
    [InlineData("""{"role": "user", "content": "x", "images": "a"}""", "message 0 has images that are no list")]
    [InlineData("""{"role": "user", "content": "x", "images": [{}]}""", "message 0, image 0 of images is no text")]
    [InlineData(
        """{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {}}]}""",
        "message 0, part 0 has \"cache_control\""
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "image"}]}""",
        "has no image; give it as image, image_url, url, path or base64"
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "image", "image": "a.png", "url": "b.png"}]}""",
        "has both image and url"
    )]
    [InlineData("""{"role": "user", "content": [{"type": "image", "image": 5}]}""", "must be a text, not a number")]
    [InlineData(
        """{"role": "user", "content": [{"type": "image", "image": "a.png", "fps": 2}]}""",
        "has \"fps\", a name"
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "a.png", "size": 2}}]}""",
        "image_url has \"size\""
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "a.png", "detail": "most"}}]}""",
        "has a detail that"
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "image", "image": "a.png", "max_pixels": 0}]}""",
        "has a max_pixels that"
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "image", "image": "a.png", "max_pixels": "9216"}]}""",
        "has a max_pixels that is no number"
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "image", "image": "a.png", "min_pixels": 9, "max_pixels": 8}]}""",
        "min_pixels 9 above max_pixels 8"
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "image", "image": "a.png", "resized_width": 96}]}""",
        "give both"
    )]
    [InlineData(
        """
            {"role": "user", "content": [{"type": "image", "image": "a.png", "resized_width": 1e9, "resized_height": 1}]}
            """,
        "resized_width that"
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "image", "base64": "%%%"}]}""",
        "has a base64 that is no base64"
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "video", "video": ["a.png"], "nframes": 4}]}""",
        "has nframes beside a list of frames"
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "video", "video": "a.gif", "nframes": 4, "fps": 1}]}""",
        "has nframes beside fps"
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "video", "video": "a.gif", "video_start": 4, "video_end": 1}]}""",
        "has a video_start"
    )]
    [InlineData(
        """{"role": "user", "content": [{"type": "video", "video": "a.gif", "min_frames": 9, "max_frames": 8}]}""",
        "min_frames 9 above"
    )]
    public void Parse_NameOrValueWithoutMeaning_IsNamed(string message, string expected) =>
        Assert.Contains(expected, Refusal(Encoding.UTF8.GetBytes(message)), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"role": "assistant", "content": "x", "reasoning_content": "why\n"}""", "why\n", "x")]
    [InlineData("""{"role": "assistant", "thinking": "why", "content": [{"type": "text", "text": "x"}]}""", "why", "x")]
    [InlineData("""{"role": "assistant", "reasoning": "", "content": "x"}""", "", "x")]
    [InlineData("""{"role": "assistant", "reasoning_content": "why", "content": null}""", "why", "")]
    [InlineData("""{"role": "assistant", "reasoning_content": "why"}""", "why", "")]
    [InlineData(
        """{"role": "assistant", "reasoning_content": null, "content": "<think>a</think>x"}""",
        null,
        "<think>a</think>x"
    )]
    public void Parse_ThoughtOfAnAssistant_IsApart(string message, string? thought, string content)
    {
        var read = ChatJson.Parse(Encoding.UTF8.GetBytes($"[{message}]"), "chat", null)[0];

        Assert.Equal(thought, read.Thought);
        Assert.Equal(content, string.Concat(read.Parts.Cast<TextPart>().Select(part => part.Text)));
    }

    [Theory]
    [InlineData("""{"role": "user", "content": "x", "thinking": "why"}""", "has thinking, which only an assistant's")]
    [InlineData("""{"role": "system", "content": "x", "reasoning": "y"}""", "has reasoning, which only an assistant's")]
    [InlineData("""{"role": "assistant", "content": "x", "reasoning": 1}""", "has a reasoning that is no text")]
    [InlineData("""{"role": "assistant", "reasoning_content": "a\u0000b"}""", "zero character")]
    [InlineData(
        """{"role": "assistant", "content": "x", "reasoning": "a", "reasoning_content": "a"}""",
        "has both reasoning_content and reasoning"
    )]
    [InlineData("""{"role": "assistant", "reasoning_content": null}""", "has no content")]
    public void Parse_ThoughtThatCannotBe_IsNamed(string message, string expected) =>
        Assert.Contains(expected, Refusal(Encoding.UTF8.GetBytes(message)), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"role": "assistant", "content": "x", "refusal": null, "annotations": [], "tool_calls": null}""")]
    [InlineData("""{"role": "user", "content": "x", "images": null}""")]
    public void Parse_NamesThatSayNothing_ArePassedOver(string message) =>
        Assert.Equal("x", ((TextPart)Assert.Single(Parse(Encoding.UTF8.GetBytes(message)))).Text);

    [Fact]
    public void Open_LongTextThatIsNoPicture_IsRefusedWithoutRepeatingIt()
    {
        using var folder = new TemporaryFolder();
        string[] texts =
        [
            "AAAAGGZ0eXBoZWlj" + new string('Q', 80_000),
            "data:image/png;base64," + new string('!', 80_000),
            new string('x', 300) + "\n",
        ];
        foreach (var text in texts)
        {
            object[] parts =
            [
                new { type = "image", image = text },
                new { type = "video", video = text },
                new { type = text },
            ];
            foreach (var part in parts)
            {
                File.WriteAllText(
                    folder.File("chat.json"),
                    JsonSerializer.Serialize(new[] { new { role = "user", content = new[] { part } } })
                );
                var message = Assert
                    .ThrowsAny<InvalidInputException>(() => ChatJson.Open(folder.File("chat.json")))
                    .Message;
                Assert.InRange(message.Length, 20, folder.File("chat.json").Length + 250);
                Assert.Contains("message 0, part 0", message, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("50% of it.png", "file://{0}/50% of it.png")]
    [InlineData("50% of it.png", "file://localhost{0}/50%25%20of%20it.png")]
    [InlineData("a#b?c.png", "FILE://{0}/a#b?c.png")]
    [InlineData("a#b?c.png", "file:{0}/a%23b%3fc.png")]
    [InlineData("a.png", "file://{0}/a.png?size=large#top")]
    [InlineData("a b.png", "file://LOCALHOST{0}/a%20b.png#top")]
    [InlineData("a%20b.png", "file://{0}/a%20b.png")]
    public void Open_FileUrl_FindsTheFile(string file, string url)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File(file), Picture);
        Assert.Equal(file, ((ImagePart)Open(folder, string.Format(null, url, folder.Path))[0].Parts[0]).Name);
    }

    [Theory]
    [InlineData("file://server/share/a.png", "names a file of another machine")]
    [InlineData("file://a.png", "names a file of another machine")]
    [InlineData("file:a.png", "has a file URL without a path")]
    [InlineData("file:///a%00.png", "names a file with a zero byte")]
    [InlineData("ftp://localhost/a.png", "names an address; nothing is fetched from a network")]
    public void Open_UrlOfNoLocalFile_IsRefused(string url, string message)
    {
        using var folder = new TemporaryFolder();
        Assert.Contains(
            $"message 0, part 0 {message}",
            Assert.Throws<InvalidInputException>(() => Open(folder, url)).Message,
            StringComparison.Ordinal
        );
    }

    private static IReadOnlyList<ChatTurn> Open(TemporaryFolder folder, string url)
    {
        File.WriteAllText(
            folder.File("chat.json"),
            JsonSerializer.Serialize(new[] { new { role = "user", content = new[] { new { type = "image", url } } } })
        );
        return ChatJson.Open(folder.File("chat.json"));
    }

    private static void AssertPicture(object part) =>
        Assert.Equal(Picture, ((ImagePart)Assert.Single(Parse(Content(part)))).Encoded.ToArray());

    private static object Content(object part) => new { role = "user", content = new[] { part } };

    private static IReadOnlyList<ChatPart> Parse(object message) => Parse(JsonSerializer.SerializeToUtf8Bytes(message));

    private static IReadOnlyList<ChatPart> Parse(byte[] message) =>
        ChatJson.Parse((byte[])[.. "["u8, .. message, .. "]"u8], "chat", null)[0].Parts;

    private static string Refusal(object message) => Refusal(JsonSerializer.SerializeToUtf8Bytes(message));

    private static string Refusal(byte[] message) =>
        Assert.ThrowsAny<InvalidInputException>(() => Parse(message)).Message;
}
