using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Tamx.Report.Tests;

/// <summary>Two runs of the same answer side by side.</summary>
public class ComparisonTests(Chromium browser)
{
    private static readonly Example First = new() { MapValue = (_, cell) => cell is 5 or 6 ? 1 : 0 };

    [Fact]
    public async Task Compare_EqualRuns_AgreeWholly()
    {
        await using var report = await browser.CompareAsync(Run(First), Run(First, "Q8_0"), "#tok=1&drawn=cells");

        Assert.Equal(
            ["Demo, Q4_K_M", "Demo, Q8_0", "Difference", "Demo, Q4_K_M", "Demo, Q8_0", "Difference"],
            await Names(report)
        );
        Assert.Equal("Correlation 1.000 IoU 1.000 Difference 0.000", await Agreement(report));
        Assert.Equal(await report.DrawingAsync(0), await report.DrawingAsync(1));
        var difference = await report.PixelAsync(2, 1.5 / 4, 1.5 / 3);
        Assert.All(difference[..3], channel => Assert.InRange(channel, 214, 228));
    }

    [Fact]
    public async Task Compare_MapsThatDifferByRounding_ShowsNoGreatDifference()
    {
        // Cell 9 differs by 0.4 of the hundredth that fills the colours: from the middle's grey (221) part of the way
        // to blue (59).
        var second = new Example
        {
            MapValue = (_, cell) =>
                cell is 5 or 6 ? 1
                : cell is 9 ? 1f / 255
                : 0,
        };
        await using var report = await browser.CompareAsync(
            Run(First),
            Run(second, "Q8_0"),
            "#tok=1&drawn=cells&opacity=100"
        );

        Assert.InRange((await report.PixelAsync(2, 1.5 / 4, 2.5 / 3))[0], 130, 200);
    }

    [Fact]
    public async Task Compare_OtherMaps_ShowsWhereTheyDiffer()
    {
        // The picture's cells 5 and 6 against 6 and 7; of the video's 8 cells likewise: together 4 of 20 each, 2 of
        // them shared.
        var second = new Example { MapValue = (_, cell) => cell is 6 or 7 ? 1 : 0 };
        await using var report = await browser.CompareAsync(
            Run(First),
            Run(second, "Q8_0"),
            "#tok=1&drawn=cells&opacity=100"
        );

        // Of 20 values 4 are 1: variance .16; the mean of the products is 2/20, less .2 x .2: .06 / .16. Regions: 2 of
        // 6 cells.
        Assert.Equal("Correlation 0.375 IoU 0.333 Difference 0.200", await Agreement(report));
        Assert.Equal([180, 4, 38], (IEnumerable<int>)(await report.PixelAsync(2, 1.5 / 4, 1.5 / 3))[..3]);
        Assert.Equal([59, 76, 192], (IEnumerable<int>)(await report.PixelAsync(2, 3.5 / 4, 1.5 / 3))[..3]);
        Assert.InRange((await report.PixelAsync(2, 2.5 / 4, 1.5 / 3))[0], 214, 228);
    }

    [Fact]
    public async Task Compare_OtherTokens_SelectsTheSameText()
    {
        var second = new Example
        {
            AnswerTexts = Example.Tokens("A re", "d b", "us."),
            MapValue = (seed, cell) => cell == seed ? 1 : 0,
        };
        await using var report = await browser.CompareAsync(
            Run(First, name: "one"),
            Run(second, name: "two"),
            "#tok=1&drawn=cells&opacity=100"
        );

        // " red" lies in "A re" and "d b": cells 0 and 1 of the second run, of raw values 10 and 11.
        Assert.Equal([252, 253, 191], (IEnumerable<int>)(await report.PixelAsync(1, 1.5 / 4, 0.5 / 3))[..3]);
        Assert.True((await report.PixelAsync(1, 0.5 / 4, 0.5 / 3))[0] > 240);
        Assert.True((await report.PixelAsync(1, 2.5 / 4, 0.5 / 3))[0] < 10);
        await report.Page.Keyboard.PressAsync("End");
        await Assertions.Expect(report.Page.Locator(".inspector h2")).ToContainTextAsync("token 4 of 4");
        Assert.True((await report.PixelAsync(1, 2.5 / 4, 0.5 / 3))[0] > 240);
    }

