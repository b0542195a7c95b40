using System.Text.Json;
using Microsoft.Playwright;
using Tamx.Testing;

namespace Tamx.Web.Tests;

/// <summary>
/// The page of a running server, as a person has it. Closing it holds the page to its promises: nothing on the console,
/// and no request to anything but its server.
/// </summary>
internal sealed class OpenPage : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly Uri _server;
    private readonly List<string> _said = [];
    private readonly List<string> _elsewhere = [];

    private OpenPage(IBrowserContext context, IPage page, Uri server)
    {
        _context = context;
        _server = server;
        Page = page;
        Page.SetDefaultTimeout(60_000);
        Page.Console += (_, message) => _said.Add(message.Text);
        Page.PageError += (_, error) => _said.Add(error);
        Page.Request += (_, request) =>
        {
            if (
                !request.Url.StartsWith(server.AbsoluteUri, StringComparison.Ordinal)
                && !request.Url.StartsWith("blob:", StringComparison.Ordinal)
            )
            {
                _elsewhere.Add(request.Url);
            }
        };
    }

    public IPage Page { get; }

    /// <summary>An answer that takes a while to explain.</summary>
    public static string LongAnswer { get; } =
        string.Concat(Enumerable.Repeat("An orange cross and a blue diamond are here, a purple heart too. ", 55));

    public ILocator Question => Page.Locator("textarea[name=question]");

    public ILocator Ask => Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Ask", Exact = true });

    public ILocator Stop => Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Stop" });

    public ILocator Problem => Page.Locator(".problem");

    public ILocator Status => Page.Locator(".status .phase");

    public static Task<OpenPage> StartAsync(
        Chromium browser,
        RunningServer server,
        BrowserNewContextOptions? look = null,
        string path = ""
    ) => StartAsync(browser, server.Server.Address, look, path);

    public static async Task<OpenPage> StartAsync(
        Chromium browser,
        Uri server,
        BrowserNewContextOptions? look = null,
        string path = ""
    )
    {
        var context = await browser.NewContextAsync(
            look
                ?? new()
                {
                    ViewportSize = new ViewportSize { Width = 1280, Height = 800 },
                }
        );
        var open = new OpenPage(context, await context.NewPageAsync(), server);
        await open.Page.AddInitScriptAsync(
            """
            const { send } = XMLHttpRequest.prototype;
            XMLHttpRequest.prototype.send = function (body) {
              window.asked = body.get("request").text();
              return send.call(this, body);
            };
            """
        );
        await open.Page.GotoAsync(open._server.AbsoluteUri + path);
        return open;
    }

    /// <summary>A button or another element that is named so.</summary>
    public ILocator Button(string name) =>
        Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = name, Exact = true });

    /// <summary>The answer's token at an index.</summary>
    public ILocator Token(int index) => Page.Locator($"[data-token='{index}']");

    /// <summary>Chooses a file, as with the file dialog.</summary>
    public async Task AttachAsync(string name, string type, byte[] content)
    {
        await Page.Locator("input[type=file]")
            .SetInputFilesAsync(
                new FilePayload
                {
                    Name = name,
                    MimeType = type,
                    Buffer = content,
                }
            );
        var remove = Page.Locator(".attachments").GetByRole(AriaRole.Button, new() { Name = $"Remove {name}" });
        await Assertions.Expect(remove).ToBeVisibleAsync();
    }

    /// <summary>Hands files to the page by an event: <c>drop</c> or <c>paste</c>.</summary>
    public async Task HandOverAsync(string kind, string name, string type, byte[] content)
    {
        // The page listens once it shows its form, which takes two answers of the server.
        await Question.WaitForAsync();
        await Page.EvaluateAsync(
            """
            ([kind, name, type, content]) => {
              const data = new DataTransfer();
              data.items.add(new File([Uint8Array.from(atob(content), (one) => one.charCodeAt(0))], name, { type }));
              const event = kind === "paste"
                ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
                : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
              document.body.dispatchEvent(event);
            }
            """,
            new[] { kind, name, type, Convert.ToBase64String(content) }
        );
    }

    /// <summary>Asks to have a long answer explained, and waits for some of it.</summary>
    public async Task StartLongAnswerAsync(byte[] picture)
    {
        await AttachAsync("scene.jpg", "image/jpeg", picture);
        await Question.FillAsync("What is here?");
        await Button("Given answer").ClickAsync();
        await Page.Locator("textarea[name=answer]").FillAsync(LongAnswer);
        await Ask.ClickAsync();
        await Token(20).WaitForAsync();
    }

    /// <summary>Stops an answer that may have come to its end by itself.</summary>
    public Task StopIfWritingAsync() =>
        Page.EvaluateAsync(
            """
            () => [...document.querySelectorAll("button")]
              .find((button) => (button.ariaLabel ?? button.textContent.trim()) === "Stop" && button.checkVisibility())
              ?.click()
            """
        );

    /// <summary>Waits until an answer is there with all that belongs to it.</summary>
    public Task DoneAsync() => Page.Locator("#app[data-state=done]").WaitForAsync();

    /// <summary>Exports by the menu's entry; the file's bytes.</summary>
    public async Task<(string Name, byte[] Content)> DownloadAsync(string entry)
    {
        await Page.Locator(".menu summary").ClickAsync();
        var download = await Page.RunAndWaitForDownloadAsync(() => Button(entry).ClickAsync());
        return (download.SuggestedFilename, await File.ReadAllBytesAsync(await download.PathAsync()));
    }

    /// <summary>All of a map's pixels as one number, to see whether two drawings differ.</summary>
    public Task<double> DrawingAsync() =>
        Page.EvaluateAsync<double>(
            """
            () => {
              const canvas = document.querySelector(".stage canvas");
              const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
              copy.drawImage(canvas, 0, 0);
              const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
              return data.reduce((sum, value, i) => (sum * 31 + value + i) % 1000000007, 7);
            }
            """
        );

    /// <summary>The JSON of the last question that was asked.</summary>
    public async Task<JsonElement> AskedAsync() =>
        JsonDocument.Parse(await Page.EvaluateAsync<string>("window.asked")).RootElement;

    /// <summary>Takes note that the server refused something, which browsers put on the console.</summary>
    public void ExpectRefusal(int status) =>
        Assert.True(
            _said.RemoveAll(text => text.Contains($"status of {status}", StringComparison.Ordinal)) > 0,
            $"no refusal {status}"
        );

    /// <summary>Takes note that the server was not to be reached.</summary>
    public void ExpectNoAnswer() =>
        Assert.True(
            _said.RemoveAll(text => text.Contains("net::ERR_", StringComparison.Ordinal)) > 0,
            "the server was there"
        );

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        Assert.Empty(_said);
        Assert.Empty(_elsewhere);
    }
}

/// <summary>One browser and one server for the tests of the page.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class OnePage : ICollectionFixture<Chromium>, ICollectionFixture<SharedServer>
{
    public const string Name = "page";
}
