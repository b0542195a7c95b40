using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Tamx.Llama;

namespace Tamx.Report.Tests;

/// <summary>A report of an answer that was asked with a region hidden, kept alone or looked at.</summary>
public class RegionTests(Chromium browser)
{
    [Theory]
    [InlineData(1440, ColorScheme.Dark)]
    [InlineData(1024, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Light)]
    public async Task Open_HiddenRegion_SaysWhatWasAskedAndWhatBecameOfTheWords(int width, ColorScheme scheme)
    {
        var look = new BrowserNewContextOptions
        {
            ColorScheme = scheme,
            ViewportSize = new ViewportSize { Width = width, Height = 844 },
        };
        await using var report = await browser.OpenAsync(Asked(RegionUse.Hide), "", look);

        var part = report.Page.Locator(".asked-of");
        await Assertions
            .Expect(part)
            .ToContainTextAsync(
                "A region was hidden: Picture 1, 25\u2009% to 75\u2009% across, 0\u2009% to 67\u2009% down."
            );
        await Assertions.Expect(part).ToContainTextAsync("ln p of the answer changes by \u22121.50");
        await Assertions.Expect(part.Locator("li").First).ToHaveTextAsync(new Regex("^red \u22121.75"));
        var stage = (await report.Page.Locator(".stage").First.BoundingBoxAsync())!;
        var outline = (await report.Page.Locator(".outline.asked").BoundingBoxAsync())!;
        Assert.Equal(stage.X + (0.25 * stage.Width), outline.X, 1.5);
        Assert.Equal(0.5 * stage.Width, outline.Width, 3.0);
        Assert.Equal(stage.Height * 2 / 3, outline.Height, 3.0);

        await part.GetByLabel("Shade the words by it").FocusAsync();
        await report.Page.Keyboard.PressAsync("Space");
        await Assertions.Expect(report.Token(1)).ToHaveAttributeAsync("title", "ln p falls by 1.75");
        await Assertions.Expect(report.Token(2)).ToHaveAttributeAsync("title", "ln p rises by 0.25");
        Assert.NotEqual(await ColourAsync(1), await ColourAsync(2));
        Assert.Empty(await AxeCore.FindViolationsAsync(report.Page));
        await report.Page.Keyboard.PressAsync("Space");
        await Assertions.Expect(report.Token(2)).Not.ToHaveAttributeAsync("title", "ln p rises by 0.25");

        Task<string> ColourAsync(int token) =>
            report
                .Token(token)
                .EvaluateAsync<string>("one => getComputedStyle(one).getPropertyValue('--shade-colour')");
    }

    [Fact]
    public async Task Open_LookedAtRegion_HasItsCommand()
    {
        await using var report = await browser.OpenAsync(Asked(RegionUse.LookAt));

        await Assertions.Expect(report.Page.Locator(".asked-of")).ToContainTextAsync("looked at with alpha 2.5");
        await report.Page.GetByRole(AriaRole.Button, new() { Name = "How this was made" }).ClickAsync();
        await Assertions
            .Expect(report.Page.Locator(".command"))
            .ToContainTextAsync("--look-at 0.25,0,0.75,0.666667 --alpha 2.5");
    }

    [Fact]
    public async Task Open_NothingAsked_SaysNothing()
    {
        await using var report = await browser.OpenAsync(new Example());

        await Assertions.Expect(report.Page.Locator(".asked-of, .outline.asked")).ToHaveCountAsync(0);
    }

    [Fact]
    public void Write_Maps_HasRegionAndTheWordsChanges()
    {
        var (trace, maps) = Asked(RegionUse.Keep).Build();
        using var stream = new MemoryStream();
        MapsJson.Write(trace, maps, stream);
        using var json = JsonDocument.Parse(stream.ToArray());

        var region = json.RootElement.GetProperty("region");
        Assert.Equal("keep", region.GetProperty("use").GetString());
        Assert.Equal(JsonValueKind.Null, region.GetProperty("alpha").ValueKind);
        Assert.Equal(0, region.GetProperty("picture").GetInt32());
        Assert.Equal(0.75, region.GetProperty("box")[2].GetDouble());
        Assert.Equal(
            [0, -1.75, 0.25, 0],
            region.GetProperty("changes").EnumerateArray().Select(change => change.GetDouble())
        );
        var word = json.RootElement.GetProperty("words")[1];
        Assert.Equal("red", word.GetProperty("text").GetString());
        Assert.Equal(-1.75, word.GetProperty("regionChange").GetDouble());
    }

    private static Example Asked(RegionUse use) =>
        new()
        {
            HasVideo = false,
            RegionChanges = [0, -1.75f, 0.25f, 0],
            Run = new RunInfo
            {
                Model = "Demo",
                ModelFile = "demo.gguf",
                Region = new PictureRegion
                {
                    Use = use,
                    Box = new RegionBox(0.25, 0, 0.75, 2d / 3),
                    Alpha = 2.5f,
                },
            },
        };
}