    [Fact]
    public async Task Compare_WithoutSelection_ListsLeastAgreementFirst()
    {
        var second = new Example
        {
            MapValue = (seed, cell) =>
                seed == 2 ? (cell is 0 or 1 ? 1 : 0)
                : cell is 5 or 6 ? 1
                : 0,
        };
        await using var report = await browser.CompareAsync(Run(First), Run(second));

        await Assertions.Expect(report.Page.Locator(".differing .row").First).ToContainTextAsync("bus");
        await report.Page.Locator(".differing .row").First.ClickAsync();
        Assert.Equal([2], (IEnumerable<int>)await report.SelectedAsync());
        await report.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Numbers" }).ClickAsync();
        await Assertions
            .Expect(report.Page.Locator("dialog[open] thead").First)
            .ToContainTextAsync(new Regex("Correlation\\s*IoU\\s*Difference"));
    }

    [Fact]
    public async Task Compare_WithoutSelection_SumsUpAndSortsAsAsked()
    {
        var second = new Example { MapValue = (seed, cell) => seed == 1 && cell == 0 ? 1 : First.MapValue(seed, cell) };
        await using var report = await browser.CompareAsync(Run(First), Run(second, "Q8_0"));

        await Assertions
            .Expect(report.Page.Locator(".inspector"))
            .ToContainTextAsync(new Regex("^Where the runs agree least.*Over 4 words the maps differ by 0\\.0.*“red”"));
        await Assertions
            .Expect(report.Page.Locator(".inspector"))
            .ToContainTextAsync("Both find the answer equally likely.");
        await report.ChooseAsync("order", "iou");
        await Assertions.Expect(report.Page.Locator(".differing .row").First).ToContainTextAsync("red");
    }

    [Fact]
    public async Task Compare_Token_ListsTheCandidatesOfBothRuns()
    {
        await using var report = await browser.CompareAsync(
            Run(First),
            Run(new Example { Probability = 0.25f }, "Q8_0"),
            "#tok=1"
        );

        var other = report.Page.Locator(".candidates.others");
        await Assertions.Expect(other.Locator("h3")).ToContainTextAsync("Demo, Q8_0");
        await Assertions.Expect(other.Locator(".row").First).ToContainTextAsync("25.0");
        await Assertions
            .Expect(report.Page.Locator(".candidates").First.Locator(".row").First)
            .ToContainTextAsync("50.0");
    }

    [Fact]
    public void Comparison_OtherTokens_PairsByText()
    {
        Example first = new() { AnswerTexts = Example.Tokens("A", " red", " bus", ".", "<|im_end|>") };
        Example second = new() { AnswerTexts = Example.Tokens("A re", "d", " bus.") };

        var comparison = RunComparison.Of(Run(first, name: "x"), Run(second) with { Name = null });

        Assert.Equal([(0, 0), (0, 1), (2, 2), (2, 2), null], comparison.Pairs);
        Assert.Equal(("x", "B"), (comparison.FirstName, comparison.SecondName));
    }

    [Fact]
    public async Task Comparison_OtherAnswer_ThrowsAndLeavesNoFile()
    {
        using var folder = new TemporaryFolder();
        Example second = new() { AnswerTexts = Example.Tokens("A", " blue", " bus", ".") };

        var error = await Assert.ThrowsAsync<InvalidInputException>(() =>
            HtmlReport.WriteComparisonAsync(Run(First), Run(second), folder.File("report.html"))
        );

        Assert.Contains("\"A red bus.\" and \"A blue bus.\"", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Comparison_OtherPictures_Throws()
    {
        var error = Assert.Throws<InvalidInputException>(() =>
            RunComparison.Of(Run(First), new ReportRun(Example.Large(4, 8).Trace, Example.Large(4, 8).Maps))
        );

        Assert.Contains("Picture 1, Video 2 of 2 frames and Picture 1", error.Message, StringComparison.Ordinal);
    }

    private static ReportRun Run(Example example, string quantization = "Q4_K_M", string? name = null)
    {
        (var trace, var maps) = example.Build();
        return new ReportRun(
            new Trace
            {
                TokenIds = trace.TokenIds,
                HiddenSize = trace.HiddenSize,
                HiddenStates = ReadOnlyMemory<float>.Empty,
                OutputIds = trace.OutputIds,
                OutputRows = ReadOnlyMemory<float>.Empty,
                OutputTexts = trace.OutputTexts,
                Pictures = trace.Pictures,
                Run = trace.Run with { Quantization = quantization },
            },
            maps,
            name ?? $"Demo, {quantization}"
        );
    }

    private static Task<IReadOnlyList<string>> Names(OpenReport report) =>
        report.Page.Locator("figcaption .name").AllInnerTextsAsync();

    private static async Task<string> Agreement(OpenReport report) =>
        Regex.Replace(await report.Page.Locator(".agreement").InnerTextAsync(), "\\s+", " ").Trim();
}
