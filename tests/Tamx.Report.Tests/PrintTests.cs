using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Tamx.Report.Tests;

/// <summary>A report on paper.</summary>
public class PrintTests(Chromium browser)
{
    [Theory]
    [InlineData("A4", false, 1440)]
    [InlineData("A4", true, 390)]
    [InlineData("Letter", false, 390)]
    [InlineData("Letter", true, 1024)]
    public async Task Print_OnAnyPaper_FillsItsPagesAndHidesNothing(string format, bool landscape, int width)
    {
        var look = new BrowserNewContextOptions
        {
            ColorScheme = ColorScheme.Dark,
            ViewportSize = new ViewportSize { Width = width, Height = 800 },
        };
        await using var report = await browser.OpenAsync(new Example(), "#tok=2", look);

        var pdf = await report.Page.PdfAsync(
            new PagePdfOptions
            {
                Format = format,
                Landscape = landscape,
                PrintBackground = true,
            }
        );

        // Each page has content of its own; the whole is short.
        var pages = Regex.Count(Encoding.Latin1.GetString(pdf), @"/Type\s*/Page\b");
        Assert.InRange(pages, 1, 3);
    }

    [Theory]
    [InlineData(390)]
    [InlineData(1440)]
    public async Task Print_Layout_CoversNothing(int width)
    {
        var look = new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = 800 },
        };
        await using var report = await browser.OpenAsync(new Example(), "#tok=2", look);
        await report.Page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Print });
        await report.Page.EvaluateAsync("dispatchEvent(new Event('beforeprint'))");

        // Parts follow each other, in this order.
        var ends = float.MinValue;
        foreach (var part in new[] { ".chat", ".inspector", ".legend", ".caption", ".pictures", ".sheet" })
        {
            var box = (await report.Page.Locator(part).BoundingBoxAsync())!;
            Assert.True(box.Y >= ends - 1, $"{part} begins at {box.Y}, before {ends}");
            Assert.True(box.Height > 5, $"{part} has a height of {box.Height}");
            ends = box.Y + box.Height;
        }

        await Assertions.Expect(report.Page.Locator(".sheet figcaption")).ToHaveCountAsync(2);
        await Assertions.Expect(report.Page.Locator(".sheet")).ToContainTextAsync("red");
        await Assertions.Expect(report.Page.Locator(".sheet")).ToContainTextAsync("bus");
        await report.Page.EvaluateAsync("dispatchEvent(new Event('afterprint'))");
        await Assertions.Expect(report.Page.Locator(".sheet figure")).ToHaveCountAsync(0);
    }
}
