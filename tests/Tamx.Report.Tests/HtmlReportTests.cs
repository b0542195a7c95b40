using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Tamx.Llama.Media;

namespace Tamx.Report.Tests;

public class HtmlReportTests
{
    private const string Hostile = "</script><script>alert(1)</script><!-- <b>\"'&\u2028\u2029\0</style>{{script}}";

    [Fact]
    public async Task WriteAsync_Example_HoldsLayoutAnswerAndRun()
    {
        var report = await WrittenReport.WriteAsync(new Example());

        var data = report.Data;
        Assert.Equal("You are a careful assistant.|What| is| this|?|A| red| bus|.", report.Texts());
        Assert.Equal(
            ["system", "user", "assistant"],
            data.GetProperty("turns").EnumerateArray().Select(turn => turn.GetProperty("role").GetString())
        );
        Assert.Equal("[-1,-2,1,2,3,4]", data.GetProperty("turns")[1].GetProperty("items").GetRawText());
        Assert.Equal(4, data.GetProperty("answer").GetArrayLength());
        Assert.Equal(uint.MaxValue, data.GetProperty("run").GetProperty("seed").GetUInt32());
        Assert.Equal("0.7", data.GetProperty("run").GetProperty("temperature").GetRawText());
        Assert.Equal("knows buses", data.GetProperty("run").GetProperty("modelDescription").GetString());
        Assert.Equal("Tamx", data.GetProperty("method").GetProperty("profile").GetString());

        var second = data.GetProperty("answer")[1];
        Assert.Equal("[0,1]", second.GetProperty("candidates").GetRawText());
        Assert.Equal(
            [" red", " other"],
            second.GetProperty("explained").EnumerateArray().Select(one => one.GetProperty("text").GetString())
        );
    }

