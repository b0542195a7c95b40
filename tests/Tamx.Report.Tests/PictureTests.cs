using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Tamx.Report.Tests;

/// <summary>Maps over pictures and videos: colours, scales, contour, values, regions, frames.</summary>
public class PictureTests(Chromium browser)
{
    /// <summary>One cell at 1, all others at 0, and the token's raw range 0 to 10 + its index.</summary>
    private static readonly Example OneCell = new() { MapValue = (seed, cell) => cell == 5 + seed ? 1 : 0 };

    [Theory]
    [InlineData("viridis", 0xFD, 0xE7, 0x25)]
    [InlineData("magma", 0xFC, 0xFD, 0xBF)]
    [InlineData("cividis", 0xFE, 0xE8, 0x38)]
    [InlineData("turbo", 144, 13, 0)]
    [InlineData("jet", 128, 0, 0)]
    public async Task ColourMap_OfTheHighestCell_IsItsLastColour(string name, int red, int green, int blue)
    {
        await using var report = await browser.OpenAsync(OneCell, $"#tok=0&drawn=cells&opacity=100&map={name}");

        var highest = await report.PixelAsync(0, 1.5 / 4, 1.5 / 3);

        Assert.InRange(highest[0], red - 3, red + 3);
        Assert.InRange(highest[1], green - 3, green + 3);
        Assert.InRange(highest[2], blue - 3, blue + 3);
        Assert.Equal(255, highest[3]);
    }

    [Theory]
    [InlineData("viridis")]
    [InlineData("magma")]
    [InlineData("cividis")]
    [InlineData("turbo")]
    [InlineData("jet")]
    public async Task ColourMap_OfThePage_IsTheLibrarys(string name)
    {
        await using var report = await browser.OpenAsync(OneCell, $"#tok=0&map={name}");
        var table = ColourTable.Of(Enum.Parse<ColourMap>(name, ignoreCase: true));

        // The scale's gradient has every fifteenth colour of the table.
        var gradient = await report.Page.Locator(".ramp").EvaluateAsync<string>("(one) => one.style.backgroundImage");

        int[][] stops =
        [
            .. Regex
                .Matches(gradient, @"rgb\((\d+),? (\d+),? (\d+)\)")
                .Select(match =>
                    match
                        .Groups.Values.Skip(1)
                        .Select(group => int.Parse(group.Value, CultureInfo.InvariantCulture))
                        .ToArray()
                ),
        ];
        Assert.Equal(18, stops.Length);
        Assert.All(
            stops.Index(),
            stop =>
                Assert.All(
                    stop.Item.Index(),
                    channel => Assert.InRange(channel.Item - table[(45 * stop.Index) + channel.Index], -1, 1)
                )
        );
    }

    [Fact]
    public async Task Opacity_Slider_ChangesTheCover()
    {
        await using var report = await browser.OpenAsync(OneCell, "#tok=0&drawn=cells&opacity=100");

        await report.Page.Locator("input[name=opacity]").FillAsync("40");

        Assert.InRange((await report.PixelAsync(0, 1.5 / 4, 1.5 / 3))[3], 101, 103);
        Assert.Equal("#tok=0&drawn=cells&opacity=40", await report.HashAsync());
    }

    [Fact]
    public async Task Cells_AndSmooth_DifferInsideACell()
    {
        await using var report = await browser.OpenAsync(OneCell, "#tok=0&drawn=cells&opacity=100");
        Assert.Equal(4, await report.Page.EvaluateAsync<int>("document.querySelector('.stage canvas').width"));

        await report.ChooseAsync("drawn", "smooth");

        Assert.Equal(32, await report.Page.EvaluateAsync<int>("document.querySelector('.stage canvas').width"));
        var centre = await report.PixelAsync(0, 1.5 / 4, 1.5 / 3);
        var edge = await report.PixelAsync(0, 1.1 / 4, 1.1 / 3);
        Assert.True(edge[0] < centre[0], $"{edge[0]} at the edge, {centre[0]} at the centre");
    }

    [Fact]
    public async Task Scale_Common_PutsTokensOnOneRange()
    {
        await using var report = await browser.OpenAsync(OneCell, "#tok=0&drawn=cells&opacity=100");
        var high = report.Page.Locator(".legend .high");
        await Assertions.Expect(high).ToHaveTextAsync("10.0");
        var own = await report.PixelAsync(0, 1.5 / 4, 1.5 / 3);

        await report.ChooseAsync("scale", "all");

        // Token 3 has the widest range, 0 to 13.
        await Assertions.Expect(high).ToHaveTextAsync("13.0");
        Assert.NotEqual(own, await report.PixelAsync(0, 1.5 / 4, 1.5 / 3));
    }

    [Fact]
    public async Task Contour_OfOneCell_GoesAroundIt()
    {
        await using var report = await browser.OpenAsync(OneCell, "#tok=0&drawn=cells&contour=1");

        Assert.Equal(
            "M1 1h1M1 2h1M1 1v1M2 1v1",
            await report.Page.Locator(".contour .line").First.GetAttributeAsync("d")
        );
    }

