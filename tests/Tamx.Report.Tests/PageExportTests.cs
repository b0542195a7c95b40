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

        Assert.Equal("kind,run,picture,frame,row,column,position,text,value", rows[0].TrimStart('\uFEFF'));
        Assert.Equal(20, rows.Count(row => row.StartsWith("map,", StringComparison.Ordinal)));
        Assert.Contains("map,,0,0,1,2,,,6", rows);
        Assert.Contains("map,,1,1,1,0,,,6", rows);
        Assert.Contains(
            rows,
            row =>
                row.StartsWith("relevance of earlier text,,,,,,", StringComparison.Ordinal)
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

        // 40 x 30 pixels of picture over a legend; jet's highest colour in the one cell.
        Assert.Equal((40, 54), (image.Width, image.Height));
        var at = 3 * ((15 * image.Width) + 25);
        Assert.Equal([128, 0, 0], image.Pixels[at..(at + 3)].ToArray());
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
        Assert.Equal($"bus-bmp-Token-activation-maps{ending}", download.SuggestedFilename);
        return await read(await download.PathAsync(), CancellationToken.None);
    }
}
