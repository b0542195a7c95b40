using Microsoft.Playwright;

namespace Tamx.Report.Tests;

/// <summary>What somebody sees who opens a report, and how far the page's colours can be trusted.</summary>
public class FirstSightTests(Chromium browser)
{
    [Fact]
    public async Task Open_WithoutAnAddress_ShowsTheMostTellingWordAndSaysSo()
    {
        await using var report = await browser.OpenAsync(
            new Example { MapValue = (token, cell) => token == 2 && cell == 6 ? 1 : 0.2f, HasVideo = false }
        );

        Assert.Equal([2], (IEnumerable<int>)await report.SelectedAsync());
        await Assertions.Expect(report.Page.Locator(".caption")).ToHaveTextAsync("Where bus came from");
        Assert.Equal("", await report.HashAsync());
        await report.Page.Keyboard.PressAsync("Escape");
        Assert.Empty(await report.SelectedAsync());
    }

    [Fact]
    public async Task Open_LongAnswer_BeginsAtItsTop()
    {
        string[] words = ["One", " of", " many", " words"];
        var example = new Example
        {
            AnswerTexts = [.. Enumerable.Range(0, 1500).SelectMany(i => Example.Tokens(words[i % words.Length]))],
            MapValue = (token, cell) => token == 1400 && cell == 0 ? 1 : 0.1f,
        };
        await using var report = await browser.OpenAsync(example);

        Assert.Equal(0, await report.Page.EvaluateAsync<int>("document.querySelector('.chat').scrollTop"));
        Assert.Equal([1400], (IEnumerable<int>)await report.SelectedAsync());
    }

    [Theory]
    [InlineData(1440, ColorScheme.Light)]
    [InlineData(1024, ColorScheme.Dark)]
    [InlineData(390, ColorScheme.Light)]
    public async Task About_AtAnyWidth_ExplainsTheTermsAndTheRun(int width, ColorScheme scheme)
    {
        var run = new RunInfo
        {
            Model = "Demo",
            ModelFile = "demo.gguf",
            Quantization = "Q4_K_M",
            Created = new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero),
            Temperature = 0,
        };
        var look = new BrowserNewContextOptions
        {
            ColorScheme = scheme,
            TimezoneId = "UTC",
            ViewportSize = new ViewportSize { Width = width, Height = 800 },
        };
        await using var report = await browser.OpenAsync(new Example { Run = run }, "", look);
        await report
            .Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "What am I looking at?" })
            .FocusAsync();
        await report.Page.Keyboard.PressAsync("Enter");

        var text = await report.Page.Locator("dialog[open]").InnerTextAsync();
        string[] wanted =
        [
            "A map is no proof that the model looked there",
            "ECI",
            "Share",
            "Scales",
            "What is this?",
            "Demo",
            "Q4_K_M",
            "4 May 2026, 12:00",
            "tamx explain -m demo.gguf",
        ];
        Assert.All(wanted, one => Assert.Contains(one, text, StringComparison.Ordinal));
        Assert.Empty(await AxeCore.FindViolationsAsync(report.Page));
        Assert.Equal(width, await report.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
    }

    /// <summary>The example's raw ranges are 0 to 10 + index.</summary>
    private static Example Weak(float value) =>
        new() { HasVideo = false, MapValue = (token, cell) => cell == 5 ? (token == 3 ? value : 1) : 0 };

    [Theory]
    [InlineData(9e-9f, "weak", 0, 1)]
    [InlineData(0.09f, "weak", 100, 155)]
    [InlineData(0, "zero map", 0, 0)]
    [InlineData(0.5f, "", 255, 255)]
    public async Task Map_OfLittleActivation_FadesAndSaysSo(float value, string said, int least, int most)
    {
        await using var report = await browser.OpenAsync(Weak(value), "#tok=3&drawn=cells&opacity=100");

        await Assertions.Expect(report.Page.Locator("figcaption .weak")).ToHaveTextAsync(said);
        await Assertions
            .Expect(report.Page.Locator(".inspector .weak").First)
            .ToBeVisibleAsync(new() { Visible = said.Length > 0 });
        Assert.InRange((await report.PixelAsync(0, 1.5 / 4, 1.5 / 3))[3], least, most);
    }

    [Fact]
    public async Task Map_OfLittleActivation_HasItsColourOnTheCommonScale()
    {
        await using var report = await browser.OpenAsync(
            Weak(0.09f),
            "#tok=3&drawn=cells&opacity=100&scale=all&map=jet"
        );

        // The low end of the scale, with what is left of the opacity there.
        var pixel = await report.PixelAsync(0, 1.5 / 4, 1.5 / 3);
        Assert.True(pixel[2] > 120 && pixel[0] < 10, string.Join(", ", pixel));
    }

    [Fact]
    public async Task ArabicWord_OverTokens_IsJoined()
    {
        await using var whole = await browser.OpenAsync(new Example { AnswerTexts = Example.Tokens("مرحبا") });
        await using var parts = await browser.OpenAsync(
            new Example { AnswerTexts = Example.Tokens("مرح", "با") },
            "#tok=1"
        );

        var joined = (await whole.Token(0).BoundingBoxAsync())!.Width;
        var (first, last) = ((await parts.Token(0).BoundingBoxAsync())!, (await parts.Token(1).BoundingBoxAsync())!);
        Assert.Equal(joined, first.Width + last.Width, 0.6);
    }

    [Fact]
    public async Task RestOfACharacter_Selected_ReadsWhole()
    {
        var bus = "🚌"u8.ToArray();
        await using var report = await browser.OpenAsync(
            new Example { AnswerTexts = [" a"u8.ToArray(), bus[..2], bus[2..]] },
            "#tok=2"
        );

        await Assertions.Expect(report.Page.Locator(".inspector h2")).ToContainTextAsync("🚌");
        await Assertions.Expect(report.Page.Locator(".caption")).ToContainTextAsync("🚌");
    }

    /// <summary>Counted, not timed: a step draws each picture once.</summary>
    [Fact]
    public async Task TwoThousandTokens_OverEightPictures_DrawEachPictureOncePerStep()
    {
        string[] words = ["A", " long", " answer", " of", " many", " words", "."];
        var example = new Example
        {
            HasVideo = false,
            PictureCount = 8,
            AnswerTexts = [.. Enumerable.Range(0, 2000).SelectMany(i => Example.Tokens(words[i % words.Length]))],
        };
        await using var report = await browser.OpenAsync(example, "#tok=10");

        var draws = await report.Page.EvaluateAsync<int>(
            """
            async () => {
              let count = 0;
              const plain = CanvasRenderingContext2D.prototype.putImageData;
              CanvasRenderingContext2D.prototype.putImageData = function (...values) {
                count++;
                return plain.apply(this, values);
              };
              document.querySelector("[data-token='10']").focus();
              for (let i = 0; i < 5; i++) {
                document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
                await new Promise(requestAnimationFrame);
              }
              return count;
            }
            """
        );

        Assert.Equal(5 * 8, draws);
        Assert.Equal([15], (IEnumerable<int>)await report.SelectedAsync());
    }
}