    [Fact]
    public async Task Contour_OnAGradient_IsOtsusThreshold()
    {
        var example = new Example { MapValue = (_, cell) => cell * cell / 121f };
        await using var report = await browser.OpenAsync(example, "#tok=0&drawn=cells&contour=1");
        byte[] levels = [.. Enumerable.Range(0, 12).Select(cell => (byte)Math.Round(255.0 * cell * cell / 121))];
        var threshold = OtsuThreshold.Of(levels);

        var path = await report.Page.Locator(".contour .line").First.GetAttributeAsync("d") ?? "";

        // Cells stand in rows of four; the region has a border at the right side of the picture for each of its rows.
        var rows = Enumerable.Range(0, 3).Count(row => levels[(4 * row) + 3] > threshold);
        Assert.Equal(rows, Regex.Count(path, "M4 \\dv1"));
        var cells = levels.Count(level => level > threshold);
        var inLastRow = levels[8..].Count(level => level > threshold);
        Assert.Equal(inLastRow, Regex.Count(path, "M\\d 3h1"));
        Assert.InRange(cells, 1, 11);
    }

    [Fact]
    public async Task Pointer_OverACell_ReadsItsValue()
    {
        await using var report = await browser.OpenAsync(OneCell, "#tok=0");
        var box = (await report.Page.Locator(".stage").First.BoundingBoxAsync())!;

        await report.Page.Mouse.MoveAsync(box.X + (box.Width * 1.5f / 4), box.Y + (box.Height * 1.5f / 3));

        await Assertions.Expect(report.Page.Locator(".readout").First).ToHaveTextAsync("10  row 2, column 2");
        await Assertions.Expect(report.Page.Locator(".legend .mark").First).ToBeVisibleAsync();
        await report.Page.Mouse.MoveAsync(2, 2);
        await Assertions.Expect(report.Page.Locator(".readout").First).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Region_Click_RanksTheTokensThatCameFromThere()
    {
        await using var report = await browser.OpenAsync(OneCell);
        await report.Page.Keyboard.PressAsync("Escape");
        var box = (await report.Page.Locator(".stage").First.BoundingBoxAsync())!;

        // The second token's one cell: 6, in row 2 and column 3. Of its video map cell 6 is lit as well.
        await report.Page.Mouse.ClickAsync(box.X + (box.Width * 2.5f / 4), box.Y + (box.Height * 1.5f / 3));

        Assert.Equal("#region=0.0.1.2.1.2", await report.HashAsync());
        var rows = report.Page.Locator(".found .row");
        Assert.Equal(1, await rows.CountAsync());
        await Assertions.Expect(rows.First).ToContainTextAsync("red");
        await Assertions.Expect(rows.First).ToContainTextAsync("50.0");
        await Assertions.Expect(report.Token(1)).ToHaveAttributeAsync("title", new Regex("^50\\.0.*of its activation"));
        await rows.First.ClickAsync();
        Assert.Equal([1], (IEnumerable<int>)await report.SelectedAsync());
        await report
            .Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Clear the region" })
            .ClickAsync();
        Assert.Equal("#tok=1", await report.HashAsync());
    }

    [Fact]
    public async Task Region_Drag_TakesAllCellsUnderIt()
    {
        await using var report = await browser.OpenAsync(OneCell, "#unit=word&rank=strength");
        await report.Page.Keyboard.PressAsync("Escape");
        var box = (await report.Page.Locator(".stage").First.BoundingBoxAsync())!;

        await report.Page.Mouse.MoveAsync(box.X + (box.Width * 3.5f / 4), box.Y + (box.Height * 1.9f / 3));
        await report.Page.Mouse.DownAsync();
        await report.Page.Mouse.MoveAsync(
            box.X + (box.Width * 1.2f / 4),
            box.Y + (box.Height * 1.2f / 3),
            new MouseMoveOptions { Steps = 5 }
        );
        await report.Page.Mouse.UpAsync();

        Assert.Equal("#region=0.0.1.1.1.3&unit=word&rank=strength", await report.HashAsync());

        // Tokens 0 to 2 have their lit cell there, of raw value 10, 11 and 12: the strongest first, as the mean of
        // three cells.
        string[] found =
        [
            .. (await report.Page.Locator(".found .row").AllInnerTextsAsync()).Select(text => text.Trim()),
        ];
        Assert.Equal(3, found.Length);
        Assert.Contains("bus", found[0], StringComparison.Ordinal);
        Assert.Contains("4", found[0], StringComparison.Ordinal);
        Assert.Contains("A", found[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Region_ByKeys_IsDrawnAndLookedUp()
    {
        await using var report = await browser.OpenAsync(OneCell);
        await report.Page.Keyboard.PressAsync("Escape");
        var stage = report.Page.Locator(".stage").First;

        await stage.FocusAsync();
        await report.Page.Keyboard.PressAsync("ArrowRight");
        await report.Page.Keyboard.PressAsync("Enter");
        Assert.Equal("#region=0.0.1.2.1.2", await report.HashAsync());
        await report.Page.Keyboard.PressAsync("Shift+ArrowDown");
        Assert.Equal("#region=0.0.1.2.2.2", await report.HashAsync());
        await report.Page.Keyboard.PressAsync("Escape");
        Assert.Equal("", await report.HashAsync());
    }

    [Fact]
    public async Task SeveralPictures_OfAToken_SayTheirShares()
    {
        // 3 of 12 cells of the picture and 3 of 8 of the video, all of the same value.
        await using var report = await browser.OpenAsync(
            new Example { MapValue = (_, cell) => cell < 3 ? 1 : 0 },
            "#tok=1"
        );

        Assert.Equal(2, await report.Page.Locator("figure").CountAsync());
        Assert.Equal(
            ["50.0\u2009%", "50.0\u2009%"],
            await report.Page.Locator("figcaption .share").AllInnerTextsAsync()
        );
    }

    [Fact]
    public async Task Token_BeforeAVideo_SaysThatThereIsNoMap()
    {
        await using var report = await browser.OpenAsync(new Example(), "#tok=0");

        await Assertions
            .Expect(report.Page.Locator("figcaption .share").Nth(1))
            .ToHaveTextAsync("no map: comes after this token");
        await Assertions.Expect(report.Page.Locator(".stage canvas").Nth(1)).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Video_OfAToken_StandsAtItsStrongestFrame()
    {
        // Cells 4 and up are the second frame.
        await using var report = await browser.OpenAsync(
            new Example { MapValue = (_, cell) => cell >= 3 ? 1 : 0 },
            "#tok=1"
        );
        var bars = report.Page.Locator(".bars .level");

        await Assertions.Expect(report.Page.Locator(".transport .time")).ToHaveTextAsync("2 of 2");
        Assert.Equal("25%", await bars.Nth(0).EvaluateAsync<string>("(one) => one.style.height"));
        Assert.Equal("100%", await bars.Nth(1).EvaluateAsync<string>("(one) => one.style.height"));
        var second = await report.DrawingAsync(1);

        await report.Page.Locator(".transport input").FillAsync("0");

        await Assertions.Expect(report.Page.Locator(".transport .time")).ToHaveTextAsync("1 of 2");
        Assert.NotEqual(second, await report.DrawingAsync(1));
        Assert.Equal("#tok=1&t=1.0", await report.HashAsync());
    }

    [Fact]
    public async Task Video_Play_GoesOnAndStops()
    {
        await using var report = await browser.OpenAsync(new Example(), "#tok=1&t=1.0");
        var play = report.Page.Locator(".play");

        await play.ClickAsync();
        await Assertions.Expect(play).ToHaveAttributeAsync("aria-pressed", "true");
        await Assertions.Expect(report.Page.Locator(".transport .time")).ToHaveTextAsync("2 of 2");
        await Assertions.Expect(report.Page.Locator(".transport .time")).ToHaveTextAsync("1 of 2");
        await play.ClickAsync();

        await Assertions.Expect(play).ToHaveAttributeAsync("aria-pressed", "false");
    }

    [Fact]
    public async Task Chip_OfAPicture_BringsItIntoSight()
    {
        await using var report = await browser.OpenAsync(new Example());

        await report.Page.GetByRole(AriaRole.Option, new PageGetByRoleOptions { Name = "Video 2" }).ClickAsync();

        await Assertions.Expect(report.Page.Locator("figure").Nth(1)).ToHaveClassAsync(new Regex("revealed"));
    }

    [Fact]
    public async Task Picture_InThePage_IsShownAtItsShape()
    {
        await using var report = await browser.OpenAsync(new Example());

        Assert.Equal(
            "40",
            await report
                .Page.Locator(".stage img")
                .First.EvaluateAsync<string>("(image) => image.decode().then(() => String(image.naturalWidth))")
        );
        var box = (await report.Page.Locator(".stage").First.BoundingBoxAsync())!;
        Assert.Equal(4.0 / 3, box.Width / box.Height, 0.02);
        Assert.Contains(
            "bus.bmp",
            await report.Page.Locator(".stage img").First.GetAttributeAsync("alt") ?? "",
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Values_OfSixteenBits_AreReadToFourDigits()
    {
        var example = new Example { MapValue = (_, cell) => cell == 0 ? 1 : 0.1234f };
        await using var report = await browser.OpenAsync(
            example.Build(),
            "#tok=0&drawn=cells",
            options: new HtmlReportOptions { MapBits = 16 }
        );
        await report.Page.Locator(".stage").First.FocusAsync();
        await report.Page.Keyboard.PressAsync("ArrowRight");

        var value = await report.Page.Locator(".readout").First.InnerTextAsync();

        Assert.Equal(1.23, double.Parse(value.Split("  ")[0], CultureInfo.InvariantCulture), 0.005);
    }
}
