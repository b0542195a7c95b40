using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Tamx.Testing;

namespace Tamx.Web.Tests;

/// <summary>What the page says and does when something goes wrong, and whether everybody can use it.</summary>
[Collection(OnePage.Name)]
public sealed class PageTroubleTests(Chromium browser, SharedServer shared)
{
    private readonly RunningServer _server = shared.Running;

    [Fact]
    public async Task Files_ThatCannotBeUsed_AreNamedWithTheReason()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);

        await page.HandOverAsync("drop", "notes.txt", "text/plain", "hello"u8.ToArray());
        await Assertions
            .Expect(page.Page.Locator("ul.refusals"))
            .ToContainTextAsync("notes.txt: is no picture or video");
        await page.HandOverAsync("drop", "broken.png", "image/png", [1, 2, 3]);
        await Assertions.Expect(page.Page.Locator("ul.refusals")).ToContainTextAsync("broken.png: cannot be opened");
        await page.HandOverAsync("drop", "large.jpg", "image/jpeg", [.. RunningServer.Scene, .. new byte[10_000_000]]);
        await Assertions.Expect(page.Page.Locator("ul.refusals")).ToContainTextAsync("a picture can have 10.0");
        for (var i = 0; i < 8; i++)
        {
            await page.AttachAsync($"{i}.jpg", "image/jpeg", RunningServer.Scene);
        }

        await page.HandOverAsync("drop", "ninth.jpg", "image/jpeg", RunningServer.Scene);
        await Assertions
            .Expect(page.Page.Locator("ul.refusals"))
            .ToContainTextAsync("ninth.jpg: a question can have 8 pictures");
        await Assertions.Expect(page.Page.Locator(".attachments li")).ToHaveCountAsync(8);
    }

    [Fact]
    public async Task Refusal_OfTheServer_IsShownAndTheQuestionKept()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);

        // A browser shows what there is of it; the server reads it as a whole or not at all.
        await page.AttachAsync("cut.jpg", "image/jpeg", RunningServer.Scene[..(RunningServer.Scene.Length / 2)]);
        await page.Question.FillAsync("What is this?");
        await page.Ask.ClickAsync();

        await Assertions.Expect(page.Problem).ToContainTextAsync("cut.jpg");
        await Assertions.Expect(page.Question).ToHaveValueAsync("What is this?");
        await Assertions.Expect(page.Page.GetByAltText("cut.jpg")).ToBeVisibleAsync();
        await page.Button("Close").ClickAsync();
        await Assertions.Expect(page.Problem).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Queue_Full_OffersToTryAgain()
    {
        await using var small = await RunningServer.StartAsync(RunningServer.Options with { QueueLength = 0 });
        await using var first = await OpenPage.StartAsync(browser, small);
        await using var second = await OpenPage.StartAsync(browser, small);
        await first.StartLongAnswerAsync(RunningServer.Scene);
        await second.Question.FillAsync("Is anybody there?");
        await second.Ask.ClickAsync();
        await Assertions.Expect(second.Problem).ToContainTextAsync("The server is busy");
        second.ExpectRefusal(429);
        await first.Stop.ClickAsync();
        await first.DoneAsync();

        await second.Button("Try again").ClickAsync();

        await second.DoneAsync();
        await Assertions.Expect(second.Problem).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Worker_Killed_SaysSoAndTheNextTryAnswers()
    {
        await using var own = await RunningServer.StartAsync();
        await using var page = await OpenPage.StartAsync(browser, own);
        await page.StartLongAnswerAsync(RunningServer.Scene);

        System.Diagnostics.Process.GetProcessById(own.Server.WorkerId!.Value).Kill();

        await Assertions.Expect(page.Problem).ToContainTextAsync("The model broke off");
        await Assertions.Expect(page.Token(20)).ToBeVisibleAsync();
        await page.Button("Try again").ClickAsync();
        await page.Token(20).WaitForAsync();
        await page.Stop.ClickAsync();
        await page.DoneAsync();
    }

    [Fact]
    public async Task Server_Gone_IsSaid()
    {
        var own = await RunningServer.StartAsync();
        await using var page = await OpenPage.StartAsync(browser, own);
        await Assertions.Expect(page.Question).ToBeVisibleAsync();
        await own.DisposeAsync();

        await page.Question.FillAsync("Is anybody there?");
        await page.Ask.ClickAsync();

        await Assertions.Expect(page.Problem).ToContainTextAsync("The server does not answer");
        page.ExpectNoAnswer();
    }

    [Fact]
    public async Task Key_Needed_IsAskedForOnceAndTravelsWithEverything()
    {
        await using var own = await RunningServer.StartAsync(RunningServer.Options with { ApiKey = "sesame-open-1" });
        await using var page = await OpenPage.StartAsync(browser, own);
        var key = page.Page.Locator("input[name=key]");
        await key.FillAsync("sesame-open-2");
        await key.PressAsync("Enter");
        await Assertions.Expect(page.Page.Locator(".key .refusals")).ToHaveTextAsync("That is not the key.");
        page.ExpectRefusal(401);

        await key.FillAsync("sesame-open-1");
        await key.PressAsync("Enter");
        await page.Question.FillAsync("Hello?");
        await page.Ask.ClickAsync();
        await page.DoneAsync();
        var (name, content) = await page.DownloadAsync("Report (HTML)");

        Assert.Equal("Hello.html", name);
        Assert.True(content.Length > 1000);
        await page.Page.ReloadAsync();
        await page.DoneAsync();
        await Assertions.Expect(key).ToHaveCountAsync(0);
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 390)]
    public async Task Axe_EveryState_FindsNoViolation(ColorScheme scheme, int width)
    {
        var look = new BrowserNewContextOptions
        {
            ColorScheme = scheme,
            ViewportSize = new ViewportSize { Width = width, Height = 844 },
            ReducedMotion = ReducedMotion.Reduce,
        };
        await using var page = await OpenPage.StartAsync(browser, _server, look);
        await page.HandOverAsync("drop", "notes.txt", "text/plain", "hello"u8.ToArray());
        await page.AttachAsync("scene.jpg", "image/jpeg", RunningServer.Scene);
        await HoldAsync("start");
        await page.Page.Locator("button.tool", new() { HasText = "Options" }).ClickAsync();
        await HoldAsync("options");
        await page.Button("Done").ClickAsync();
        await page.Page.Locator("button[aria-label='Remove scene.jpg']").ClickAsync();
        await page.StartLongAnswerAsync(RunningServer.Scene);
        await HoldAsync("streaming");
        await page.StopIfWritingAsync();
        await page.DoneAsync();
        await HoldAsync("done");
        await page.Button("Answers").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".runs .run").First).ToBeVisibleAsync();
        await HoldAsync("answers");
        await page.Page.Keyboard.PressAsync("Escape");
        await page.Page.RouteAsync("**/api/explain", route => route.AbortAsync());
        await page.Question.FillAsync("And?");
        await page.Ask.ClickAsync();
        await Assertions.Expect(page.Problem).ToBeVisibleAsync();
        await HoldAsync("problem");
        page.ExpectNoAnswer();

        // A page that is being written may be caught between two colours: a violation is what is still there when
        // looked at again.
        async Task HoldAsync(string state)
        {
            var violations = await AxeCore.FindViolationsAsync(page.Page);
            for (var again = 0; again < 2 && violations.Length > 0; again++)
            {
                violations = [.. violations.Intersect(await AxeCore.FindViolationsAsync(page.Page))];
            }

            Assert.Empty(violations.Select(violation => $"{state}: {violation}"));
        }
    }

    [Fact]
    public async Task Status_WhileWorking_IsToldToThoseWhoDoNotSee()
    {
        await using var page = await OpenPage.StartAsync(browser, _server);
        await page.StartLongAnswerAsync(RunningServer.Scene);

        await Assertions
            .Expect(page.Page.GetByRole(AriaRole.Status).Filter(new() { HasText = "Writing" }))
            .ToBeVisibleAsync();
        await Assertions
            .Expect(page.Page.GetByRole(AriaRole.Progressbar))
            .ToHaveAttributeAsync("aria-valuenow", new Regex(@"^\d+$"));
        await page.Stop.ClickAsync();
        await page.DoneAsync();
    }
}
