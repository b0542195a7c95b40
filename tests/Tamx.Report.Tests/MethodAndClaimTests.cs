using System.Globalization;
using System.Text.Json;
using Microsoft.Playwright;

namespace Tamx.Report.Tests;

/// <summary>The same answer's maps by another method, and the boxes that it claims.</summary>
public class MethodAndClaimTests(Chromium browser)
{
    // A picture of 3 x 4 cells, of which 5 and 6 are lit; the first box holds them, the second does not.
    private static readonly Example Boxes = new()
    {
        Run = new RunInfo { Model = "Demo", Architecture = "qwen3vl" },
        HasVideo = false,
        AnswerTexts = Example.Tokens(
            "A",
            " bus: {\"bbox_2d\": [250, 333, 750, 667], \"label\": \"",
            "bus",
            "\"}, {\"bbox_2d\": [0, 667, 500, 1200], \"label\": \"",
            "tree",
            "\"}",
            " (900, 100)"
        ),
        MapValue = (token, cell) => cell is 5 or 6 ? 1 : 0.05f,
    };

    [Fact]
    public async Task Page_OfClaims_DrawsAndListsThem()
    {
        await using var report = await browser.OpenAsync(Boxes, "#tok=0");

        var rows = report.Page.Locator(".claims .row");
        await Assertions.Expect(rows).ToHaveCountAsync(3);
        await Assertions
            .Expect(report.Page.GetByRole(AriaRole.Region, new() { Name = "What the answer says is where" }))
            .ToContainTextAsync("2 of 3 without evidence there");
        await Assertions.Expect(rows.Nth(0)).ToHaveTextAsync("busIoU 1.00, peak insideevidence inside");
        await Assertions
            .Expect(rows.Nth(1))
            .ToHaveTextAsync("treeIoU 0.00, peak outsideevidence elsewherereaches beyond the picture");
        await Assertions.Expect(rows.Nth(2)).ToContainTextAsync("point");

        var outlines = report.Page.Locator(".stage .outline");
        await Assertions.Expect(outlines).ToHaveCountAsync(3);
        var stage = (await report.Page.Locator(".stage").BoundingBoxAsync())!;
        var box = (await outlines.Nth(0).BoundingBoxAsync())!;
        Assert.Equal(0.25, (box.X - stage.X) / stage.Width, 0.01);
        Assert.Equal(0.5, box.Width / stage.Width, 0.01);
        Assert.Equal(0.333, (box.Y - stage.Y) / stage.Height, 0.01);
        Assert.Equal("dashed", await BorderAsync(outlines.Nth(1)));
        Assert.Equal("solid", await BorderAsync(outlines.Nth(0)));
        await Assertions.Expect(outlines.Nth(1)).ToContainTextAsync("evidence elsewhere");

        static Task<string> BorderAsync(ILocator outline) =>
            outline.EvaluateAsync<string>("(one) => getComputedStyle(one).borderTopStyle");
    }

