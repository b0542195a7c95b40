using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Tamx.Report.Tests;

/// <summary>The page for those who do not see it, or use no pointer.</summary>
public class AccessibilityTests(Chromium browser)
{
    [Theory]
    [InlineData("", ColorScheme.Light, 1280)]
    [InlineData("#tok=1&contour=1", ColorScheme.Light, 1280)]
    [InlineData("#tok=1-2&q=bus", ColorScheme.Dark, 1280)]
    [InlineData("#region=0.0.0.0.2.3", ColorScheme.Dark, 1280)]
    [InlineData("", ColorScheme.Dark, 1440)]
    [InlineData("#tok=3&scale=all", ColorScheme.Light, 1024)]
    [InlineData("", ColorScheme.Light, 390)]
    [InlineData("#ctx=2", ColorScheme.Light, 390)]
    [InlineData("#tok=2&dir=to", ColorScheme.Dark, 390)]
    public async Task Axe_AnyView_FindsNoViolation(string hash, ColorScheme scheme, int width)
    {
        var look = new BrowserNewContextOptions
        {
            ColorScheme = scheme,
            ViewportSize = new ViewportSize { Width = width, Height = 800 },
        };
        await using var report = await browser.OpenAsync(new Example(), hash, look);

        Assert.Empty(await AxeCore.FindViolationsAsync(report.Page));
    }

    [Theory]
    [InlineData("")]
    [InlineData("#tok=3")]
    public async Task Axe_TokensOfBlanksAndPartsOfCharacters_FindsNoViolation(string hash)
    {
        var bus = "🚌"u8.ToArray();
        var example = new Example
        {
            AnswerTexts = ["A"u8.ToArray(), " "u8.ToArray(), bus[..2], bus[2..], "\n"u8.ToArray()],
        };
        await using var report = await browser.OpenAsync(example, hash);

        Assert.Empty(await AxeCore.FindViolationsAsync(report.Page));
    }

    [Theory]
    [InlineData("#tok=0", ColorScheme.Light)]
    [InlineData("#tok=4", ColorScheme.Dark)]
    public async Task Axe_Thought_FindsNoViolation(string hash, ColorScheme scheme)
    {
        var example = new Example
        {
            AnswerTexts = Example.Tokens(" a", "\n", "</think>", "\n\n", " gnu"),
            ThoughtCount = 3,
        };
        var look = new BrowserNewContextOptions { ColorScheme = scheme };
        await using var report = await browser.OpenAsync(example, hash, look);
        Assert.Empty(await AxeCore.FindViolationsAsync(report.Page));

        await report.Page.Locator(".thought summary").ClickAsync();
        Assert.Empty(await AxeCore.FindViolationsAsync(report.Page));
    }

    [Theory]
    [InlineData("Numbers")]
    [InlineData("How this was made")]
    public async Task Axe_Dialog_FindsNoViolation(string name)
    {
        await using var report = await browser.OpenAsync(new Example(), "#tok=1");
        await report.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = name }).ClickAsync();

        Assert.Empty(await AxeCore.FindViolationsAsync(report.Page));
    }

    [Theory]
    [InlineData("#tok=1")]
    [InlineData("")]
    public async Task Axe_Comparison_FindsNoViolation(string hash)
    {
        (var trace, var maps) = new Example().Build();
        await using var report = await browser.CompareAsync(
            new ReportRun(trace, maps),
            new ReportRun(trace, maps),
            hash
        );

        Assert.Empty(await AxeCore.FindViolationsAsync(report.Page));
    }

    [Fact]
    public async Task Keyboard_Alone_ReachesEverything()
    {
        await using var report = await browser.OpenAsync(new Example(), "#tok=1");
        var reached = new List<string>();
        for (var i = 0; i < 80; i++)
        {
            await report.Page.Keyboard.PressAsync("Tab");
            var name = await report.Page.EvaluateAsync<string>(
                """
                () => {
                  const { activeElement: one } = document;
                  return one === document.body ? "" : one.name || one.className || one.textContent || one.type;
                }
                """
            );
            if (name.Length == 0)
            {
                break;
            }

            reached.Add(name);
        }

        var all = string.Join('|', reached);
        string[] wanted =
        [
            "Numbers",
            "How this was made",
            "Export",
            "unit",
            "token",
            "chip",
            "candidate",
            "direction",
            "row",
            "map",
            "drawn",
            "scale",
            "contour",
            "opacity",
            "stage",
            "+",
            "100",
            "full",
            "splitter",
            "What am I looking at?",
            "play",
        ];
        Assert.All(wanted, name => Assert.Contains(name, all, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Export_ByKeyboard_OpensAndCloses()
    {
        await using var report = await browser.OpenAsync(new Example(), "#tok=1");
        await report.Page.Locator(".menu summary").FocusAsync();
        await report.Page.Keyboard.PressAsync("Enter");
        await Assertions
            .Expect(report.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Numbers (CSV)" }))
            .ToBeVisibleAsync();

        await report.Page.Keyboard.PressAsync("Escape");

        await Assertions.Expect(report.Page.Locator(".menu")).Not.ToHaveAttributeAsync("open", new Regex(".*"));
        Assert.Equal([1], (IEnumerable<int>)await report.SelectedAsync());
    }
}
