using Microsoft.Playwright;

namespace Tamx.Report.Tests;

/// <summary>A report on a phone: each part has its place, and none lies on another.</summary>
public class PhoneTests(Chromium browser)
{
    /// <summary>What lies, in part, under something that is none of it: of tokens and controls that can be seen.</summary>
    private const string Covered = """
        () => [...document.querySelectorAll(".token, button, input, select, .stage, .inspector h2")]
          .filter((one) => one.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true }) && !one.closest("details:not([open]) > :not(summary)"))
          .filter((one) => {
            const box = one.getBoundingClientRect();
            const clip = one.closest(".chat, .inspector, .controls, .pictures")?.getBoundingClientRect() ?? new DOMRect(0, 0, innerWidth, innerHeight);
            const pane = one.closest(".pane.left")?.getBoundingClientRect() ?? clip;
            const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
            const isWithin = (at) => x > at.left && x < at.right && y > at.top && y < at.bottom;
            const isSeen = box.width > 1 && isWithin(clip) && isWithin(pane) && x < innerWidth && y > 0 && y < innerHeight;
            const top = isSeen ? document.elementFromPoint(x, y) : one;
            return !one.contains(top) && !top?.contains(one) && !one.closest("label")?.contains(top);
          })
          .map((one) => `${one.className || one.textContent}: ${JSON.stringify(one.getBoundingClientRect())}`)
        """;

    [Theory]
    [InlineData(390, 844)]
    [InlineData(360, 640)]
    [InlineData(844, 390)]
    public async Task Card_OfALongAnswer_CoversNothing(int width, int height)
    {
        string[] words = ["One", " of", " many", " words"];
        var example = new Example
        {
            AnswerTexts = [.. Enumerable.Range(0, 300).SelectMany(i => Example.Tokens(words[i % words.Length]))],
        };
        var look = new BrowserNewContextOptions
        {
            HasTouch = true,
            IsMobile = true,
            ViewportSize = new ViewportSize { Width = width, Height = height },
        };
        await using var report = await browser.OpenAsync(example, "#tok=2", look);

        Assert.Equal(width, await report.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        foreach (var share in new[] { 0, 0.5, 1 })
        {
            await report.Page.EvaluateAsync("(share) => scrollTo(0, share * document.body.scrollHeight)", share);
            await report.Page.EvaluateAsync(
                "(share) => document.querySelector('.chat').scrollTo(0, share * 1e5)",
                share
            );
            Assert.Empty(await report.Page.EvaluateAsync<string[]>(Covered));
        }

        // A word at the end is chosen where it stands, and stays in sight.
        var last = report.Token(299);
        await last.TapAsync();
        await Assertions.Expect(last).ToHaveAttributeAsync("aria-selected", "true");
        await Assertions.Expect(last).ToBeInViewportAsync();
        Assert.Empty(await report.Page.EvaluateAsync<string[]>(Covered));
    }
}
