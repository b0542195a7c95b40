using Microsoft.Playwright;

namespace Tamx.Report.Tests;

/// <summary>
/// A report in a browser. Closing it holds the page to its promises: nothing on the console, no request.
/// </summary>
internal sealed class OpenReport : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly IBrowserContext _context;
    private readonly List<string> _said = [];
    private readonly List<string> _requested = [];

    private OpenReport(TemporaryFolder folder, IBrowserContext context, IPage page, string path)
    {
        _folder = folder;
        _context = context;
        Page = page;
        Path = path;
        Page.Console += (_, message) => _said.Add(message.Text);
        Page.PageError += (_, error) => _said.Add(error);
        Page.Request += (_, request) =>
        {
            if (request.Url != Address && !request.Url.StartsWith("blob:", StringComparison.Ordinal))
            {
                _requested.Add(request.Url);
            }
        };
    }

    public IPage Page { get; }

    public string Path { get; }

    private string Address => new Uri(Path).AbsoluteUri;

    public static async Task<OpenReport> StartAsync(
        Chromium browser,
        Func<string, Task> write,
        string hash,
        BrowserNewContextOptions? look
    )
    {
        look ??= new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = 1280, Height = 800 },
        };
        look.Offline = true;
        var context = await browser.NewContextAsync(look);
        var folder = new TemporaryFolder();
        var path = System.IO.Path.Combine(folder.Path, "report.html");
        await write(path);
        var report = new OpenReport(folder, context, await context.NewPageAsync(), path);
        await report.GoAsync(hash);
        return report;
    }

    /// <summary>Opens the report at an address of its own, as somebody does who was sent it.</summary>
    public async Task GoAsync(string hash)
    {
        await Page.GotoAsync("about:blank");
        await Page.GotoAsync(Address + hash);
        await Page.Locator("html[data-state=ready]").WaitForAsync(new LocatorWaitForOptions { Timeout = 60_000 });
    }

    /// <summary>The answer's token at an index.</summary>
    public ILocator Token(int index) => Page.Locator($"[data-token='{index}']");

    /// <summary>Takes one of several choices, as <c>unit=word</c>.</summary>
    public Task ChooseAsync(string name, string value) =>
        Page.Locator($"input[name={name}][value='{value}']").CheckAsync();

    /// <summary>Indices of the answer's tokens that are selected.</summary>
    public Task<int[]> SelectedAsync() =>
        Page.EvaluateAsync<int[]>(
            "[...document.querySelectorAll('[data-token][aria-selected=true]')].map((one) => Number(one.dataset.token))"
        );

    /// <summary>The address's part after #, once it is written.</summary>
    public async Task<string> HashAsync()
    {
        await Page.WaitForTimeoutAsync(300);
        return await Page.EvaluateAsync<string>("location.hash");
    }

    // Canvases are read from a copy: one that is read often is drawn in another way, of which the browser warns.

    /// <summary>A pixel of a map's canvas (red, green, blue, alpha), at a place in parts of its sides.</summary>
    public Task<int[]> PixelAsync(int stage, double x, double y) =>
        Page.EvaluateAsync<int[]>(
            """
            ([stage, x, y]) => {
              const canvas = document.querySelectorAll(".stage canvas")[stage];
              const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
              copy.drawImage(canvas, 0, 0);
              return [...copy.getImageData(Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data];
            }
            """,
            new object[] { stage, x, y }
        );

    /// <summary>All of a map's pixels as one number, to see whether two drawings differ.</summary>
    public Task<double> DrawingAsync(int stage = 0) =>
        Page.EvaluateAsync<double>(
            """
            (stage) => {
              const canvas = document.querySelectorAll(".stage canvas")[stage];
              const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
              copy.drawImage(canvas, 0, 0);
              const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
              return data.reduce((sum, value, i) => (sum * 31 + value + i) % 1000000007, 7);
            }
            """,
            stage
        );

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        _folder.Dispose();
        Assert.Empty(_said);
        Assert.Empty(_requested);
    }
}
