using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Tamx.Report.Tests;

/// <summary>Selecting tokens, words and spans, and what follows from it.</summary>
public class SelectionTests(Chromium browser)
{
    private static readonly Example Words = new()
    {
        AnswerTexts = Example.Tokens("A", " ze", "bra", " and", " a", " gno", "u", "."),
    };

    [Fact]
    public async Task Click_Token_SelectsItAndTwiceNothing()
    {
        await using var report = await browser.OpenAsync(new Example());

        await report.Token(2).ClickAsync();

        Assert.Equal([2], (IEnumerable<int>)await report.SelectedAsync());
        Assert.Equal("#tok=2", await report.HashAsync());
        await Assertions.Expect(report.Page.Locator(".inspector h2")).ToContainTextAsync("bus");
        await Assertions.Expect(report.Page.Locator(".inspector h2")).ToContainTextAsync("token 3 of 4");
        await report.Token(2).ClickAsync();
        Assert.Empty(await report.SelectedAsync());
        Assert.Equal("", await report.HashAsync());
    }

    [Fact]
    public async Task Hover_Token_PreviewsItAndGivesItBack()
    {
        await using var report = await browser.OpenAsync(new Example(), "#tok=1");
        var selected = await report.DrawingAsync();

        await report.Token(3).HoverAsync();

        Assert.NotEqual(selected, await report.DrawingAsync());
        Assert.Equal([1], (IEnumerable<int>)await report.SelectedAsync());
        await report.Page.Mouse.MoveAsync(700, 700);
        Assert.Equal(selected, await report.DrawingAsync());
    }

    [Fact]
    public async Task Drag_OverTokens_SelectsTheSpan()
    {
        await using var report = await browser.OpenAsync(Words);

        await Drag(report, 5, 2);

        Assert.Equal([2, 3, 4, 5], (IEnumerable<int>)await report.SelectedAsync());
        Assert.Equal("#tok=2-5", await report.HashAsync());
        await Assertions.Expect(report.Page.Locator(".inspector h2")).ToContainTextAsync("tokens 3–6 of 8");

        // Each cell shows the highest raw value of the span: 0 x 5 % 11 and so on, on the tokens' own ranges of 10 +
        // index.
        (var _, var maps) = Words.Build();
        var highest = Enumerable
            .Range(2, 4)
            .Max(i => maps.Answer[i].Token.VisionMaps[0]![0, 0] * maps.Answer[i].RawRange.Maximum);
        await report
            .Page.Locator(".stage")
            .First.HoverAsync(
                new LocatorHoverOptions
                {
                    Position = new Position { X = 4, Y = 4 },
                }
            );
        var value = await report.Page.Locator(".readout").First.TextContentAsync() ?? "";
        Assert.InRange(
            float.Parse(value.Split("  ")[0], System.Globalization.CultureInfo.InvariantCulture),
            highest - 0.06f,
            highest + 0.06f
        );
    }

    [Fact]
    public async Task ShiftClick_Token_ExtendsFromTheAnchor()
    {
        await using var report = await browser.OpenAsync(Words);
        await report.Token(4).ClickAsync();

        await report.Token(6).ClickAsync(new LocatorClickOptions { Modifiers = [KeyboardModifier.Shift] });
        Assert.Equal([4, 5, 6], (IEnumerable<int>)await report.SelectedAsync());
        await report.Token(3).ClickAsync(new LocatorClickOptions { Modifiers = [KeyboardModifier.Shift] });
        Assert.Equal([3, 4], (IEnumerable<int>)await report.SelectedAsync());
    }

    [Fact]
    public async Task WordMode_ClickAndArrows_TakeWholeWords()
    {
        await using var report = await browser.OpenAsync(Words);
        await report.ChooseAsync("unit", "word");

        await report.Token(2).ClickAsync();
        Assert.Equal([1, 2], (IEnumerable<int>)await report.SelectedAsync());
        await report.Page.Keyboard.PressAsync("ArrowRight");
        await report.Page.Keyboard.PressAsync("ArrowRight");
        await report.Page.Keyboard.PressAsync("ArrowRight");
        Assert.Equal([5, 6], (IEnumerable<int>)await report.SelectedAsync());
        await report.Page.Keyboard.PressAsync("Shift+ArrowLeft");
        Assert.Equal([4, 5, 6], (IEnumerable<int>)await report.SelectedAsync());
        Assert.Equal("#tok=4-6&unit=word", await report.HashAsync());
    }