    [Fact]
    public async Task Page_OfClaims_SelectsTheirLabels()
    {
        await using var report = await browser.OpenAsync(Boxes);
        var scores = report.Page.Locator(".outline .scores");

        await report.Page.Locator(".claims .row").Nth(1).FocusAsync();
        await report.Page.Keyboard.PressAsync("Enter");
        Assert.Equal([4], (IEnumerable<int>)await report.SelectedAsync());
        await Assertions
            .Expect(report.Page.Locator(".claims .row").Nth(1))
            .ToHaveAttributeAsync("aria-pressed", "true");
        await Assertions.Expect(scores.Nth(1)).ToBeVisibleAsync();
        await Assertions.Expect(scores.Nth(0)).ToBeHiddenAsync();

        await report.Page.Locator(".outline .tag").First.HoverAsync();
        await Assertions.Expect(scores.Nth(0)).ToBeVisibleAsync();
        await report.Page.Locator(".outline .tag").First.ClickAsync();
        Assert.Equal([2], (IEnumerable<int>)await report.SelectedAsync());
        await Assertions.Expect(report.Page.Locator(".region")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Page_WithoutBoxesChecked_DrawsNone()
    {
        await using var report = await browser.OpenAsync(Boxes);

        await report.Page.GetByLabel("Boxes").UncheckAsync();

        await Assertions.Expect(report.Page.Locator(".outline")).ToHaveCountAsync(0);
        await Assertions.Expect(report.Page.Locator(".claims .row")).ToHaveCountAsync(3);
        Assert.EndsWith("boxes=0", await report.HashAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_WithoutClaims_HasNoSignOfThem()
    {
        await using var report = await browser.OpenAsync(new Example());

        await Assertions.Expect(report.Page.Locator(".claims")).ToBeHiddenAsync();
        await Assertions.Expect(report.Page.Locator("input[name=boxes], input[name=method]")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Page_OfTwoMethods_ShowsOneTheOtherOrBoth()
    {
        await using var report = await OpenAsync("#tok=0&drawn=cells&opacity=100");
        var figures = report.Page.Locator("figure:visible");
        var scales = report.Page.Locator(".scale:visible .scale-name");

        await Assertions.Expect(figures).ToHaveCountAsync(1);
        await Assertions.Expect(scales).ToHaveTextAsync(["TAM, last layer"]);
        Assert.True((await report.PixelAsync(0, 1.5 / 4, 1.5 / 3))[0] > 240);

        await report.ChooseAsync("method", "1");
        await Assertions.Expect(figures).ToHaveCountAsync(1);
        await Assertions.Expect(scales).ToHaveTextAsync(["Evidence, all layers"]);
        Assert.True((await report.PixelAsync(0, 1.5 / 4, 1.5 / 3))[0] < 30);
        Assert.True((await report.PixelAsync(0, 0.5 / 4, 0.5 / 3))[0] > 240);
        Assert.Contains("method=1", await report.HashAsync(), StringComparison.Ordinal);

        await report.ChooseAsync("method", "all");
        await Assertions.Expect(figures).ToHaveCountAsync(2);
        await Assertions
            .Expect(report.Page.Locator("figcaption:visible .name"))
            .ToHaveTextAsync(["TAM, last layer", "Evidence, all layers"]);
        await Assertions.Expect(scales).ToHaveTextAsync(["TAM, last layer", "Evidence, all layers"]);
        Assert.True((await report.PixelAsync(0, 1.5 / 4, 1.5 / 3))[0] > 240);
        Assert.True((await report.PixelAsync(1, 0.5 / 4, 0.5 / 3))[0] > 240);
        var (first, second) = ((await figures.Nth(0).BoundingBoxAsync())!, (await figures.Nth(1).BoundingBoxAsync())!);
        Assert.True(first.X + first.Width <= second.X, "the figures are not side by side");
    }

    [Fact]
    public async Task Page_OfTwoMethods_IsSwitchedByKeys()
    {
        await using var report = await OpenAsync("#tok=0");

        await report.Page.Locator("input[name=method][value='0']").FocusAsync();
        await report.Page.Keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(report.Page.GetByLabel("Evidence, all layers")).ToBeCheckedAsync();
        await report.Page.Keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(report.Page.GetByLabel("Side by side")).ToBeCheckedAsync();
        Assert.Equal([0], (IEnumerable<int>)await report.SelectedAsync());
    }

    [Fact]
    public async Task Page_OfTwoMethods_ScoresTheClaimsByEach()
    {
        await using var report = await OpenAsync("#tok=0&method=all");

        await Assertions
            .Expect(report.Page.Locator(".claims h3"))
            .ToHaveTextAsync(["TAM, last layer", "Evidence, all layers"]);
        await Assertions.Expect(report.Page.Locator(".claims .row").Nth(0)).ToContainTextAsync("evidence inside");
        await Assertions.Expect(report.Page.Locator(".claims .row").Nth(3)).ToContainTextAsync("evidence elsewhere");
        await Assertions.Expect(report.Page.Locator(".facts")).ToContainTextAsync("TAM, last layer and Evidence");
    }

    [Fact]
    public async Task Page_OfTwoMethodsAndClaims_HasNoAccessibilityViolations()
    {
        foreach (var hash in new[] { "#tok=2", "#tok=2&method=all" })
        {
            await using var report = await OpenAsync(hash);
            Assert.Empty(await AxeCore.FindViolationsAsync(report.Page));
        }
    }

    [Fact]
    public async Task WriteAsync_Others_AddsTheirMapsOnlyAndPicturesOnce()
    {
        var (trace, maps) = Boxes.Build();
        var one = await WrittenReport.WriteAsync(trace, maps);
        var two = await WrittenReport.WriteAsync(trace, maps, new HtmlReportOptions { Others = [Evidence()] });

        Assert.Equal(1, two.Data.GetProperty("others").GetInt32());
        Assert.Equal(one.Block("picture-0"), two.Block("picture-0"));
        var added = two.Block("report-data-m1").Length + two.Block("report-vectors-m1").Length;
        Assert.InRange(two.Html.Length - one.Html.Length, added, added + 256);
        Assert.InRange(added, 1, 2 * (one.Block("report-data").Length + one.Block("report-vectors").Length));
    }

    [Fact]
    public async Task WriteAsync_OthersOfAnotherAnswer_Throws()
    {
        var (trace, maps) = Boxes.Build();
        var other = new Example { HasVideo = false }
            .Build()
            .Maps;

        var error = await Assert.ThrowsAsync<InvalidInputException>(() =>
            HtmlReport.WriteAsync(trace, maps, Stream.Null, new HtmlReportOptions { Others = [other] })
        );

        Assert.Contains("of another run", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WriteComparisonAsync_Others_Throws()
    {
        var (trace, maps) = Boxes.Build();
        var run = new ReportRun(trace, maps);

        var error = await Assert.ThrowsAsync<InvalidInputException>(() =>
            HtmlReport.WriteComparisonAsync(run, run, Stream.Null, new HtmlReportOptions { Others = [Evidence()] })
        );

        Assert.Contains("shows one method", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MapsJson_OfClaims_HasThem()
    {
        var (trace, maps) = Boxes.Build();
        using var stream = new MemoryStream();
        MapsJson.Write(trace, maps, stream);

        var claims = JsonDocument.Parse(stream.ToArray()).RootElement.GetProperty("claims");

        Assert.Equal(
            [
                "bus|2|1|0.25,0.333,0.75,0.667|False|inside",
                "tree|4|3|0,0.667,0.5,1|True|elsewhere",
                "||6|0.9,0.1,0.9,0.1|False|elsewhere",
            ],
            claims
                .EnumerateArray()
                .Select(claim =>
                    string.Join(
                        '|',
                        claim.GetProperty("label").GetString(),
                        Numbers(claim.GetProperty("tokens")),
                        Numbers(claim.GetProperty("coordinateTokens")),
                        Numbers(claim.GetProperty("box")),
                        claim.GetProperty("isClamped").GetBoolean(),
                        claim.GetProperty("evidence").GetString()
                    )
                )
        );

        static string Numbers(JsonElement numbers) =>
            string.Join(
                ',',
                numbers.EnumerateArray().Select(one => one.GetDouble().ToString(CultureInfo.InvariantCulture))
            );
    }

    /// <summary>The same answer by evidence, where only the first cell is lit.</summary>
    private static ActivationMaps Evidence() =>
        new Example
        {
            Run = Boxes.Run,
            HasVideo = false,
            AnswerTexts = Boxes.AnswerTexts,
            Options = new TamOptions { Method = MapMethod.Evidence },
            MapValue = (_, cell) => cell == 0 ? 1 : 0,
        }
            .Build()
            .Maps;

    private Task<OpenReport> OpenAsync(string hash)
    {
        var (trace, maps) = Boxes.Build();
        var options = new HtmlReportOptions { Others = [Evidence()] };
        return OpenReport.StartAsync(browser, path => HtmlReport.WriteAsync(trace, maps, path, options), hash, null);
    }
}
