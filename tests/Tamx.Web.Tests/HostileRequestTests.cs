using System.Globalization;
using System.IO.Compression;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using ImageMagick;
using Tamx.Testing;

namespace Tamx.Web.Tests;

/// <summary>
/// What somebody might try. Nothing of it is served, nothing stops the server, each gets its status and code.
/// </summary>
[Collection(OneServer.Name)]
public sealed class HostileRequestTests(SharedServer shared)
{
    private readonly RunningServer _server = shared.Running;

    [Theory]
    [InlineData("http://127.0.0.1/x.png")]
    [InlineData("http://localhost/x.png")]
    [InlineData("http://[::1]/x.png")]
    [InlineData("http://[::ffff:127.0.0.1]/x.png")]
    [InlineData("http://2130706433/x.png")]
    [InlineData("http://0x7f000001/")]
    [InlineData("http://0177.0.0.1/")]
    [InlineData("http://127.1/")]
    [InlineData("http://0/")]
    [InlineData("http://①②⑦.⓪.⓪.①/")]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("http://[fd00:ec2::254]/")]
    [InlineData("http://metadata.google.internal/")]
    [InlineData("http://example.com@127.0.0.1/")]
    [InlineData("HTTPS://example.com/x.png")]
    [InlineData(" https://example.com/x.png")]
    [InlineData("//127.0.0.1/x.png")]
    [InlineData("ftp://127.0.0.1/x.png")]
    [InlineData("gopher://127.0.0.1:6379/_INFO")]
    [InlineData("file:///etc/passwd")]
    [InlineData("FILE:/etc/passwd")]
    [InlineData("file://localhost/etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("../../../../etc/passwd")]
    [InlineData("..\\..\\windows\\win.ini")]
    [InlineData("\\\\127.0.0.1\\share\\x.png")]
    [InlineData("//?/C:/x.png")]
    [InlineData("/proc/self/environ")]
    [InlineData("demo/scene.jpg")]
    [InlineData("scene.jpg\0.png")]
    [InlineData("msl:/tmp/x")]
    [InlineData("ephemeral:/tmp/x")]
    [InlineData("@/etc/passwd")]
    [InlineData("|id")]
    [InlineData("javascript:alert(1)")]
    [InlineData("uploads:photo")]
    [InlineData("")]
    public async Task Source_ThatIsNeitherDataNorUpload_IsRefusedAsPictureAndAsVideo(string source)
    {
        object[] parts =
        [
            new { type = "image_url", image_url = new { url = source } },
            new { type = "image_url", image_url = source },
            new { type = "image", image = source },
            new { type = "video", video = source },
            new { type = "video_url", video_url = new { url = source } },
            new { type = "video", video = new[] { source } },
        ];
        foreach (var part in parts)
        {
            await AssertRefusedAsync(RunningServer.Asking(part), "source_refused");
        }
    }

    [Theory]
    [InlineData("upload:missing", "upload_missing")]
    [InlineData("upload:../../etc/passwd", "upload_missing")]
    [InlineData("upload:", "upload_missing")]
    [InlineData("data:image/png,%89PNG", "invalid_messages")]
    [InlineData("data:image/png;base64,!!!!", "invalid_messages")]
    [InlineData("data:image/png;base64,", "invalid_image")]
    [InlineData("data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=", "invalid_image")]
    public async Task Source_ThatHoldsNoPicture_IsRefused(string source, string code) =>
        await AssertRefusedAsync(RunningServer.Asking(new { type = "image", image = source }), code);

    [Theory]
    [InlineData("{}", "invalid_value")]
    [InlineData("[]", "invalid_value")]
    [InlineData("null", "invalid_value")]
    [InlineData("{\"messages\":[]}", "invalid_messages")]
    [InlineData("{\"messages\":{}}", "invalid_messages")]
    [InlineData("{\"messages\":[1]}", "invalid_messages")]
    [InlineData("{\"messages\":[{\"role\":\"root\",\"content\":\"x\"}]}", "invalid_messages")]
    [InlineData("{\"messages\":[{\"role\":\"user\"}]}", "invalid_messages")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool\"}]}]}", "invalid_messages")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"model\":\"x\"}", "unknown_name")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"maxTokens\":0}", "invalid_value")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"maxTokens\":1e99}", "invalid_value")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"maxTokens\":1025}", "invalid_value")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"candidates\":21}", "invalid_value")]
    [InlineData(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"sampling\":{\"temperature\":-1}}",
        "invalid_value"
    )]
    [InlineData(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"sampling\":{\"seed\":9223372036854775808}}",
        "invalid_value"
    )]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"sampling\":[]}", "invalid_value")]
    [InlineData(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"options\":{\"engine\":\"cuda\"}}",
        "invalid_option"
    )]
    [InlineData(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"options\":{\"maxWorkingBytes\":1}}",
        "invalid_option"
    )]
    [InlineData(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"options\":{\"eciStrength\":[[]]}}",
        "invalid_option"
    )]
    [InlineData(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"options\":{\"kernelSize\":1000}}",
        "invalid_option"
    )]
    [InlineData(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"options\":{\"nonsense\":1}}",
        "invalid_option"
    )]
    [InlineData(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"options\":{\"profile\":\"9\"}}",
        "invalid_value"
    )]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}", "invalid_json")]
    [InlineData(
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"image\":\"\\udfff\"}]}]}",
        "invalid_json"
    )]
    [InlineData("{\"\\ud800\":1}", "invalid_json")]
    [InlineData(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"options\":{\"mergeSize\":2147483647}}",
        "invalid_value"
    )]
    [InlineData(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"options\":{\"device\":\"CUDA0\"}}",
        "invalid_option"
    )]
    [InlineData(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"options\":{\"maxDeviceBytes\":1}}",
        "invalid_option"
    )]
    [InlineData("not json", "invalid_json")]
    [InlineData("", "invalid_json")]
    public async Task Json_ThatIsNoRequest_IsRefused(string json, string code)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        await RunningServer.AssertErrorAsync(await _server.Client.PostAsync("/api/explain", content), 400, code);
    }

    [Theory]
    [InlineData("[]", "region", "invalid_value")]
    [InlineData("{\"box\":[0,0,1,1]}", "use", "invalid_value")]
    [InlineData("{\"use\":\"blur\",\"box\":[0,0,1,1]}", "use", "invalid_value")]
    [InlineData("{\"use\":\"hide\"}", "box", "invalid_value")]
    [InlineData("{\"use\":\"hide\",\"box\":[0,0,1]}", "box", "invalid_value")]
    [InlineData("{\"use\":\"hide\",\"box\":[0,0,\"1\",1]}", "box", "invalid_value")]
    [InlineData("{\"use\":\"hide\",\"box\":[0,0,1e999,1]}", "box", "invalid_value")]
    [InlineData("{\"use\":\"hide\",\"box\":[0.5,0,0.5,1]}", "box", "invalid_value")]
    [InlineData("{\"use\":\"keep\",\"box\":[-0.1,0,0.5,1]}", "box", "invalid_value")]
    [InlineData("{\"use\":\"keep\",\"box\":[0,0,1,1],\"alpha\":1}", "alpha", "invalid_value")]
    [InlineData("{\"use\":\"lookAt\",\"box\":[0,0,1,1],\"alpha\":101}", "alpha", "invalid_value")]
    [InlineData("{\"use\":\"lookAt\",\"box\":[0,0,1,1],\"alpha\":\"4\"}", "alpha", "invalid_value")]
    [InlineData("{\"use\":\"lookAt\",\"box\":[0,0,1,1],\"picture\":-1}", "picture", "invalid_value")]
    [InlineData("{\"use\":\"lookAt\",\"box\":[0,0,1,1],\"picture\":0.5}", "picture", "invalid_value")]
    [InlineData("{\"use\":\"hide\",\"box\":[0,0,1,1],\"shape\":1}", "shape", "unknown_name")]
    public async Task Region_ThatIsNone_IsRefusedByItsField(string region, string field, string code)
    {
        const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]";
        await RefusedAsync("/api/explain", $"{{{Messages},\"region\":{region}}}");
        await RefusedAsync("/v1/chat/completions", $"{{{Messages},\"tamx\":{{\"region\":{region}}}}}");

        async Task RefusedAsync(string path, string json)
        {
            using var content = new StringContent(json, Encoding.UTF8, "application/json");
            using var response = await _server.Client.PostAsync(path, content);
            var error = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("error");
            Assert.Equal(400, (int)response.StatusCode);
            Assert.Equal(
                (code, field),
                (error.GetProperty("code").GetString(), error.GetProperty("param").GetString())
            );
        }
    }

    [Fact]
    public async Task Region_OfAPictureThatIsNotThere_IsRefused()
    {
        var request = new
        {
            messages = new[] { RunningServer.Message("?", RunningServer.Scene) },
            maxTokens = 2,
            region = new
            {
                use = "lookAt",
                box = new[] { 0, 0, 1, 1 },
                picture = 1,
            },
        };
        using var response = await _server.PostAsync(request);
        var error = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("error");
        Assert.Equal("invalid_input", error.GetProperty("code").GetString());
        Assert.StartsWith(
            "region: there is no picture 1",
            error.GetProperty("message").GetString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Json_ThatIsNoUtf8_IsRefused()
    {
        using var content = new ByteArrayContent([
            .. "{\"messages\":[{\"role\":\"user\",\"content\":\""u8,
            0xC3,
            0x28,
            0xFF,
            .. "\"}]}"u8,
        ]);
        content.Headers.ContentType = new("application/json");
        await RunningServer.AssertErrorAsync(
            await _server.Client.PostAsync("/api/explain", content),
            400,
            "invalid_json"
        );
    }

    [Fact]
    public async Task Json_NestedDeeply_IsRefused()
    {
        using var content = new StringContent(new string('[', 100_000), Encoding.UTF8, "application/json");
        await RunningServer.AssertErrorAsync(
            await _server.Client.PostAsync("/api/explain", content),
            400,
            "invalid_json"
        );
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data")]
    [InlineData("")]
    public async Task Body_OfAnotherType_IsRefused(string type)
    {
        using var content = new ByteArrayContent("{}"u8.ToArray());
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        await RunningServer.AssertErrorAsync(
            await _server.Client.PostAsync("/api/explain", content),
            415,
            "wrong_content_type"
        );
    }

    [Theory]
    [InlineData("--x\r\n\r\n")]
    [InlineData("--x\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n{}")]
    [InlineData("--x\r\nContent-Disposition: form-data\r\n\r\n{}\r\n--x--")]
    [InlineData(
        "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
            + "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--"
    )]
    [InlineData("garbage")]
    public async Task Form_ThatIsDamaged_IsRefused(string form)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(form));
        content.Headers.TryAddWithoutValidation("Content-Type", "multipart/form-data; boundary=x");
        await RunningServer.AssertErrorAsync(
            await _server.Client.PostAsync("/api/explain", content),
            400,
            "invalid_body"
        );
    }

    [Fact]
    public async Task Text_TooLong_IsRefused() =>
        await AssertRefusedAsync(
            new { messages = new[] { RunningServer.Message(new string('x', 16_001)) } },
            "text_too_long"
        );

    [Fact]
    public async Task Pictures_TooMany_AreRefused()
    {
        var message = RunningServer.Message("x", [.. Enumerable.Repeat(RunningServer.Scene, 9)]);
        await AssertRefusedAsync(new { messages = new[] { message } }, "too_many_pictures");
    }

    [Fact]
    public async Task Frames_TooMany_AreRefused()
    {
        var frames = Enumerable.Repeat(RunningServer.DataUrl(TestVideos.Frame(0).Encoded.ToArray()), 65);
        await AssertRefusedAsync(RunningServer.Asking(new { type = "video", video = frames }), "too_many_frames");
    }

    [Fact]
    public async Task Picture_OfTooManyBytes_IsRefused() =>
        await RunningServer.AssertErrorAsync(
            await _server.PostAsync(RunningServer.Question([.. RunningServer.Scene, .. new byte[10_000_000]])),
            413,
            "picture_too_large"
        );

    [Fact]
    public async Task Picture_OfTooManyPixels_IsRefused()
    {
        // 41 megapixels, all black.
        using var answer = await _server.PostAsync(
            RunningServer.Question(Png(8200, 5000, Packed(((8200 * 3) + 1) * 5000)))
        );
        Assert.Contains("at most 40,000,000", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await RunningServer.AssertErrorAsync(answer, 400, "invalid_image");
    }

    [Fact]
    public async Task Bomb_PngThatUnpacksToMoreThanItSays_IsRefusedOrSmall()
    {
        // A few KB that inflate to 200 MB, behind a header of 64 x 64 pixels and behind one that claims them all.
        var packed = Packed(200 << 20);
        using var answer = await _server.PostAsync(RunningServer.Question(Png(64, 64, packed), maxTokens: 1));
        Assert.True((int)answer.StatusCode is 200 or 400, await answer.Content.ReadAsStringAsync());
        await AssertRefusedAsync(RunningServer.Question(Png(16_000, 16_000, packed)), "invalid_image");
        await _server.AssertServesAsync();
    }

    [Theory]
    [InlineData(MagickFormat.Gif)]
    [InlineData(MagickFormat.WebP)]
    public async Task Bomb_AnimationOfManyLargeFrames_IsRefused(MagickFormat format)
    {
        using var images = new MagickImageCollection();
        for (var i = 0; i < 30; i++)
        {
            // A GIF's frames may be dots on a canvas that is large; decoding makes each as large as that.
            var color = i % 2 == 0 ? MagickColors.Red : MagickColors.Blue;
            var frame =
                format == MagickFormat.Gif
                    ? new MagickImage(color, 1, 1) { Page = new MagickGeometry(0, 0, 2000, 2000) }
                    : new MagickImage(color, 2000, 2000);
            frame.AnimationDelay = 10;
            frame.Settings.SetDefine(MagickFormat.WebP, "method", "0");
            images.Add(frame);
        }

        await AssertRefusedAsync(
            RunningServer.Asking(new { type = "video", video = RunningServer.DataUrl(images.ToByteArray(format)) }),
            "invalid_image"
        );
    }

    [Fact]
    public async Task Picture_OfOnePixel_IsRefused()
    {
        MagickFormat[] formats =
        [
            MagickFormat.Png,
            MagickFormat.Jpeg,
            MagickFormat.Gif,
            MagickFormat.WebP,
            MagickFormat.Bmp,
        ];
        foreach (var format in formats)
        {
            using var image = new MagickImage(MagickColors.Red, 1, 1);
            await AssertRefusedAsync(RunningServer.Question(image.ToByteArray(format)), "invalid_image");
        }
    }

    [Theory]
    [InlineData(MagickFormat.Png)]
    [InlineData(MagickFormat.Jpeg)]
    [InlineData(MagickFormat.WebP)]
    [InlineData(MagickFormat.Bmp)]
    public async Task Picture_CutAtEveryTwentieth_IsRefused(MagickFormat format)
    {
        using var image = new MagickImage(TestPictures.Gradient(96, 96).Encoded.Span);
        var whole = image.ToByteArray(format);
        for (var percent = 0; percent < 100; percent += 5)
        {
            await AssertRefusedAsync(RunningServer.Question(whole[..(whole.Length * percent / 100)]), "invalid_image");
        }
    }

    [Fact]
    public async Task Gif_CutAtEveryTwentieth_IsRefusedAsVideo()
    {
        var whole = TestVideos.Animation(MagickFormat.Gif, 10, 10, 10, 10);
        for (var percent = 0; percent < 100; percent += 5)
        {
            var source = RunningServer.DataUrl(whole[..(whole.Length * percent / 100)]);
            using var answer = await _server.PostAsync(RunningServer.Asking(new { type = "video", video = source }));
            Assert.True((int)answer.StatusCode == 400, $"{percent} %: {(int)answer.StatusCode}");
        }
    }

    [Fact]
    public async Task Markup_InTextAndFileNames_IsTextInTheReport()
    {
        const string Script = "</script><script>alert(1)</script><img src=x onerror=alert(2)>";
        object[] content = [new { type = "image", image = "upload:p" }, new { type = "text", text = Script }];
        using var form = new MultipartFormDataContent
        {
            {
                new StringContent(
                    JsonSerializer.Serialize(new { messages = new[] { new { role = "user", content } }, maxTokens = 1 })
                ),
                "request"
            },
        };
        var picture = new ByteArrayContent(RunningServer.Scene);
        picture.Headers.TryAddWithoutValidation(
            "Content-Disposition",
            "form-data; name=\"p\"; filename=\"../../<script>alert(3)<!--\u202e.jpg\""
        );
        form.Add(picture);
        using var answer = await _server.Client.PostAsync("/api/explain", form);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        var run = answer.Headers.GetValues("Tamx-Run").Single();
        var report = await _server.Client.GetStringAsync($"/api/runs/{run}/report.html");
        Assert.DoesNotMatch("<script>alert|<img src=x", report);
        var runs = await _server.Client.GetStringAsync("/api/runs");
        Assert.DoesNotContain("<script>", runs, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/runs/../../../etc/passwd/report.html")]
    [InlineData("/api/runs/..%2f..%2f..%2fetc/report.html")]
    [InlineData("/api/runs/%2e%2e/lock")]
    [InlineData("/api/runs/x/..%2flock")]
    [InlineData("/api/runs/x%00/report.html")]
    [InlineData("/assets/../lock")]
    [InlineData("/assets/..%2f..%2fetc%2fpasswd")]
    [InlineData("/assets/%5c%5c127.0.0.1%5cshare")]
    [InlineData("/assets/report/page.html%00.js")]
    [InlineData("/etc/passwd")]
    public async Task Address_ThatClimbs_FindsNothing(string path)
    {
        // HttpClient would tidy the path up: the line goes out as it is.
        var status = await SendLineAsync($"GET {path} HTTP/1.1", $"Host: 127.0.0.1:{_server.Server.Address.Port}");
        Assert.True(status is 400 or 404, $"{status}");
    }

    [Fact]
    public async Task Run_FileThatIsNoneOfItsThree_IsNotServed()
    {
        using var answer = await _server.PostAsync(RunningServer.Question(RunningServer.Scene, maxTokens: 1));
        var run = answer.Headers.GetValues("Tamx-Run").Single();
        foreach (var name in new[] { "video-0", "..%2f..%2flock", "report.html%00", "REPORT.HTML", "." })
        {
            var status = await SendLineAsync(
                $"GET /api/runs/{run}/{name} HTTP/1.1",
                $"Host: 127.0.0.1:{_server.Server.Address.Port}"
            );
            Assert.True(status is 400 or 404 or 405, $"{name}: {status}");
        }
    }

    [Fact]
    public async Task Link_InPlaceOfARunsFile_IsNotWhatAClientCanMake()
    {
        // Uploads are files of the server's naming; a name that a client gives is shown and nothing else.
        using var form = new MultipartFormDataContent
        {
            { RunningServer.JsonOf(RunningServer.Asking(new { type = "video", video = "upload:/tmp/x" })), "request" },
            { new ByteArrayContent("no video"u8.ToArray()), "/tmp/x", "/etc/passwd" },
        };
        using var answer = await _server.Client.PostAsync("/api/explain", form);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.Equal(400, (int)answer.StatusCode);
        Assert.DoesNotContain(_server.Server.FolderPath, body, StringComparison.Ordinal);
        var runs = Path.Combine(_server.Server.FolderPath, "runs");
        Assert.Empty(Directory.GetFiles(runs, "video-*", SearchOption.AllDirectories));
    }

    /// <summary>As long as a body may be, and as costly as JSON can be: one value for two bytes.</summary>
    [Fact]
    public async Task Json_LongOtherwiseThanByPictures_IsRefused()
    {
        var zeros = "[0" + string.Concat(Enumerable.Repeat(",0", 600_000)) + "]";
        using var content = new StringContent($"{{\"messages\":{zeros}}}", Encoding.UTF8, "application/json");
        await RunningServer.AssertErrorAsync(
            await _server.Client.PostAsync("/api/explain", content),
            413,
            "body_too_large"
        );
        using var form = new MultipartFormDataContent { { new StringContent(zeros), "request" } };
        await RunningServer.AssertErrorAsync(
            await _server.Client.PostAsync("/v1/chat/completions", form),
            413,
            "body_too_large"
        );
    }

    [Fact]
    public async Task Options_OfManyNames_AreRefused()
    {
        var options = string.Join(',', Enumerable.Repeat("\"kernelSize\":3", 101));
        var json = $$$"""{"messages":[{"role":"user","content":"x"}],"options":{{{{options}}}}}""";
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        await RunningServer.AssertErrorAsync(
            await _server.Client.PostAsync("/api/explain", content),
            400,
            "invalid_value"
        );
    }

    [Theory]
    [InlineData("xn--localhost-")]
    [InlineData("xn--a")]
    [InlineData("xn--")]
    [InlineData("xn--localhost-:8016")]
    [InlineData("localhost.xn--\u0001")]
    public async Task Host_ThatIsNoPunycode_IsRefused(string host)
    {
        var status = await SendLineAsync("GET /health HTTP/1.1", $"Host: {host}");
        Assert.True(status is 403 or 400, $"{status}");
    }

    [Theory]
    [InlineData("FFFFFFFFFFFFFFFF")]
    [InlineData("80000000")]
    [InlineData("7FFFFFFF0")]
    [InlineData("-1")]
    [InlineData("0x10")]
    [InlineData("G")]
    [InlineData("")]
    [InlineData(" 5")]
    public async Task Chunk_WhoseSizeIsNone_IsRefused(string size)
    {
        foreach (var type in new[] { "application/json", "multipart/form-data; boundary=x" })
        {
            var status = await SendLineAsync(
                "POST /api/explain HTTP/1.1",
                "Host: localhost",
                $"Content-Type: {type}",
                "Transfer-Encoding: chunked",
                "Connection: close",
                "",
                size,
                "{}"
            );
            Assert.True(status is 400 or 413, $"{type}: {status}");
        }
    }

    [Theory]
    [InlineData(71, 415)]
    [InlineData(5000, 415)]
    [InlineData(70, 400)]
    public async Task Boundary_LongerThanOneMayBe_IsRefused(int length, int status)
    {
        using var content = new ByteArrayContent("--x"u8.ToArray());
        var type = $"multipart/form-data; boundary={new string('x', length)}";
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        using var answer = await _server.Client.PostAsync("/api/explain", content);
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Headers_TooLong_AreRefused()
    {
        var status = await SendLineAsync("GET /health HTTP/1.1", "Host: localhost", $"X: {new string('x', 20_000)}");
        Assert.Equal(431, status);
    }

    private async Task AssertRefusedAsync(object body, string code) =>
        await RunningServer.AssertErrorAsync(await _server.PostAsync(body), 400, code);

    private async Task<int> SendLineAsync(params string[] lines)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(_server.Server.Address.Host, _server.Server.Address.Port);
        using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Join("\r\n", lines) + "\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);
        return int.Parse((await reader.ReadToEndAsync()).Split(' ')[1], CultureInfo.InvariantCulture);
    }

    /// <summary>So many zeros, deflated.</summary>
    private static byte[] Packed(int count)
    {
        using var packed = new MemoryStream();
        using (var zip = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            var zeros = new byte[1 << 20];
            for (var left = count; left > 0; left -= zeros.Length)
            {
                zip.Write(zeros.AsSpan(0, Math.Min(left, zeros.Length)));
            }
        }

        return packed.ToArray();
    }

    /// <summary>A PNG of 8-bit RGB with these image data, whatever they hold.</summary>
    private static byte[] Png(int width, int height, byte[] data)
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        Chunk("IHDR", [.. BigEndian(width), .. BigEndian(height), 8, 2, 0, 0, 0]);
        Chunk("IDAT", data);
        Chunk("IEND", []);
        return file.ToArray();

        void Chunk(string type, byte[] content)
        {
            byte[] named = [.. Encoding.ASCII.GetBytes(type), .. content];
            file.Write(BigEndian(content.Length));
            file.Write(named);
            file.Write(BigEndian(unchecked((int)Crc(named))));
        }

        static byte[] BigEndian(int value) =>
            [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

        static uint Crc(byte[] bytes)
        {
            var crc = uint.MaxValue;
            foreach (var value in bytes)
            {
                crc ^= value;
                for (var bit = 0; bit < 8; bit++)
                {
                    crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
                }
            }

            return ~crc;
        }
    }
}