    [Fact]
    public async Task Keys_StepExtendClear_MoveFocusAndSelection()
    {
        await using var report = await browser.OpenAsync(Words);
        await report.Page.Keyboard.PressAsync("Escape");
        var keys = report.Page.Keyboard;

        await keys.PressAsync("ArrowRight");
        Assert.Equal([0], (IEnumerable<int>)await report.SelectedAsync());
        await keys.PressAsync("ArrowRight");
        await keys.PressAsync("Shift+ArrowRight");
        await keys.PressAsync("Shift+ArrowRight");
        Assert.Equal([1, 2, 3], (IEnumerable<int>)await report.SelectedAsync());
        await keys.PressAsync("Shift+ArrowLeft");
        Assert.Equal([1, 2], (IEnumerable<int>)await report.SelectedAsync());
        await keys.PressAsync("End");
        Assert.Equal([7], (IEnumerable<int>)await report.SelectedAsync());
        Assert.Equal("7", await report.Page.EvaluateAsync<string>("document.activeElement.dataset.token"));
        await keys.PressAsync("Escape");
        Assert.Empty(await report.SelectedAsync());
    }

    [Fact]
    public async Task Search_Phrase_FindsOverTokenBordersAndSelectsInTurn()
    {
        await using var report = await browser.OpenAsync(Words);
        var field = report.Page.GetByRole(AriaRole.Searchbox);

        await field.FillAsync("ZEBRA and");
        await Assertions.Expect(report.Page.Locator(".count")).ToHaveTextAsync("1 found");
        Assert.Equal(3, await report.Page.Locator(".found").CountAsync());
        await field.PressAsync("Enter");
        Assert.Equal([1, 2, 3], (IEnumerable<int>)await report.SelectedAsync());

        await field.FillAsync("a");
        await field.PressAsync("Enter");
        await field.PressAsync("Enter");
        await Assertions.Expect(report.Page.Locator(".count")).ToContainTextAsync("2 of ");
        await field.PressAsync("Escape");
        Assert.Equal(0, await report.Page.Locator(".found").CountAsync());
    }

    [Fact]
    public async Task Candidate_ByKeyboard_SwitchesMapAndRelevance()
    {
        await using var report = await browser.OpenAsync(
            new Example { MapValue = (seed, cell) => (((seed * 5) + (cell * 7)) % 11 / 10f) },
            "#tok=0"
        );
        await report.Token(1).ClickAsync();
        var own = await report.DrawingAsync();

        await report.Page.Keyboard.PressAsync("Tab");
        Assert.Equal("candidate", await report.Page.EvaluateAsync<string>("document.activeElement.name"));
        await report.Page.Keyboard.PressAsync("ArrowDown");

        Assert.NotEqual(own, await report.DrawingAsync());
        Assert.Equal("#tok=1&cand=1", await report.HashAsync());
        Assert.True(await report.Page.EvaluateAsync<bool>("document.activeElement.checked"));
        var other = report.Page.Locator(".candidates .row").Nth(1);
        await Assertions.Expect(other).ToContainTextAsync("50.0");
        await Assertions.Expect(other).ToContainTextAsync("12.50");
        await report.Token(1).FocusAsync();
        await report.Page.Keyboard.PressAsync("ArrowUp");
        Assert.Equal(own, await report.DrawingAsync());
    }

    [Fact]
    public async Task Relevance_OfAToken_ShadesTheTextBeforeWithValues()
    {
        await using var report = await browser.OpenAsync(new Example());
        await report.Page.Keyboard.PressAsync("Escape");

        await report.Token(1).ClickAsync();

        // The relevance of the i-th of n texts is (i + 1) / n; there are 6 before the second token.
        var first = report.Page.Locator("[data-item='0']");
        await Assertions.Expect(first).ToHaveAttributeAsync("title", new Regex("^relevance 0\\.16"));
        await Assertions.Expect(report.Token(0)).ToHaveAttributeAsync("title", "relevance 1");
        await Assertions.Expect(report.Token(0)).ToHaveAttributeAsync("aria-label", "A, relevance 1");
        await Assertions.Expect(report.Token(2)).Not.ToHaveAttributeAsync("title", new Regex("."));
        await Assertions.Expect(report.Page.Locator(".sources .row").First).ToContainTextAsync("1.00");
    }

    [Fact]
    public async Task PromptWord_Click_ShowsWhatItLedTo()
    {
        await using var report = await browser.OpenAsync(new Example());

        await report.Page.Locator("[data-item='2']").ClickAsync();

        Assert.Equal("#ctx=2", await report.HashAsync());
        await Assertions.Expect(report.Page.Locator(".inspector h2")).ToContainTextAsync("is");

        // It is the third of 5, 6, 7 and 8 texts before the four tokens.
        await Assertions.Expect(report.Token(0)).ToHaveAttributeAsync("title", new Regex("^relevance to it 0\\.6"));
        await Assertions.Expect(report.Token(3)).ToHaveAttributeAsync("title", new Regex("^relevance to it 0\\.37"));
        await report.Page.Locator(".sources .row").First.ClickAsync();
        Assert.Equal([0], (IEnumerable<int>)await report.SelectedAsync());
    }

