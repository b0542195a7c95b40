using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx.Report.Tests;

/// <summary>A report that grows with its answer, in the end the same as the one that is written at once.</summary>
public class GrowingReportTests(Chromium browser)
{
    private static readonly string[] Pieces =
    [
        "a",
        " bus",
        "🚌",
        "👨‍👩‍👧",
        "🇩🇪",
        "é",
        "e\u0301",
        "\u200d",
        "日本",
        " ",
        "\n",
        ".",
        "<|im_end|>",
        "שלום",
        "#",
        "ก็",
        "\r\n",
        "café",
        "naïve",
        "��",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Next_TextCutAnywhere_GivesTextsAndWordsOfTheWhole(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 60; round++)
        {
            byte[] bytes =
            [
                .. Enumerable
                    .Range(0, random.Next(1, 14))
                    .SelectMany(_ => Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)])),
            ];
            var cut = new List<byte[]>();
            for (var at = 0; at < bytes.Length; )
            {
                var length = Math.Min(random.Next(1, 6), bytes.Length - at);
                cut.Add(bytes[at..(at + length)]);
                at += length;
            }

            (var trace, var maps) = new Example { AnswerTexts = cut, HasVideo = false }.Build();
            var texts = new TokenTexts(trace.FindBytes);
            var whole = new ReportTokens(texts, trace.TokenIds.AsSpan(), maps.Layout);
            var first = maps.Layout.AnswerPositions[0];
            var growing = new ReportTokens(
                texts,
                trace.TokenIds.AsSpan(),
                maps.Layout with
                {
                    Turns = [.. maps.Layout.Turns.SkipLast(1)],
                    AnswerPositions = [],
                }
            );
            foreach (var position in maps.Layout.AnswerPositions)
            {
                string[] before = [.. growing.Texts];
                int[] words = [.. growing.WordStarts];
                var from = growing.Append(position, trace.TokenIds[position]);

                Assert.Equal(before.Take(from), growing.Texts.Take(from));
                Assert.Equal(
                    words.TakeWhile(start => start < from),
                    growing.WordStarts.TakeWhile(start => start < from)
                );
                Assert.Equal(growing.Texts.Count - 1, growing.IndexOf(position));
            }

            Assert.Equal(whole.Texts, growing.Texts);
            Assert.Equal(whole.WordStarts, growing.WordStarts);
            Assert.Equal(whole.Positions, growing.Positions);
            Assert.Equal(whole.Ids, growing.Ids);
            Assert.True(first > 0);
        }
    }

    [Fact]
    public async Task Next_AnyToken_CanBeReadWithoutThePage()
    {
        (var trace, var maps) = new Example { Probability = float.NaN }.Build();
        var growing = Replay.Of(trace, maps);
        Assert.DoesNotContain((byte)'\n', await growing.HeadAsync());

        JsonElement[] tokens =
        [
            .. maps.Answer.Select(
                (token, index) => JsonDocument.Parse(growing.Next(Streamed(token, index == 0))).RootElement
            ),
        ];

        StreamedToken Streamed(AnswerToken token, bool isThought) =>
            new(
                new GeneratedToken
                {
                    Index = 0,
                    Position = token.Position,
                    Id = token.Token.TokenId,
                    Text = $"text {token.Position}",
                    Logit = 0,
                    LogProbability = 0,
                    Candidates = [],
                    EndsAnswer = token == maps.Answer[^1],
                },
                token
            )
            {
                Piece = isThought ? new AnswerPiece(true, "why", "") : new(false, "", $"said {token.Position}"),
            };

        Assert.Equal([0, 1, 2, 3], tokens.Select(token => token.GetProperty("index").GetInt32()));
        Assert.Equal(
            maps.Answer.Select(token => $"text {token.Position}"),
            tokens.Select(token => token.GetProperty("text").GetString())
        );
        Assert.Equal(
            maps.Answer.Select(token => token.Position),
            tokens.Select(token => token.GetProperty("position").GetInt32())
        );
        Assert.Equal([true, false, false, false], tokens.Select(token => token.GetProperty("isThought").GetBoolean()));
        Assert.Equal(["why", "", "", ""], tokens.Select(token => token.GetProperty("thought").GetString()));
        Assert.Equal(
            maps.Answer.Select((token, index) => index == 0 ? "" : $"said {token.Position}"),
            tokens.Select(token => token.GetProperty("answer").GetString())
        );
        Assert.Equal([false, false, false, true], tokens.Select(token => token.GetProperty("endsAnswer").GetBoolean()));
        Assert.Equal(JsonValueKind.Null, tokens[0].GetProperty("probability").ValueKind);
        Assert.Equal(12.5, tokens[0].GetProperty("logit").GetDouble());
    }

    [Fact]
    public void Next_MapsOfOtherBlocks_Throws()
    {
        (var trace, var maps) = new Example().Build();
        (var _, var other) = new Example { HasVideo = false }.Build();
        var growing = Replay.Of(trace, maps);

        var error = Assert.Throws<InvalidInputException>(() => growing.Next(other.Answer[0]));

        Assert.Contains("answer token 0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void New_PictureThatNoPageShows_Throws()
    {
        (var trace, var maps) = new Example { MediaType = "image/tiff" }.Build();

        var error = Assert.Throws<InvalidInputException>(() => Replay.Of(trace, maps));

        Assert.Contains("image/tiff", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public async Task Page_AllTokens_KnowsWhatTheFileKnows(int bits)
    {
        var bus = "🚌"u8.ToArray();
        var example = new Example
        {
            AnswerTexts =
            [
                " a"u8.ToArray(),
                bus[..1],
                bus[1..3],
                bus[3..],
                " gno"u8.ToArray(),
                "u"u8.ToArray(),
                "."u8.ToArray(),
            ],
            HasPromptMaps = true,
        };
        (var trace, var maps) = example.Build();
        var options = new HtmlReportOptions { MapBits = bits };
        await using var page = await browser.GrowAsync();

        var growing = Replay.Of(trace, maps, options);
        await page.MountAsync(await growing.HeadAsync());
        byte[][] tokens = [.. maps.Answer.Select(token => growing.Next(token))];
        await page.AppendAsync(tokens[..1]);
        await page.AppendAsync(tokens[1..4]);
        await page.AppendAsync(tokens[4..]);
        var grown = await page.KnowledgeAsync();
        var shown = await page.Page.Locator(".chat").InnerTextAsync();

        await page.OpenAsync(await WriteAsync(trace, maps, options));
        Assert.Equal(await page.KnowledgeAsync(), grown);
        Assert.Equal(await page.Page.Locator(".chat").InnerTextAsync(), shown);
        Assert.Contains("a🚌··gnou.", shown.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, "Thought", "gnu.")]
    [InlineData(6, "Thought", null)]
    [InlineData(0, null, "a</think>gnu.")]
    public async Task Page_Thought_IsATurnOfItsOwn(int count, string? thought, string? answer)
    {
        (var trace, var maps) = new Example
        {
            AnswerTexts = Example.Tokens(" a", "\n", "</think>", "\n\n", " gnu", "."),
            ThoughtCount = count,
        }.Build();
        await using var page = await browser.GrowAsync();
        var growing = Replay.Of(trace, maps);
        await page.MountAsync(await growing.HeadAsync());
        byte[][] tokens = [.. maps.Answer.Select((token, index) => growing.Next(token, isThought: index < count))];
        await page.AppendAsync(tokens[..2]);
        await page.AppendAsync(tokens[2..]);
        var grown = await page.Page.Locator(".chat").InnerTextAsync();

        await page.OpenAsync(await WriteAsync(trace, maps, new HtmlReportOptions()));

        Assert.Equal(await page.Page.Locator(".chat").InnerTextAsync(), grown);
        await Assertions
            .Expect(page.Page.Locator(".thought summary"))
            .ToHaveTextAsync(thought is null ? [] : [thought]);
        var said = await page.Page.Locator(".answer .turn-text").AllInnerTextsAsync();
        Assert.Equal(answer is null ? [] : [answer], said.Select(text => Regex.Replace(text, "[\\s\u21B5]", "")));

        // A token in a thought that was closed is shown when it is chosen.
        await page.Page.Locator(".answer .token, .thought .token").First.ClickAsync();
        await Assertions.Expect(page.Page.Locator(".token.current")).ToHaveTextAsync("a");
        if (thought is not null)
        {
            await page.Page.Locator(".thought summary").ClickAsync();
            await Assertions.Expect(page.Page.Locator(".token.current")).ToBeHiddenAsync();
            await page.Page.EvaluateAsync("document.activeElement.blur()");
            await page.Page.Keyboard.PressAsync("Home");
            await Assertions.Expect(page.Page.Locator(".token.current")).ToBeVisibleAsync();
        }
    }

    [Fact]
    public async Task Page_AnswerOfAModel_KnowsWhatTheFileKnows()
    {
        using var model = await VisionLanguageModel.LoadAsync(
            new ModelOptions
            {
                ModelPath = TestModels.Qwen3Vl.ModelPath,
                ProjectorPath = TestModels.Qwen3Vl.ProjectorPath,
                ThreadCount = 1,
            }
        );
        ChatTurn[] messages =
        [
            new(TurnRole.User, [TestPictures.Gradient(128, 96, "first.png"), new TextPart("What is this?")]),
            new(TurnRole.Assistant, [new TextPart("It fades.")]),
            new(TurnRole.User, [TestPictures.Gradient(64, 160, "second.png"), new TextPart("And this?")]),
        ];
        var options = new ExplainOptions
        {
            Completion = new CompletionOptions { MaxNewTokens = 12, CandidateCount = 3 },
        };
        using var engine = new ReferenceEngine();
        await using var page = await browser.GrowAsync();
        using var live = await Explainer.StartAsync(model, messages, options, engine);

        // The prompt is there to see before the answer has a token.
        var growing = GrowingReport.Of(live);
        await page.MountAsync(await growing.HeadAsync());
        await foreach (var token in live.ReadAsync())
        {
            await page.AppendAsync(growing.Next(token));
        }

        var explanation = live.Finish();
        var grown = await page.KnowledgeAsync();
        await page.OpenAsync(await WriteAsync(explanation.Trace, explanation.Maps, new HtmlReportOptions()));
        Assert.True(explanation.Maps.Answer.Count >= 4, "the answer is too short to compare anything");
        Assert.Equal(await page.KnowledgeAsync(), grown);
    }

    [Fact]
    public async Task Page_WhileTokensCome_FollowsTheNewestUntilOneIsChosen()
    {
        (var trace, var maps) = new Example().Build();
        await using var page = await browser.GrowAsync();
        var growing = Replay.Of(trace, maps);
        await page.MountAsync(await growing.HeadAsync());
        await Assertions.Expect(page.Page.Locator(".stage img").First).ToBeVisibleAsync();
        await Assertions.Expect(page.Page.Locator(".chat")).Not.ToContainTextAsync("empty");

        await page.AppendAsync(growing.Next(maps.Answer[0]));
        await Assertions.Expect(page.Page.Locator(".token.current")).ToHaveTextAsync("A");
        await Assertions.Expect(page.Page.Locator(".stage.mapped")).ToHaveCountAsync(1);
        await page.AppendAsync(growing.Next(maps.Answer[1]));
        await Assertions.Expect(page.Page.Locator(".token.current")).ToHaveTextAsync(" red");
        await Assertions.Expect(page.Page.Locator(".facts")).ToContainTextAsync("2 tokens");
        Assert.Equal("", await page.Page.EvaluateAsync<string>("location.hash"));

        await page.Token(0).ClickAsync();
        await page.AppendAsync(growing.Next(maps.Answer[2]));
        await Assertions.Expect(page.Page.Locator("[aria-selected=true][data-token]")).ToHaveTextAsync("A");
        await Assertions.Expect(page.Token(2)).ToHaveClassAsync(new Regex("later"));
        await Assertions.Expect(page.Page.Locator(".inspector h2")).ToContainTextAsync("token 1 of 3");

        await page.Page.Keyboard.PressAsync("Escape");
        await page.Page.Mouse.MoveAsync(2, 2);
        await page.AppendAsync(growing.Next(maps.Answer[3]));
        await Assertions.Expect(page.Page.Locator(".token.current")).ToHaveTextAsync(".");
        await page.FinishAsync();

        // The last token is a full stop.
        var telling = Enumerable
            .Range(0, 3)
            .MaxBy(i =>
                maps.Answer[i]
                    .Token.VisionMaps.OfType<ActivationMap>()
                    .Max(map => map.Peak.Value - map.Values.ToArray().Average()) * maps.Answer[i].RawRange.Maximum
            );
        await Assertions.Expect(page.Token(telling)).ToHaveAttributeAsync("aria-selected", "true");
        await Assertions.Expect(page.Page.Locator(".growing")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Page_SearchWhileTokensCome_FindsThemToo()
    {
        (var trace, var maps) = new Example { AnswerTexts = Example.Tokens("A", " bus", " and", " a", " bus") }.Build();
        await using var page = await browser.GrowAsync();
        var growing = Replay.Of(trace, maps);
        await page.MountAsync(await growing.HeadAsync());
        await page.AppendAsync(growing.Next(maps.Answer[0]), growing.Next(maps.Answer[1]));
        await page.Page.GetByRole(AriaRole.Searchbox).FillAsync("bus");
        await Assertions.Expect(page.Page.Locator(".count")).ToHaveTextAsync("1 found");

        await page.AppendAsync([.. maps.Answer.Skip(2).Select(token => growing.Next(token))]);

        await Assertions.Expect(page.Page.Locator(".count")).ToHaveTextAsync("2 found");
        await Assertions.Expect(page.Page.Locator(".found")).ToHaveCountAsync(2);
    }

    [Fact]
    public async Task Unmount_ThenAnother_LeavesNothingListening()
    {
        (var trace, var maps) = new Example().Build();
        await using var page = await browser.GrowAsync();
        var html = await WriteAsync(trace, maps, new HtmlReportOptions());
        await page.OpenAsync(html);
        await page.OpenAsync(html);
        await page.Page.Keyboard.PressAsync("Escape");

        // Two listeners would step twice.
        await page.Page.Keyboard.PressAsync("ArrowRight");
        await page.Page.Keyboard.PressAsync("ArrowRight");

        await Assertions.Expect(page.Page.Locator("[data-token][aria-selected=true]")).ToHaveTextAsync(" red");
        await Assertions.Expect(page.Page).ToHaveURLAsync(new Regex("#tok=1$"));
        await page.Page.EvaluateAsync("window.live.unmount()");
        await page.Page.Keyboard.PressAsync("ArrowRight");
        await page.Page.WaitForTimeoutAsync(300);
        Assert.Equal("#tok=1", await page.Page.EvaluateAsync<string>("location.hash"));
        Assert.Equal("", await page.Page.Locator("#report").InnerHTMLAsync());
    }

    private static async Task<string> WriteAsync(Trace trace, ActivationMaps maps, HtmlReportOptions options)
    {
        using var stream = new MemoryStream();
        await HtmlReport.WriteAsync(trace, maps, stream, options);
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
