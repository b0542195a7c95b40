using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Tamx.Report.Tests;

/// <summary>The page as a whole: what it holds up against, its numbers as text, its themes, its speed.</summary>
public class BrowserTests(Chromium browser)
{
    [Fact]
    public async Task Page_EmptyAnswer_SaysSo()
    {
        await using var report = await browser.OpenAsync(new Example { AnswerTexts = [] }, "#tok=3");

        await Assertions.Expect(report.Page.Locator(".chat")).ToContainTextAsync("The answer is empty");
        await report.Page.Keyboard.PressAsync("ArrowRight");
        await report.Page.Locator(".stage").First.ClickAsync();
        await Assertions.Expect(report.Page.Locator(".inspector")).ToContainTextAsync("No token was active here.");
    }

    [Fact]
    public async Task Page_HostileTexts_AreShownAsText()
    {
        const string Hostile =
            "</script><script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\"><!--\u2028";
        var example = new Example
        {
            SystemText = Hostile,
            AnswerTexts = Example.Tokens(Hostile, "\n", " \u05E9\u05DC\u05D5\u05DD", "\u202E", "<!--", "\u2028"),
            PictureName = Hostile,
            Run = new RunInfo { Model = Hostile },
            Logit = float.NaN,
            Probability = float.NaN,
        };
        await using var report = await browser.OpenAsync(example, "#tok=0");

        Assert.Equal(0, await report.Page.Locator("img[src=x]").CountAsync());
        Assert.DoesNotMatch("^broken", await report.Page.TitleAsync());
        await Assertions.Expect(report.Token(0)).ToContainTextAsync("</script><script>document.title='broken'");
        await Assertions.Expect(report.Token(1)).ToHaveTextAsync(new Regex("\u21B5"));
        await Assertions.Expect(report.Token(4)).ToContainTextAsync("<!--");
        foreach (var button in new[] { "Numbers", "How this was made" })
        {
            await report.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = button }).ClickAsync();
            await report.Page.Keyboard.PressAsync("Escape");
        }

        Assert.DoesNotMatch("^broken", await report.Page.TitleAsync());
    }

    [Fact]
    public async Task Page_EmojiOverTokens_StandsOnceAndCanBeSelected()
    {
        var bus = "🚌"u8.ToArray();
        await using var report = await browser.OpenAsync(
            new Example { AnswerTexts = [" a"u8.ToArray(), bus[..1], bus[1..3], bus[3..]] }
        );

        await Assertions.Expect(report.Token(1)).ToHaveTextAsync("🚌");
        await Assertions.Expect(report.Token(2)).ToHaveTextAsync("·");
        await report.Token(3).ClickAsync();
        Assert.Equal([3], (IEnumerable<int>)await report.SelectedAsync());
    }

    [Fact]
    public async Task Page_RightToLeft_FlowsFromTheRight()
    {
        await using var report = await browser.OpenAsync(
            new Example { AnswerTexts = Example.Tokens("שלום", " עולם", " טוב") },
            "#tok=0"
        );

        var first = (await report.Token(0).BoundingBoxAsync())!;
        var last = (await report.Token(2).BoundingBoxAsync())!;
        Assert.True(first.X > last.X, $"the first word at {first.X}, the last at {last.X}");
        await report.Token(1).ClickAsync();
        Assert.Equal([1], (IEnumerable<int>)await report.SelectedAsync());
    }

    [Fact]
    public async Task Page_FiveThousandTokens_OpensAndAnswers()
    {
        string[] words = ["A", " long", " answer", " of", " many", " words", ",", " and", " so", " on", "."];
        var example = new Example
        {
            AnswerTexts = [.. Enumerable.Range(0, 5000).SelectMany(i => Example.Tokens(words[i % words.Length]))],
        };
        await using var report = await browser.OpenAsync(example, "#tok=4500");

        Assert.Equal(5000, await report.Page.Locator("[data-token]").CountAsync());
        Assert.Equal([4500], (IEnumerable<int>)await report.SelectedAsync());
        await report.Page.Keyboard.PressAsync("End");
        Assert.Equal([4999], (IEnumerable<int>)await report.SelectedAsync());
        await report.Page.Locator(".stage").First.ClickAsync();
        await Assertions.Expect(report.Page.Locator(".found .row")).ToHaveCountAsync(40);
        Assert.InRange(new FileInfo(report.Path).Length, 1, 6_000_000);
    }

    [Fact]
    public async Task Page_WithoutTexts_ShowsIds()
    {
        await using var report = await browser.OpenAsync(new Example { HasTexts = false }, "#tok=1");

        await Assertions.Expect(report.Token(1)).ToHaveTextAsync(new Regex(@"^#\d+$"));
    }

    [Fact]
    public async Task Numbers_AsText_SayWhatTheMapsShow()
    {
        await using var report = await browser.OpenAsync(
            new Example { MapValue = (_, cell) => cell == 6 ? 0.5f : 0 },
            "#tok=1"
        );
        await report.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Numbers" }).ClickAsync();

        var row = await report.Page.Locator("dialog[open] tbody tr").Nth(1).InnerTextAsync();
        Assert.Matches(
            @"2\s+red\s+50\.0.%\s+12\.50\s+50\.0.%\s+50\.0.%\s+5\.5 at Picture 1, row 2, column 3\s+A 1, \? 0\.8",
            row
        );
        var cells = report
            .Page.GetByRole(AriaRole.Region, new PageGetByRoleOptions { Name = "Picture 1" })
            .GetByRole(AriaRole.Cell);
        Assert.Equal("5.5", await cells.Nth(6).InnerTextAsync());
        Assert.Equal(12, await cells.CountAsync());
    }

    [Fact]
    public async Task Made_Panel_TellsHowToMakeItAgain()
    {
        var run = new RunInfo
        {
            Model = "Demo",
            ModelFile = "demo.gguf",
            ProjectorFile = "mmproj.gguf",
            Architecture = "qwen3vl",
            Quantization = "Q4_K_M",
            LlamaVersion = "b1",
            TamxVersion = "0.1.0",
            Temperature = 0.7f,
            TopK = 40,
            TopP = 0.95f,
            Seed = 7,
            ContextSize = 4096,
            ThreadCount = 2,
            GpuLayerCount = 0,
            Seconds = new Dictionary<string, double> { ["prefill"] = 1.25 },
        };
        await using var report = await browser.OpenAsync(new Example { Run = run });
        await report
            .Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "How this was made" })
            .ClickAsync();

        var made = await report.Page.Locator("dialog[open] dl").InnerTextAsync();
        string[] wanted =
        [
            "Model\nDemo",
            "demo.gguf",
            "mmproj.gguf",
            "qwen3vl",
            "Q4_K_M",
            "Profile\nTamx",
            "ECI strength\n1",
            "Rank filter\n3×3",
            "Repeated words\nbyId",
            "Engine\nReference",
            "Temperature\n0.7",
            "Top-k\n40",
            "Top-p\n0.95",
            "Seed\n7",
            "4096",
            "Threads\n2",
            "Time: prefill\n1.25 s",
            "llama.cpp\nb1",
            $"This file\n{new FileInfo(report.Path).Length:N0} bytes",
        ];
        Assert.All(wanted, fact => Assert.Contains(fact, made, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Theme_ByPreference_IsLightOrDark()
    {
        await using var light = await browser.OpenAsync(
            new Example(),
            look: new BrowserNewContextOptions { ColorScheme = ColorScheme.Light }
        );
        await using var dark = await browser.OpenAsync(
            new Example(),
            look: new BrowserNewContextOptions { ColorScheme = ColorScheme.Dark }
        );

        Assert.Equal("rgb(245, 245, 242)", await Background(light));
        Assert.Equal("rgb(17, 18, 21)", await Background(dark));

        static Task<string> Background(OpenReport report) =>
            report.Page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");
    }

    [Fact]
    public async Task Motion_Reduced_TurnsAnimationsOff()
    {
        await using var report = await browser.OpenAsync(
            new Example(),
            look: new BrowserNewContextOptions { ReducedMotion = ReducedMotion.Reduce }
        );
        await report.Page.GetByRole(AriaRole.Option, new PageGetByRoleOptions { Name = "Picture 1" }).ClickAsync();

        Assert.Equal(
            "none",
            await report.Page.EvaluateAsync<string>(
                "getComputedStyle(document.querySelector('.revealed .stage')).animationName"
            )
        );
    }

    [Fact]
    public async Task Print_OfASelection_HoldsTextPictureAndScaleOnly()
    {
        await using var report = await browser.OpenAsync(new Example(), "#tok=1");
        await report.Page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Print });

        foreach (var shown in new[] { ".chat", ".stage canvas", ".legend", ".candidates" })
        {
            await Assertions.Expect(report.Page.Locator(shown).First).ToBeVisibleAsync();
        }

        foreach (var hidden in new[] { ".controls", ".actions", ".search" })
        {
            await Assertions.Expect(report.Page.Locator(hidden)).ToBeHiddenAsync();
        }
    }

    [Fact]
    public async Task Phone_Width_HasNoSidewaysScroll()
    {
        var phone = new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = 390, Height = 844 },
            HasTouch = true,
            IsMobile = true,
        };
        await using var report = await browser.OpenAsync(new Example(), "#tok=1", phone);

        Assert.Equal(390, await report.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await report.Token(2).TapAsync();
        Assert.Equal([2], (IEnumerable<int>)await report.SelectedAsync());
        await Assertions.Expect(report.Page.Locator(".stage").First).ToBeInViewportAsync();
        await Assertions.Expect(report.Page.Locator(".inspector")).ToBeInViewportAsync();
    }

    [Fact]
    public async Task RoadSign_OpenedAtALink_IsReadyWithThatToken()
    {
        await using var report = await browser.OpenAsync(RoadSign.Read());
        await report.GoAsync("#tok=25");

        Assert.Equal(1, await report.Page.EvaluateAsync<int>("performance.getEntriesByName('report-ready').length"));
        Assert.Equal([25], (IEnumerable<int>)await report.SelectedAsync());
    }

    /// <summary>Counted, not timed: what a selection draws, in pixels of the picture.</summary>
    [Fact]
    public async Task Selecting_At64x64CellsOver4Megapixels_DrawsThePictureFewTimes()
    {
        (var trace, var maps) = Example.Large(64, 2000);
        await using var report = await browser.OpenAsync((trace, maps), "#tok=0");

        var drawn = await report.Page.EvaluateAsync<double[]>(
            """
            async () => {
              const image = document.querySelector(".stage img");
              await image.decode();
              const frame = () => new Promise(requestAnimationFrame);
              await frame();
              let [calls, pixels] = [0, 0];
              const sizes = {
                drawImage: (source, ...at) => at.length >= 8 ? at[6] * at[7] : at.length >= 4 ? at[2] * at[3]
                  : (source.naturalWidth ?? source.width) * (source.naturalHeight ?? source.height),
                putImageData: (data) => data.width * data.height,
                getImageData: (x, y, width, height) => width * height,
                fillRect: (x, y, width, height) => width * height,
              };
              for (const type of [CanvasRenderingContext2D, OffscreenCanvasRenderingContext2D]) {
                for (const [name, size] of Object.entries(sizes)) {
                  const plain = type.prototype[name];
                  type.prototype[name] = function (...values) {
                    calls++;
                    pixels += Math.abs(size(...values));
                    return plain.apply(this, values);
                  };
                }
              }
              document.querySelector("[data-token='0']").focus();
              const count = 10;
              for (let i = 0; i < count; i++) {
                const key = i % 2 ? "ArrowLeft" : "ArrowRight";
                document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
                await frame();
                await frame();
              }
              return [calls / count, pixels / count / (image.naturalWidth * image.naturalHeight)];
            }
            """
        );

        Assert.InRange(drawn[0], 1, 20);
        Assert.InRange(drawn[1], 0, 3);
    }
}