    [Fact]
    public async Task PromptWord_ThatWasExplained_HasAMapOfItsOwn()
    {
        await using var report = await browser.OpenAsync(new Example { HasPromptMaps = true });

        await report.Page.Locator("[data-item='3']").ClickAsync();

        await Assertions.Expect(report.Page.Locator(".stage canvas").First).ToBeVisibleAsync();
        var map = await report.DrawingAsync();
        await report.Page.Locator("[data-item='2']").ClickAsync();
        Assert.NotEqual(map, await report.DrawingAsync());
    }

    [Fact]
    public async Task Direction_To_ShowsLaterTokens()
    {
        await using var report = await browser.OpenAsync(new Example(), "#tok=1");

        await report.ChooseAsync("direction", "to");

        Assert.Equal("#tok=1&dir=to", await report.HashAsync());
        await Assertions.Expect(report.Token(2)).ToHaveAttributeAsync("title", "relevance to it 1");
        await Assertions.Expect(report.Token(0)).Not.ToHaveAttributeAsync("title", new Regex("."));
    }

    [Fact]
    public async Task Copy_WithASelection_TakesItsText()
    {
        await using var report = await browser.OpenAsync(Words, "#tok=1-3");

        var copied = await report.Page.EvaluateAsync<string>(
            """
            () => {
              const event = new ClipboardEvent("copy", { clipboardData: new DataTransfer(), bubbles: true, cancelable: true });
              document.body.dispatchEvent(event);
              return event.clipboardData.getData("text/plain");
            }
            """
        );

        Assert.Equal("zebra and", copied);
    }

    [Fact]
    public async Task Address_OfAView_RestoresEverything()
    {
        const string Hash =
            "#tok=1&cand=1&region=0.0.1.1.2.3&t=1.1&unit=word&dir=to&rank=strength&map=cividis&scale=all&drawn=cells&opacity=35&q=bus&contour=1";
        await using var report = await browser.OpenAsync(new Example(), Hash);
        var page = report.Page;

        Assert.Equal([1], (IEnumerable<int>)await report.SelectedAsync());
        Assert.Equal("cividis", await page.Locator("select[name=map]").InputValueAsync());
        Assert.Equal("35", await page.Locator("input[name=opacity]").InputValueAsync());
        foreach (
            var choice in new[] { "unit][value=word", "rank][value=strength", "scale][value=all", "drawn][value=cells" }
        )
        {
            await Assertions.Expect(page.Locator($"input[name={choice}]")).ToBeCheckedAsync();
        }

        await Assertions.Expect(page.Locator("input[name=contour]")).ToBeCheckedAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Searchbox)).ToHaveValueAsync("bus");
        await Assertions.Expect(page.Locator(".stage .region").First).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator(".transport .time")).ToContainTextAsync("2 of 2");

        // A change and its reverse write the same address again.
        await page.Locator("input[name=contour]").UncheckAsync();
        await page.Locator("input[name=contour]").CheckAsync();
        Assert.Equal(Hash, await report.HashAsync());
    }

    [Fact]
    public async Task Address_ThatDoesNotFit_ShowsWhatNoAddressDoes()
    {
        await using var report = await browser.OpenAsync(
            new Example(),
            "#tok=4&cand=7&map=__proto__&region=0.0.5.5.6.6&t=9.9&ctx=99&opacity=999&unit=x"
        );

        Assert.Single(await report.SelectedAsync());
        Assert.Equal("magma", await report.Page.Locator("select[name=map]").InputValueAsync());
        Assert.Equal(0, await report.Page.Locator(".stage .region:visible").CountAsync());
    }

    private static async Task Drag(OpenReport report, int from, int to)
    {
        var start = (await report.Token(from).BoundingBoxAsync())!;
        var end = (await report.Token(to).BoundingBoxAsync())!;
        await report.Page.Mouse.MoveAsync(start.X + (start.Width / 2), start.Y + (start.Height / 2));
        await report.Page.Mouse.DownAsync();
        await report.Page.Mouse.MoveAsync(
            end.X + (end.Width / 2),
            end.Y + (end.Height / 2),
            new MouseMoveOptions { Steps = 8 }
        );
        await report.Page.Mouse.UpAsync();
    }
}
