using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Tamx.Report.Tests;

/// <summary>Looking closer: wheel, fingers, double click, keys and buttons; long pictures; the bar between the panes.</summary>
public class ZoomTests(Chromium browser)
{
    private static readonly Example Picture = new() { HasVideo = false };

    [Theory]
    [InlineData(1440)]
    [InlineData(1024)]
    public async Task Wheel_OverThePicture_EnlargesAroundThePointerAndDrawsNoMap(int width)
    {
        var look = new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = 800 },
        };
        await using var report = await browser.OpenAsync(Picture, "#tok=1", look);
        var frame = (await report.Page.Locator(".stage").BoundingBoxAsync())!;
        await report.Page.EvaluateAsync(
            """
            () => {
              window.draws = 0;
              const plain = CanvasRenderingContext2D.prototype.putImageData;
              CanvasRenderingContext2D.prototype.putImageData = function (...values) {
                window.draws++;
                return plain.apply(this, values);
              };
            }
            """
        );

        var (x, y) = (frame.X + (frame.Width / 4), frame.Y + (frame.Height / 2));
        await report.Page.Mouse.MoveAsync(x, y);
        await report.Page.Mouse.WheelAsync(0, -200);
        await Assertions.Expect(report.Page.Locator(".stage.enlarged")).ToHaveCountAsync(1);
        await report.Page.Mouse.WheelAsync(0, -200);
        await Assertions.Expect(report.Page.Locator(".plane")).ToHaveAttributeAsync("style", new Regex("width: 244"));

        var plane = (await report.Page.Locator(".plane").BoundingBoxAsync())!;
        Assert.Equal(0.25, (x - plane.X) / plane.Width, 0.005);
        Assert.Equal(0.5, (y - plane.Y) / plane.Height, 0.005);
        Assert.Equal(0, await report.Page.EvaluateAsync<int>("window.draws"));
        await Assertions.Expect(report.Page.Locator(".readout")).ToContainTextAsync("row 2, column 2");
    }

    [Fact]
    public async Task Drag_OfAnEnlargedPicture_MovesItAndWithShiftDraws()
    {
        await using var report = await browser.OpenAsync(Picture, "#tok=1");
        var stage = report.Page.Locator(".stage");
        var frame = (await stage.BoundingBoxAsync())!;
        await report.Page.GetByRole(AriaRole.Button, new() { Name = "+ larger: Picture 1" }).ClickAsync();
        var before = (await report.Page.Locator(".plane").BoundingBoxAsync())!;

        await DragAsync();
        var after = (await report.Page.Locator(".plane").BoundingBoxAsync())!;
        Assert.Equal(before.X + 40, after.X, 1f);
        Assert.Equal(before.Y + 30, after.Y, 1f);
        await Assertions.Expect(report.Page.Locator(".region")).ToBeHiddenAsync();

        await report.Page.Keyboard.DownAsync("Shift");
        await DragAsync(200);
        await report.Page.Keyboard.UpAsync("Shift");
        await Assertions.Expect(report.Page.Locator(".region")).ToBeVisibleAsync();
        Assert.Equal(after.X, (await report.Page.Locator(".plane").BoundingBoxAsync())!.X, 1f);

        async Task DragAsync(int right = 40)
        {
            await report.Page.Mouse.MoveAsync(frame.X + (frame.Width / 2), frame.Y + (frame.Height / 2));
            await report.Page.Mouse.DownAsync();
            await report.Page.Mouse.MoveAsync(
                frame.X + (frame.Width / 2) + right,
                frame.Y + (frame.Height / 2) + 30,
                new MouseMoveOptions { Steps = 4 }
            );
            await report.Page.Mouse.UpAsync();
        }
    }

    [Fact]
    public async Task DoubleClick_OnThePicture_ShowsItsPixelsAndThenTheWhole()
    {
        (var trace, var maps) = Example.Large(8, 2000);
        await using var report = await browser.OpenAsync((trace, maps), "#tok=0");

        await report.Page.Locator(".stage").DblClickAsync();
        Assert.Equal(2000, (await report.Page.Locator(".plane").BoundingBoxAsync())!.Width, 1f);
        await Assertions.Expect(report.Page.Locator(".region")).ToBeHiddenAsync();

        await report.Page.Locator(".stage").DblClickAsync();
        var frame = (await report.Page.Locator(".stage").BoundingBoxAsync())!;
        Assert.Equal(frame.Width, (await report.Page.Locator(".plane").BoundingBoxAsync())!.Width, 1f);
    }

    [Fact]
    public async Task Keys_OnThePicture_EnlargeAndBringTheCellIntoSight()
    {
        await using var report = await browser.OpenAsync(Picture, "#tok=1");
        var stage = report.Page.Locator(".stage");
        var frame = (await stage.BoundingBoxAsync())!;
        await stage.FocusAsync();
        for (var i = 0; i < 8; i++)
        {
            await report.Page.Keyboard.PressAsync("+");
        }

        for (var i = 0; i < 4; i++)
        {
            await report.Page.Keyboard.PressAsync("ArrowRight");
        }

        var cell = (await report.Page.Locator(".cell").BoundingBoxAsync())!;
        Assert.InRange(cell.X + (cell.Width / 2), frame.X, frame.X + frame.Width);
        Assert.True(cell.Width > frame.Width, $"a cell of {cell.Width} in a frame of {frame.Width}");

        await report.Page.Keyboard.PressAsync("0");
        Assert.Equal(frame.Width, (await report.Page.Locator(".plane").BoundingBoxAsync())!.Width, 1f);
    }

    [Fact]
    public async Task Pinch_OnAPhone_Enlarges()
    {
        var phone = new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = 390, Height = 844 },
            HasTouch = true,
            IsMobile = true,
        };
        await using var report = await browser.OpenAsync(Picture, "#tok=1", phone);
        var frame = (await report.Page.Locator(".stage").BoundingBoxAsync())!;
        var fingers = await report.Page.Context.NewCDPSessionAsync(report.Page);
        var (x, y) = (frame.X + (frame.Width / 2), frame.Y + (frame.Height / 2));

        await TouchAsync("touchStart", 20);
        foreach (var spread in new[] { 30, 40, 50, 60 })
        {
            await TouchAsync("touchMove", spread);
        }

        await fingers.SendAsync(
            "Input.dispatchTouchEvent",
            new() { ["type"] = "touchEnd", ["touchPoints"] = Array.Empty<object>() }
        );

        var plane = (await report.Page.Locator(".plane").BoundingBoxAsync())!;
        Assert.InRange(plane.Width / frame.Width, 2.5f, 3.1f);
        Assert.Equal(390, await report.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await Assertions.Expect(report.Page.Locator(".zoom button").First).ToBeInViewportAsync();

        Task<JsonElement?> TouchAsync(string type, int spread) =>
            fingers.SendAsync(
                "Input.dispatchTouchEvent",
                new()
                {
                    ["type"] = type,
                    ["touchPoints"] = new[]
                    {
                        new
                        {
                            x = x - spread,
                            y,
                            id = 0,
                        },
                        new
                        {
                            x = x + spread,
                            y,
                            id = 1,
                        },
                    },
                }
            );
    }

    [Fact]
    public async Task Panes_OfAComparison_ShowTheSamePart()
    {
        (var trace, var maps) = Picture.Build();
        await using var report = await browser.CompareAsync(
            new ReportRun(trace, maps),
            new ReportRun(trace, maps),
            "#tok=1"
        );

        await report.Page.Locator(".stage").Nth(1).FocusAsync();
        await report.Page.Keyboard.PressAsync("+");
        await report.Page.Keyboard.PressAsync("+");

        var widths = await report.Page.EvaluateAsync<double[]>(
            "[...document.querySelectorAll('.plane')].map((one) => parseFloat(one.style.width))"
        );
        Assert.Equal(3, widths.Length);
        Assert.All(widths, width => Assert.Equal(156.25, width, 0.01));
    }

    [Theory]
    [InlineData(200, 3000, 1440)]
    [InlineData(3000, 200, 1440)]
    [InlineData(200, 3000, 390)]
    [InlineData(3000, 200, 390)]
    public async Task LongPicture_AtItsOwnPixels_CanBeRead(int width, int height, int page)
    {
        var look = new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = page, Height = 844 },
        };
        await using var report = await browser.OpenAsync(
            new Example
            {
                HasVideo = false,
                PictureWidth = width,
                PictureHeight = height,
            },
            "#tok=1",
            look
        );
        var frame = (await report.Page.Locator(".stage").BoundingBoxAsync())!;
        var fit = (await report.Page.Locator(".plane").BoundingBoxAsync())!;
        Assert.Equal((double)width / height, fit.Width / fit.Height, 0.02 * width / height);
        Assert.True(fit.Width <= frame.Width + 1 && fit.Height <= frame.Height + 1);

        await report.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("own pixels") }).ClickAsync();

        var plane = (await report.Page.Locator(".plane").BoundingBoxAsync())!;
        Assert.Equal(width, plane.Width, 1f);
        Assert.Equal(height, plane.Height, 1f);
        Assert.InRange(Math.Min(frame.Width, frame.Height), 100, 2000);
    }

    [Fact]
    public async Task Splitter_ByKeysAndPointer_StaysWhereItWasLeft()
    {
        await using var report = await browser.OpenAsync(Picture, "#tok=1");
        var bar = report.Page.GetByRole(AriaRole.Separator, new() { Name = "Width of the text" });
        await bar.FocusAsync();
        for (var i = 0; i < 5; i++)
        {
            await report.Page.Keyboard.PressAsync("ArrowLeft");
        }

        Assert.Equal("37", await bar.GetAttributeAsync("aria-valuenow"));
        await report.GoAsync("#tok=2");
        Assert.Equal(0.37 * 1280, (await report.Page.Locator(".pane.left").BoundingBoxAsync())!.Width, 1.0);

        var box = (await bar.BoundingBoxAsync())!;
        await report.Page.Mouse.MoveAsync(box.X, 300);
        await report.Page.Mouse.DownAsync();
        await report.Page.Mouse.MoveAsync(768, 300);
        await report.Page.Mouse.UpAsync();
        Assert.Equal("60", await bar.GetAttributeAsync("aria-valuenow"));

        await report.Page.Mouse.DblClickAsync(768, 300);
        Assert.Equal("47", await bar.GetAttributeAsync("aria-valuenow"));
        Assert.Equal([2], (IEnumerable<int>)await report.SelectedAsync());
    }

    [Fact]
    public async Task FullScreen_OfThePictures_KeepsTheirControls()
    {
        await using var report = await browser.OpenAsync(Picture, "#tok=1");
        await report.Page.GetByRole(AriaRole.Button, new() { Name = "Full screen" }).ClickAsync();

        await report.Page.WaitForFunctionAsync("document.fullscreenElement?.matches('.pane.right')");
        await Assertions.Expect(report.Page.Locator("select[name=map]")).ToBeVisibleAsync();
        await report.Page.GetByRole(AriaRole.Button, new() { Name = "Full screen" }).ClickAsync();
        await report.Page.WaitForFunctionAsync("document.fullscreenElement === null");
    }
}
