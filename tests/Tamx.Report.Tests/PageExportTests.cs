using System.Text.Json;
using Microsoft.Playwright;
using Tamx.Llama.Media;

namespace Tamx.Report.Tests;

/// <summary>What a person can save from the page.</summary>
public class PageExportTests(Chromium browser)
{
    private static readonly Example OneCell = new() { MapValue = (_, cell) => cell == 6 ? 0.5f : 0 };

    [Fact]
    public async Task Export_Csv_HoldsCellsAndText()
    {
        await using var report = await browser.OpenAsync(
            new Example { AnswerTexts = Example.Tokens("say", " \"a,b\"", "!"), MapValue = OneCell.MapValue },
            "#tok=2"
        );

        var rows = (await SaveAsync(report, "Numbers (CSV)", ".csv", File.ReadAllTextAsync)).Split("\r\n");

        Assert.Equal("kind,token,run,picture,name,frame,row,column,position,text,value", rows[0].TrimStart('\uFEFF'));
        Assert.Equal(20, rows.Count(row => row.StartsWith("map,", StringComparison.Ordinal)));
        Assert.Equal("answer,!,,,,,,,,\"say \"\"a,b\"\"!\",", rows[1]);
        Assert.Contains("map,!,,0,bus.bmp,0,1,2,,,6", rows);
        Assert.Contains("map,!,,1,Video 2,1,1,0,,,6", rows);
        Assert.Contains(
            rows,
            row =>
                row.StartsWith("relevance of earlier text,!,,,,,,,", StringComparison.Ordinal)
                && row.EndsWith(",\" \"\"a,b\"\"\",1", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Export_Json_HoldsTheSelection()
    {
        await using var report = await browser.OpenAsync(OneCell, "#tok=1&cand=1");

        using var document = JsonDocument.Parse(
            await SaveAsync(report, "Numbers (JSON)", ".json", File.ReadAllTextAsync)
        );
        var root = document.RootElement;

        Assert.Equal("tamx-view/1", root.GetProperty("format").GetString());
        Assert.Equal(" other", root.GetProperty("selection").GetProperty("candidate").GetProperty("text").GetString());
        Assert.Equal("A red bus.", root.GetProperty("answer").GetString());
        Assert.Equal("bus.bmp", root.GetProperty("pictures")[0].GetString());
        Assert.Equal(3, root.GetProperty("maps").GetArrayLength());
        Assert.Equal(5.5, root.GetProperty("maps")[0].GetProperty("values")[6].GetDouble());
    }

    [Fact]
    public async Task Export_Png_IsThePictureWithItsMap()
    {
        await using var report = await browser.OpenAsync(
            new Example { MapValue = OneCell.MapValue, HasVideo = false },
            "#tok=1&drawn=cells&opacity=100&map=jet"
        );

        var image = RgbImage.Decode(await SaveAsync(report, "Picture (PNG)", ".png", File.ReadAllBytesAsync), "export");

        // Three lines of text over 40 x 30 pixels of picture, with its legend and its name below; jet's highest colour
        // in the one cell.
        Assert.Equal((40, 68 + 30 + 48), (image.Width, image.Height));
        var at = 3 * (((68 + 15) * image.Width) + 25);
        Assert.Equal([128, 0, 0], image.Pixels[at..(at + 3)].ToArray());
    }

    [Fact]
    public async Task Export_PngOfSeveralPictures_IsAGrid()
    {
        await using var report = await browser.OpenAsync(new Example { HasVideo = false, PictureCount = 4 }, "#tok=1");

        var image = RgbImage.Decode(await SaveAsync(report, "Picture (PNG)", ".png", File.ReadAllBytesAsync), "export");

        // Two beside each other, and two below, with gaps of 16.
        Assert.Equal((40 + 16 + 40, 68 + (2 * (30 + 48)) + 16), (image.Width, image.Height));
    }

    [Theory]
    [InlineData("#tok=2", "0002-bus")]
    [InlineData("#tok=1&cand=1", "0001-other")]
    [InlineData("#tok=1-2", "0001-red-bus")]
    [InlineData("#ctx=0", "prompt-0000-You-are-a-careful-assistant")]
    public async Task Export_OfASelection_IsNamedAfterIt(string hash, string name)
    {
        await using var report = await browser.OpenAsync(OneCell, hash);
        await report.Page.Locator(".menu summary").ClickAsync();
        var download = await report.Page.RunAndWaitForDownloadAsync(() =>
            report.Page.GetByRole(AriaRole.Button, new() { Name = "Numbers (JSON)" }).ClickAsync()
        );

        Assert.Equal($"bus-bmp-Token-activation-maps-{name}.json", download.SuggestedFilename);
    }

    private static async Task<T> SaveAsync<T>(
        OpenReport report,
        string item,
        string ending,
        Func<string, CancellationToken, Task<T>> read
    )
    {
        await report.Page.Locator(".menu summary").ClickAsync();
        var download = await report.Page.RunAndWaitForDownloadAsync(() =>
            report.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = item }).ClickAsync()
        );
        Assert.StartsWith("bus-bmp-Token-activation-maps-000", download.SuggestedFilename, StringComparison.Ordinal);
        Assert.EndsWith(ending, download.SuggestedFilename, StringComparison.Ordinal);
        return await read(await download.PathAsync(), CancellationToken.None);
    }
}
