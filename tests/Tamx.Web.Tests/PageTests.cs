using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Tamx.Testing;

namespace Tamx.Web.Tests;

/// <summary>What a person does on the page, with the real server and the demo model behind it.</summary>
[Collection(OnePage.Name)]
public sealed class PageTests(Chromium browser, SharedServer shared)
{
    private readonly RunningServer _server = shared.Running;

    [Fact]
    public async Task Drop_PictureAndAsk_TokensAndMapsComeAndStay()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.HandOverAsync("drop", "scene.jpg", "image/jpeg", RunningServer.Scene);
        await Assertions.Expect(page.Page.Locator(".attachments img")).ToHaveCountAsync(1);
        await page.Question.FillAsync("Describe this image.");
        await page.Question.PressAsync("Enter");
        await Assertions.Expect(page.Page.Locator(".stage img")).ToBeVisibleAsync();
        await page.DoneAsync();

        await Assertions
            .Expect(page.Page.Locator(".answer .turn-text"))
            .ToContainTextAsync("An orange cross, a blue diamond and a purple heart.");
        await Assertions.Expect(page.Page.Locator(".stage.mapped")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Page.Locator(".status")).ToBeHiddenAsync();
        var before = await page.DrawingAsync();
        await page.Token(6).ClickAsync();
        await Assertions.Expect(page.Token(6)).ToHaveAttributeAsync("aria-selected", "true");
        Assert.NotEqual(before, await page.DrawingAsync());
        await Assertions.Expect(page.Page).ToHaveURLAsync(new Regex(@"\?run=[0-9a-f]{32}#tok=6$"));
    }

    [Fact]
    public async Task Paste_Picture_IsTaken()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);

        await page.HandOverAsync(
            "paste",
            "image.png",
            "image/png",
            TestPictures.Gradient(64, 48, "image.png").Encoded.ToArray()
        );

        await Assertions.Expect(page.Page.GetByAltText("image.png")).ToBeVisibleAsync();
        await page.Button("Remove image.png").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".attachments li")).ToHaveCountAsync(0);
        await Assertions.Expect(page.Ask).ToBeDisabledAsync();
    }

    [Fact]
    public async Task Export_OfARun_GivesReportTraceAndMaps()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.AttachAsync("scene.jpg", "image/jpeg", RunningServer.Scene);
        await page.Question.FillAsync("What is in this image?");
        await page.Ask.ClickAsync();
        await page.DoneAsync();
        var shown = await page.Page.Locator(".answer .turn-text").InnerTextAsync();

        var (name, report) = await page.DownloadAsync("Report (HTML)");
        var (traceName, trace) = await page.DownloadAsync("Trace (safetensors)");
        var (mapsName, maps) = await page.DownloadAsync("Maps (JSON)");

        Assert.Equal(
            ["What-is-in-this-image.html", "What-is-in-this-image.safetensors", "What-is-in-this-image.json"],
            (string[])[name, traceName, mapsName]
        );
        Assert.Equal("tamx-maps/1", JsonDocument.Parse(maps).RootElement.GetProperty("format").GetString());
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "report.html");
        await File.WriteAllBytesAsync(path, report);
        await File.WriteAllBytesAsync(Path.Combine(folder.Path, traceName), trace);
        Assert.Equal(shown.Trim(), Text(TraceFile.Load(Path.Combine(folder.Path, traceName))).Trim());
        await using var apart = await browser.NewContextAsync(new() { Offline = true });
        var opened = await apart.NewPageAsync();
        await opened.GotoAsync(new Uri(path).AbsoluteUri);
        await Assertions.Expect(opened.Locator(".answer .turn-text")).ToHaveTextAsync(shown);

        static string Text(Trace trace) =>
            string.Concat(trace.TokenIds[^trace.CandidateIds!.Count..].Select(trace.FindText));
    }

    [Fact]
    public async Task Stop_WhileTokensCome_KeepsThemAndFreesTheModel()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.StartLongAnswerAsync(RunningServer.Scene);
        await Assertions.Expect(page.Status).ToHaveTextAsync("Writing");
        await Assertions.Expect(page.Page.Locator(".token.current")).ToHaveCountAsync(1);

        await page.Stop.ClickAsync();
        await page.DoneAsync();

        var count = await page.Page.Locator("[data-token]").CountAsync();
        var shown = await page.Page.Locator(".answer .turn-text").InnerTextAsync();
        Assert.InRange(shown.Length, 20, OpenPage.LongAnswer.TrimEnd().Length - 1);
        await Assertions.Expect(page.Problem).ToHaveCountAsync(0);
        var (_, maps) = await page.DownloadAsync("Maps (JSON)");
        Assert.Equal(count, JsonDocument.Parse(maps).RootElement.GetProperty("answer").GetArrayLength());
        await _server.AssertServesAsync();
    }

    [Fact]
    public async Task Choose_TokenWhileOthersCome_KeepsIt()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.StartLongAnswerAsync(RunningServer.Scene);

        await page.Token(2).ClickAsync();
        await page.Token(120).WaitForAsync();

        await Assertions.Expect(page.Token(2)).ToHaveAttributeAsync("aria-selected", "true");
        await Assertions.Expect(page.Page.Locator(".inspector h2")).ToContainTextAsync("cross");
        await page.Stop.ClickAsync();
        await page.DoneAsync();
        await Assertions.Expect(page.Token(2)).ToHaveAttributeAsync("aria-selected", "true");
    }

    [Fact]
    public async Task SecondTab_AtTheSameTime_WaitsAndGetsItsAnswer()
    {
        await using var first = await OpenPage.StartAsync(browser, _server);
        await using var second = await OpenPage.StartAsync(browser, _server);
        await first.StartLongAnswerAsync(RunningServer.Scene);
        await second.AttachAsync("scene.jpg", "image/jpeg", RunningServer.Scene);
        await second.Ask.ClickAsync();
        await Assertions.Expect(second.Page.Locator(".phase-note")).ToHaveTextAsync("one question is before yours");
        await first.Stop.ClickAsync();

        await first.DoneAsync();
        await second.DoneAsync();

        await Assertions.Expect(first.Page.Locator(".asked .turn-text")).ToContainTextAsync("What is here?");
        await Assertions.Expect(second.Page.Locator(".answer .turn-text")).ToContainTextAsync("purple heart");
    }

    [Fact]
    public async Task Refresh_InTheMiddle_FreesTheModelAndKeepsTheQuestion()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.StartLongAnswerAsync(RunningServer.Scene);

        await page.Page.ReloadAsync();

        await Assertions.Expect(page.Problem).ToContainTextAsync("This answer is no longer there");
        await Assertions.Expect(page.Question).ToHaveValueAsync("What is here?");
        page.ExpectRefusal(404);
        await _server.AssertServesAsync();
        await page.Ask.ClickAsync();
        await page.DoneAsync();
    }

    [Fact]
    public async Task Refresh_AfterwardsAndBack_BringTheSameViewAgain()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.AttachAsync("scene.jpg", "image/jpeg", RunningServer.Scene);
        await page.Ask.ClickAsync();
        await page.DoneAsync();
        await page.Token(6).ClickAsync();
        await Assertions.Expect(page.Page).ToHaveURLAsync(new Regex("#tok=6$"));
        var drawn = await page.DrawingAsync();

        await page.Page.ReloadAsync();
        await page.DoneAsync();
        await Assertions.Expect(page.Token(6)).ToHaveAttributeAsync("aria-selected", "true");
        Assert.Equal(drawn, await page.DrawingAsync());

        await page.Button("New").ClickAsync();
        await Assertions
            .Expect(page.Page.GetByRole(AriaRole.Heading, new() { Level = 1 }))
            .ToHaveTextAsync("See where every word comes from");
        await page.Page.GoBackAsync();
        await page.DoneAsync();
        await Assertions.Expect(page.Page.Locator(".answer .turn-text")).ToContainTextAsync("purple heart");
    }

    [Fact]
    public async Task FollowUp_AfterAnAnswer_GoesOnWithTheConversation()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.AttachAsync("scene.jpg", "image/jpeg", RunningServer.Scene);
        await page.Ask.ClickAsync();
        await page.DoneAsync();
        await page.AttachAsync(
            "second.png",
            "image/png",
            TestPictures.Gradient(96, 64, "second.png").Encoded.ToArray()
        );
        await page.Question.FillAsync("And this one?");
        await page.Ask.ClickAsync();
        await page.DoneAsync();

        var asked = await page.AskedAsync();
        var messages = asked.GetProperty("messages");
        Assert.Equal(
            ["user", "assistant", "user"],
            messages.EnumerateArray().Select(message => message.GetProperty("role").GetString())
        );
        Assert.Equal(
            "An orange cross, a blue diamond and a purple heart.",
            messages[1].GetProperty("content").GetString()
        );
        Assert.Equal(
            "upload:file1",
            messages[2].GetProperty("content")[0].GetProperty("image_url").GetProperty("url").GetString()
        );
        await Assertions.Expect(page.Page.Locator(".turn")).ToHaveCountAsync(4);
        await Assertions.Expect(page.Page.Locator("figure")).ToHaveCountAsync(2);
    }

    [Fact]
    public async Task FollowUp_AfterAReload_KeepsThePictureAndItsName()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.AttachAsync("my scene.jpg", "image/jpeg", RunningServer.Scene);
        await page.Ask.ClickAsync();
        await page.DoneAsync();
        await page.Page.ReloadAsync();
        await page.DoneAsync();
        await Assertions.Expect(page.Page.Locator("figcaption .file")).ToHaveTextAsync("my scene.jpg");
        await Assertions.Expect(page.Question).ToHaveAttributeAsync("placeholder", new Regex("^Ask a follow-up"));

        await page.Question.FillAsync("What else?");
        await page.Ask.ClickAsync();
        await page.DoneAsync();

        var messages = (await page.AskedAsync()).GetProperty("messages");
        Assert.Equal(
            ["user", "assistant", "user"],
            messages.EnumerateArray().Select(message => message.GetProperty("role").GetString())
        );
        Assert.Equal(
            "An orange cross, a blue diamond and a purple heart.",
            messages[1].GetProperty("content").GetString()
        );
        await Assertions.Expect(page.Page.Locator("figure")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Page.Locator("figcaption .file")).ToHaveTextAsync("my scene.jpg");
    }

    [Fact]
    public async Task Example_Chosen_FillsInPictureAndQuestion()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.Button("scene-2.jpg").ClickAsync();

        await Assertions.Expect(page.Page.Locator(".attachments img")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Question).ToHaveValueAsync("Describe this image.");
        await page.Ask.ClickAsync();
        await page.DoneAsync();
        await Assertions.Expect(page.Page.Locator(".stage.mapped")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Example_Video_HasATimelineAndAReloadSaysThatItStartsAnew()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.Button("moving.gif").ClickAsync();
        await page.Ask.ClickAsync();
        await page.DoneAsync();
        await Assertions.Expect(page.Page.Locator(".timeline")).ToBeVisibleAsync();

        await page.Page.ReloadAsync();
        await page.DoneAsync();
        await Assertions.Expect(page.Page.GetByText("A question starts anew")).ToBeVisibleAsync();
    }

    [Theory]
    [InlineData(1440, ColorScheme.Dark)]
    [InlineData(390, ColorScheme.Light)]
    public async Task WhatIf_TheCrossIsHidden_ItsWordFallsAndAnewItIsAnotherAnswer(int width, ColorScheme scheme)
    {
        var look = new BrowserNewContextOptions
        {
            ColorScheme = scheme,
            ViewportSize = new ViewportSize { Width = width, Height = 900 },
        };
        await using var page = await OpenPage.StartAsync(browser, _server, look);
        await page.AttachAsync("scene.jpg", "image/jpeg", RunningServer.Scene);
        await page.Ask.ClickAsync();
        await page.DoneAsync();
        await Assertions.Expect(page.Button("Hide this place")).ToBeHiddenAsync();

        // From the second to the fifth cell each way, where the cross is.
        var stage = page.Page.Locator(".stage");
        await stage.FocusAsync();
        await page.Page.Keyboard.PressAsync("Escape");
        for (var i = 0; i < 12; i++)
        {
            await page.Page.Keyboard.PressAsync("ArrowUp");
            await page.Page.Keyboard.PressAsync("ArrowLeft");
        }

        for (var i = 0; i < 5; i++)
        {
            await page.Page.Keyboard.PressAsync("Shift+ArrowDown");
            await page.Page.Keyboard.PressAsync("Shift+ArrowRight");
        }

        await page.Button("Hide this place").ClickAsync();
        var result = page.Page.Locator(".what-if .result");
        await Assertions.Expect(result).ToContainTextAsync("Hidden: ln p of the answer changes by −");

        // Without the cross the answer would begin with another article: "An orange cross" becomes "A blue diamond".
        await Assertions.Expect(result.Locator("li").First).ToContainTextAsync(new Regex("^An −.* from 100"));
        await Assertions.Expect(page.Token(0)).ToHaveAttributeAsync("title", new Regex("^ln p falls by "));
        Assert.Empty(await AxeCore.FindViolationsAsync(page.Page));

        await page.Page.GetByLabel("answered anew").CheckAsync();
        await page.Button("Keep only it").ClickAsync();
        await Assertions.Expect(result.Locator("dd")).ToHaveCountAsync(2);
        await Assertions.Expect(result.Locator("dd").First).ToContainTextAsync("purple heart");
        await Assertions.Expect(result.Locator("dd").Last).Not.ToContainTextAsync("purple heart");
    }

    [Fact]
    public async Task Json_EditedAndAsked_SendsAllItsTurns()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.AttachAsync("scene.jpg", "image/jpeg", RunningServer.Scene);
        await page.Question.FillAsync("What is this?");
        await page.Button("JSON").ClickAsync();
        var area = page.Page.GetByRole(AriaRole.Textbox, new() { Name = "Conversation as JSON" });
        await Assertions.Expect(area).ToHaveValueAsync(new Regex("upload:file0"));

        await area.FillAsync("[{\"role\": \"user\"}]");
        await page.Page.Locator("dialog.json .primary").ClickAsync();
        await Assertions.Expect(page.Page.Locator("dialog.json [role=alert]")).ToContainTextAsync("message 1");

        await area.FillAsync(
            """
            [
              { "role": "system", "content": "Be brief." },
              {
                "role": "user",
                "content": [{ "type": "image_url", "image_url": { "url": "upload:file0" } }, { "type": "text", "text": "?" }]
              },
              { "role": "assistant", "content": "A cross." },
              { "role": "user", "content": "Where?" }
            ]
            """
        );
        await page.Page.Locator("dialog.json .primary").ClickAsync();
        await page.DoneAsync();

        var messages = (await page.AskedAsync()).GetProperty("messages");
        Assert.Equal(4, messages.GetArrayLength());
        await Assertions.Expect(page.Page.Locator(".turn")).ToHaveCountAsync(5);
        await Assertions.Expect(page.Page.Locator("figure")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Options_Changed_AreSentAndNoOthers()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.AttachAsync("scene.jpg", "image/jpeg", RunningServer.Scene);
        await page.Page.Locator("button.tool", new() { HasText = "Options" }).ClickAsync();
        await page.Page.Locator("[name=maxTokens]").FillAsync("5");
        await page.Page.Locator("[name=temperature]").FillAsync("0.5");
        await page.Page.Locator("[name=profile]").SelectOptionAsync("tuned");
        await Assertions
            .Expect(page.Page.Locator("[name=applyFilter] option").First)
            .ToHaveTextAsync("as the method (off)");
        await page.Page.Locator("[name=applyEci]").SelectOptionAsync("off");
        await page.Page.Locator("[name=system]").FillAsync("Be brief.");
        await page.Button("Done").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".badge")).ToHaveTextAsync("5");
        await page.Ask.ClickAsync();
        await page.DoneAsync();

        var asked = await page.AskedAsync();
        Assert.Equal("system", asked.GetProperty("messages")[0].GetProperty("role").GetString());
        Assert.Equal(
            """{"maxTokens":5,"sampling":{"temperature":0.5},"options":{"profile":"tuned","applyEci":false}}""",
            Rest(asked)
        );
        await Assertions.Expect(page.Page.Locator("[data-token]")).ToHaveCountAsync(5);
        await Assertions.Expect(page.Page.Locator(".facts")).ToContainTextAsync("profile Tuned");

        static string Rest(JsonElement asked)
        {
            var rest = asked.EnumerateObject().Where(one => one.Name != "messages");
            return "{" + string.Join(",", rest.Select(one => $"\"{one.Name}\":{one.Value.GetRawText()}")) + "}";
        }
    }

    [Fact]
    public async Task Animation_Asked_HasATimeline()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.AttachAsync(
            "moving.gif",
            "image/gif",
            TestVideos.Animation(ImageMagick.MagickFormat.Gif, 50, 50, 50, 50)
        );
        await Assertions.Expect(page.Question).ToHaveAttributeAsync("placeholder", "Describe this video.");
        await page.Ask.ClickAsync();
        await page.DoneAsync();

        await Assertions.Expect(page.Page.Locator("figure.video .timeline")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Answers_OfTheServer_CanBeOpenedAndDeleted()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.Question.FillAsync("A question of its own, for the list.");
        await page.Ask.ClickAsync();
        await page.DoneAsync();
        await page.Button("New").ClickAsync();
        await Assertions
            .Expect(page.Page.Locator(".recent .run-prompt").First)
            .ToHaveTextAsync("A question of its own, for the list.");
        await page.Page.Locator(".recent .run").First.ClickAsync();
        await page.DoneAsync();
        await Assertions.Expect(page.Page.Locator(".asked .turn-text")).ToContainTextAsync("A question of its own");

        await page.Button("Answers").ClickAsync();
        await Assertions
            .Expect(page.Page.Locator(".runs .run-prompt").First)
            .ToHaveTextAsync("A question of its own, for the list.");
        var count = await page.Page.Locator(".runs .run").CountAsync();
        await page.Button("Delete: A question of its own, for the list.").ClickAsync();

        await Assertions.Expect(page.Page.Locator(".runs .run")).ToHaveCountAsync(count - 1);
        await page.Page.ReloadAsync();
        await Assertions.Expect(page.Problem).ToContainTextAsync("This answer is no longer there");
        page.ExpectRefusal(404);
    }

    [Fact]
    public async Task Answers_OpenedWhileAnotherIsWritten_LetsGoOfThatOne()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.Question.FillAsync("The one to come back to.");
        await page.Ask.ClickAsync();
        await page.DoneAsync();
        await page.Button("New").ClickAsync();
        await page.StartLongAnswerAsync(RunningServer.Scene);

        await page.Button("Answers").ClickAsync();
        await page.Page.Locator(".runs .run", new() { HasText = "The one to come back to." }).First.ClickAsync();

        await page.DoneAsync();
        await Assertions.Expect(page.Page.Locator(".asked .turn-text")).ToContainTextAsync("The one to come back to.");
        await Assertions.Expect(page.Page.Locator(".status")).ToBeHiddenAsync();
        await _server.AssertServesAsync();
    }

    [Fact]
    public async Task Phone_ByTouch_AsksAndLooks()
    {
        var phone = new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = 390, Height = 844 },
            HasTouch = true,
            IsMobile = true,
        };
        await using var page = await OpenPage.StartAsync(browser, _server, phone);
        Assert.Equal(390, await WidthAsync());
        await page.AttachAsync("scene.jpg", "image/jpeg", RunningServer.Scene);
        await page.Ask.TapAsync();
        await page.DoneAsync();

        Assert.Equal(390, await WidthAsync());
        await page.Token(9).TapAsync();
        await Assertions.Expect(page.Token(9)).ToHaveAttributeAsync("aria-selected", "true");
        await Assertions.Expect(page.Page.Locator(".stage")).ToBeInViewportAsync();
        await page.Page.Locator(".menu summary").TapAsync();
        await Assertions.Expect(page.Button("Report (HTML)")).ToBeInViewportAsync(new() { Ratio = 1 });

        Task<int> WidthAsync() => page.Page.EvaluateAsync<int>("document.documentElement.scrollWidth");
    }

    [Fact]
    public async Task Keyboard_Alone_AsksStepsAndAsksOn()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.AttachAsync("scene.jpg", "image/jpeg", RunningServer.Scene);
        await Assertions.Expect(page.Question).ToBeFocusedAsync();
        await page.Page.Keyboard.TypeAsync("Describe");
        await page.Page.Keyboard.PressAsync("Shift+Enter");
        await page.Page.Keyboard.TypeAsync("this image.");
        Assert.Equal("Describe\nthis image.", await page.Question.InputValueAsync());
        await page.Page.Keyboard.PressAsync("Enter");
        await page.DoneAsync();

        await TabToAsync(".token.selectable[data-token]");
        await page.Page.Keyboard.PressAsync("Home");
        await page.Page.Keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(page.Token(1)).ToHaveAttributeAsync("aria-selected", "true");
        await TabToAsync("textarea[name=question]");
        await page.Page.Keyboard.TypeAsync("What color is the heart?");
        await page.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Page.Locator(".turn")).ToHaveCountAsync(4);
        await page.DoneAsync();
        await TabToAsync("button.new");
        await page.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Question).ToBeFocusedAsync();

        async Task TabToAsync(string wanted)
        {
            for (var i = 0; i < 80; i++)
            {
                if (await page.Page.EvaluateAsync<bool>("(wanted) => document.activeElement.matches(wanted)", wanted))
                {
                    return;
                }

                await page.Page.Keyboard.PressAsync("Tab");
            }

            Assert.Fail($"{wanted} cannot be reached");
        }
    }

    [Fact]
    public async Task Texts_OfHostileKind_AreShownAsText()
    {
        const string Hostile =
            "<img src=x onerror=\"document.title='broken'\"></script><script>document.title='broken'</script>";
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.AttachAsync("<b onclick=x>.jpg", "image/jpeg", RunningServer.Scene);
        await page.Question.FillAsync(Hostile);
        await page.Ask.ClickAsync();
        await page.DoneAsync();
        await Assertions.Expect(page.Page.Locator(".asked .turn-text")).ToContainTextAsync(Hostile);
        await page.Button("Answers").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".runs .run-prompt").First).ToHaveTextAsync(Hostile);

        Assert.Equal(0, await page.Page.Locator("img[src=x], b[onclick]").CountAsync());
        Assert.StartsWith("<img", await page.Page.TitleAsync(), StringComparison.Ordinal);
    }
}