    [Fact]
    public async Task WriteAsync_Example_PolicyHashesAreThoseOfStyleAndScript()
    {
        var report = await WrittenReport.WriteAsync(new Example());

        var policy = Regex
            .Match(report.Html, "<meta http-equiv=\"Content-Security-Policy\" content=\"([^\"]*)\">")
            .Groups[1]
            .Value;
        var style = Regex.Match(report.Html, "<style>(.*?)</style>", RegexOptions.Singleline).Groups[1].Value;
        var script = Regex
            .Match(report.Html, "<script type=\"module\">(.*?)</script>", RegexOptions.Singleline)
            .Groups[1]
            .Value;
        Assert.Equal(
            $"default-src 'none'; img-src blob:; style-src {Hash(style)}; script-src {Hash(script)} {Hash(PageTemplate.Script)}; base-uri 'none'; form-action 'none'",
            policy
        );
        Assert.True(
            report.Html.IndexOf("Content-Security-Policy", StringComparison.Ordinal)
                < report.Html.IndexOf("<style>", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task WriteAsync_Example_NamesNoOtherPlace()
    {
        var report = await WrittenReport.WriteAsync(new Example());

        Assert.DoesNotMatch("(?i)https?:|//[a-z]+\\.|@import|[ :]url\\(|\\bsrc=|\\bhref=", RemoveBlocks(report.Html));
    }

    [Fact]
    public async Task WriteAsync_HostileTexts_CannotBreakOut()
    {
        var plain = await WrittenReport.WriteAsync(new Example());
        var example = new Example
        {
            SystemText = Hostile,
            Question = Example.Tokens(Hostile, "</scr", "ipt>", "<!-", "-"),
            AnswerTexts = Example.Tokens(Hostile, "\u2028", "\u2029", "\"><img src=x onerror=alert(1)>"),
            PictureName = $"{Hostile}.bmp",
            Run = new RunInfo
            {
                Model = Hostile,
                Quantization = Hostile,
                Seconds = new Dictionary<string, double> { [Hostile] = 1 },
            },
        };
        (var trace, var maps) = example.Build();

        var report = await WrittenReport.WriteAsync(trace, maps, new HtmlReportOptions { Title = Hostile });

        Assert.Equal(plain.Elements(), report.Elements());
        Assert.Equal(Hostile, report.Data.GetProperty("tokens").GetProperty("text")[0].GetString());
        Assert.Equal(
            $"{Hostile}.bmp",
            report
                .Data.GetProperty("media")[0]
                .GetProperty("frames")[0]
                .GetProperty("picture")
                .GetProperty("name")
                .GetString()
        );
        Assert.Contains("<title>&lt;/script&gt;", report.Html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public async Task WriteAsync_Maps_ComeBackWithinHalfAStep(int bits)
    {
        (var trace, var maps) = new Example
        {
            MapValue = (token, cell) => MathF.Sin(token + (cell * 0.37f)) * 0.4f,
        }.Build();

        var report = await WrittenReport.WriteAsync(trace, maps, new HtmlReportOptions { MapBits = bits });

        var compared = 0;
        for (var i = 0; i < maps.Answer.Count; i++)
        {
            var explained = report.Data.GetProperty("answer")[i].GetProperty("explained");
            AssertVectors(maps.Answer[i].Token, explained[0]);
            AssertVectors(maps.Answer[i].Candidates[1], explained[1]);
        }

        Assert.Equal(2 * (4 + 4 + 3), compared);

        void AssertVectors(ExplainedToken expected, JsonElement written)
        {
            Close(
                expected.TextRelevance.ToArray(),
                report.Sparse(written.GetProperty("relevance"), expected.TextRelevance.Length, bits),
                expected.TextRelevance.Max()
            );
            for (var b = 0; b < expected.VisionMaps.Count; b++)
            {
                var offset = written.GetProperty("maps")[b];
                if (expected.VisionMaps[b]?.Values.ToArray() is { } map)
                {
                    Close(map, report.Dense(offset, map.Length, bits), map.Max() - map.Min());
                }
                else
                {
                    Assert.Equal(JsonValueKind.Null, offset.ValueKind);
                }
            }
        }

        void Close(float[] expected, float[] actual, float range)
        {
            var half = 0.51f * range / ((1 << bits) - 1);
            for (var k = 0; k < expected.Length; k++)
            {
                Assert.InRange(actual[k], expected[k] - half, expected[k] + half);
            }

            compared++;
        }
    }

    [Fact]
    public async Task WriteAsync_CharacterOverSeveralTokens_StandsAtItsFirstToken()
    {
        var bus = "🚌"u8.ToArray();
        var family = "é🚗"u8.ToArray();
        var example = new Example
        {
            AnswerTexts =
            [
                " "u8.ToArray(),
                bus[..1],
                bus[1..3],
                bus[3..],
                family[..1],
                family[1..4],
                family[4..],
                [0xFF],
            ],
        };

        var report = await WrittenReport.WriteAsync(example);

        Assert.EndsWith("|?| |🚌|||é|🚗||\uFFFD", report.Texts(), StringComparison.Ordinal);
        var explained = report
            .Data.GetProperty("answer")
            .EnumerateArray()
            .Select(token => token.GetProperty("explained")[0].GetProperty("text").GetString());
        Assert.Equal([" ", "🚌", "🚌", "🚌", "é", "🚗", "🚗", "\uFFFD"], explained);
    }

    [Fact]
    public async Task WriteAsync_NoTexts_ShowsIds()
    {
        var report = await WrittenReport.WriteAsync(new Example { HasTexts = false });

        Assert.StartsWith("#3|#", report.Texts(), StringComparison.Ordinal);
        Assert.False(report.Data.GetProperty("hasTexts").GetBoolean());
    }

    [Fact]
    public async Task WriteAsync_UnknownLogitAndProbability_AreNull()
    {
        var report = await WrittenReport.WriteAsync(new Example { Logit = float.NaN, Probability = float.NaN });

        var first = report.Data.GetProperty("answer")[0].GetProperty("explained")[0];
        Assert.Equal(JsonValueKind.Null, first.GetProperty("logit").ValueKind);
        Assert.Equal(JsonValueKind.Null, first.GetProperty("probability").ValueKind);
    }

    [Fact]
    public async Task WriteAsync_EmptyAnswer_HasNoVectors()
    {
        var report = await WrittenReport.WriteAsync(new Example { AnswerTexts = [] });

        Assert.Equal(0, report.Data.GetProperty("answer").GetArrayLength());
        Assert.Empty(report.Vectors);
    }

    [Fact]
    public async Task WriteAsync_AnswerTokenOutsideAllTurns_IsShownInTheAnswer()
    {
        (var trace, var maps) = new Example().Build();
        var layout = maps.Layout;
        var answer = layout.Turns[2] with { TextPositions = [.. layout.Turns[2].TextPositions.SkipLast(1)] };
        var report = await WrittenReport.WriteAsync(
            trace,
            With(maps, layout with { Turns = [.. layout.Turns.SkipLast(1), answer] })
        );

        Assert.Equal("[5,6,7,8]", report.Data.GetProperty("turns")[2].GetProperty("items").GetRawText());

        var withoutTurn = await WrittenReport.WriteAsync(
            trace,
            With(maps, layout with { Turns = [.. layout.Turns.SkipLast(1)] })
        );

        Assert.Equal("[5,6,7,8]", withoutTurn.Data.GetProperty("turns")[2].GetProperty("items").GetRawText());
    }

    [Fact]
    public async Task WriteAsync_Pictures_AreEmbeddedAsTheyCame()
    {
        (var trace, var maps) = new Example().Build();

        var report = await WrittenReport.WriteAsync(trace, maps);

        Assert.Equal(trace.Pictures[0].Bytes.ToArray(), Convert.FromBase64String(report.Block("picture-0")));
        Assert.Contains("id=\"picture-0\" data-media-type=\"image/bmp\"", report.Html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("image/svg+xml")]
    [InlineData("text/html")]
    [InlineData("image/png\" onload=\"x")]
    public async Task WriteAsync_OtherMediaType_Throws(string mediaType)
    {
        var error = await Assert.ThrowsAsync<InvalidInputException>(() =>
            WrittenReport.WriteAsync(new Example { MediaType = mediaType })
        );

        Assert.Contains("bus.bmp is of type", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WriteAsync_NaNInMap_ThrowsAndNamesTheMap()
    {
        var error = await Assert.ThrowsAsync<InvalidInputException>(() =>
            WrittenReport.WriteAsync(new Example { MapValue = (_, _) => float.NaN })
        );

        Assert.Contains("answer token 0 over vision block 0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WriteAsync_MapsOfAnotherRun_Throws()
    {
        (var trace, var maps) = new Example().Build();
        (_, var others) = new Example { AnswerTexts = Example.Tokens("A") }.Build();

        await Assert.ThrowsAsync<InvalidInputException>(() =>
            WrittenReport.WriteAsync(trace, With(maps, others.Layout))
        );
    }

    [Fact]
    public async Task WriteAsync_Path_WritesTheSameBytesAndNothingElse()
    {
        (var trace, var maps) = new Example().Build();
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "report.html");
        await File.WriteAllTextAsync(path, "an older report");

        await HtmlReport.WriteAsync(trace, maps, path);

        var expected = await WrittenReport.WriteAsync(trace, maps);
        Assert.Equal(expected.Html, await File.ReadAllTextAsync(path));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public async Task WriteAsync_CancelledHalfway_LeavesTheOldFileAndNoOther()
    {
        (var trace, var maps) = new Example().Build();
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "report.html");
        await File.WriteAllTextAsync(path, "an older report");
        using var source = new CancellationTokenSource();
        var cancelling = new CallbackList<AnswerToken>(
            maps.Answer,
            index =>
            {
                if (index == 2 && Directory.GetFiles(folder.Path).Length == 2)
                {
                    source.Cancel();
                }
            }
        );

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            HtmlReport.WriteAsync(trace, With(maps, maps.Layout, cancelling), path, null, source.Token)
        );

        Assert.True(source.IsCancellationRequested);
        Assert.Equal([path], Directory.GetFiles(folder.Path));
        Assert.Equal("an older report", await File.ReadAllTextAsync(path));
    }

    [Fact]
    public async Task WriteAsync_InvalidInput_LeavesNoFile()
    {
        (var trace, var maps) = new Example { MediaType = "text/html" }.Build();
        using var folder = new TemporaryFolder();

        await Assert.ThrowsAsync<InvalidInputException>(() =>
            HtmlReport.WriteAsync(trace, maps, Path.Combine(folder.Path, "report.html"))
        );

        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public async Task WriteAsync_FailingStream_PassesTheErrorOn()
    {
        (var trace, var maps) = new Example().Build();
        using var whole = new MemoryStream();
        await HtmlReport.WriteAsync(trace, maps, whole);

        for (long limit = 0; limit < whole.Length; limit += 997)
        {
            using var stream = new FullStream(limit);

            var error = await Assert.ThrowsAsync<IOException>(() => HtmlReport.WriteAsync(trace, maps, stream));

            Assert.Equal(FullStream.Message, error.Message);
        }
    }

    [Fact]
    public async Task WriteAsync_Any_SaysItsSize()
    {
        var report = await WrittenReport.WriteAsync(new Example { SystemText = "Grüße 🚌" });

        using var size = JsonDocument.Parse(report.Block("report-size"));
        Assert.Equal(Encoding.UTF8.GetByteCount(report.Html), size.RootElement.GetProperty("bytes").GetInt64());
    }

    [Fact]
    public async Task WriteAsync_LargePicture_IsScaledDownWithItsShape()
    {
        (var trace, var maps) = new Example().Build();

        var report = await WrittenReport.WriteAsync(trace, maps, new HtmlReportOptions { MaxImagePixels = 300 });

        var picture = report.Data.GetProperty("media")[0].GetProperty("frames")[0].GetProperty("picture");
        Assert.Equal((20, 15), (picture.GetProperty("width").GetInt32(), picture.GetProperty("height").GetInt32()));
        var image = RgbImage.Decode(Convert.FromBase64String(report.Block("picture-0")), "picture");
        Assert.Equal((20, 15, "image/jpeg"), (image.Width, image.Height, image.MediaType));
        Assert.Contains("id=\"picture-0\" data-media-type=\"image/jpeg\"", report.Html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4, 100, "4 bits")]
    [InlineData(8, 0, "at most 0 pixels")]
    public async Task WriteAsync_BadOption_Throws(int bits, long pixels, string message)
    {
        (var trace, var maps) = new Example().Build();

        var error = await Assert.ThrowsAsync<InvalidInputException>(() =>
            WrittenReport.WriteAsync(trace, maps, new HtmlReportOptions { MapBits = bits, MaxImagePixels = pixels })
        );

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WriteAsync_LongAnswer_GrowsInProportion()
    {
        long shorter = (await LongAnswer(600)).Vectors.Length;
        long longer = (await LongAnswer(1200)).Vectors.Length;

        // All of the text before each token would be 4 times as much; what is kept per token has a limit.
        Assert.InRange((double)longer / shorter, 1.9, 2.5);

        static Task<WrittenReport> LongAnswer(int length) =>
            WrittenReport.WriteAsync(new Example { AnswerTexts = [.. Enumerable.Repeat(" a"u8.ToArray(), length)] });
    }

    [Fact]
    public void Media_BlocksOfOneVideo_AreOneVideo()
    {
        VisionBlock Block(bool isVideo, int rows) =>
            new()
            {
                StartPosition = 0,
                EndPosition = rows + 1,
                IsVideo = isVideo,
                TurnIndex = 0,
                Grid = new PatchGrid(1, rows, 1),
            };

        VisionBlock[] blocks = [Block(false, 2), Block(true, 2), Block(true, 2), Block(true, 2), Block(true, 3)];

        Assert.Equal(
            ["Picture 1: 0", "Video 2: 1 2 3", "Video 3: 4"],
            ReportMedia
                .Of(blocks, [])
                .Select(media => $"{media.Name}: {string.Join(' ', media.Frames.Select(frame => frame.Block))}")
        );
        Assert.Equal(
            ["Picture 1: 0", "Video 2: 1 2", "Video 3: 3", "Video 4: 4"],
            ReportMedia
                .Of(blocks, [new(2, 2, 1), new(1, 2, 1), new(1, 3, 1)])
                .Select(media => $"{media.Name}: {string.Join(' ', media.Frames.Select(frame => frame.Block))}")
        );
    }

    [Fact]
    public void Media_PictureInTiles_IsOnePictureTwice()
    {
        static VisionBlock Block(int start, int end) =>
            new()
            {
                StartPosition = start,
                EndPosition = end,
                IsVideo = false,
                TurnIndex = 0,
                Grid = new PatchGrid(1, end - start - 1, 1),
            };

        // Tiles at 1 to 6, the whole at 7 and 8; then a picture of one tile at 10 and 11.
        Assert.Equal(
            ["Picture 1", "Picture 1 as one tile", "Picture 2"],
            ReportMedia.Of([Block(0, 7), Block(6, 9), Block(9, 12)], []).Select(media => media.Name)
        );
    }

    [Fact]
    public async Task WriteAsync_RoadSign_StaysUnderSizeBound()
    {
        (var trace, var maps) = RoadSign.Read();

        var report = await WrittenReport.WriteAsync(trace, maps);

        Assert.InRange(Encoding.UTF8.GetByteCount(report.Html), 1, 350_000);
        Assert.Equal(75, report.Data.GetProperty("answer").GetArrayLength());
    }

    private static ActivationMaps With(
        ActivationMaps maps,
        SequenceLayout layout,
        IReadOnlyList<AnswerToken>? answer = null
    ) =>
        new()
        {
            Layout = layout,
            Options = maps.Options,
            EngineName = maps.EngineName,
            Answer = answer ?? maps.Answer,
        };

    private static string Hash(string content) =>
        $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(content)))}'";

    // Base64 may spell anything, and is not looked into by a browser.
    private static string RemoveBlocks(string html) =>
        Regex.Replace(html, "<script type=\"application/octet-stream\".*?</script>", "", RegexOptions.Singleline);
}
