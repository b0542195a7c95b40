using Microsoft.Playwright;

namespace Tamx.Testing;

/// <summary>One headless Chromium for all tests that take it, the one that is installed; none is downloaded.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>The browser, or null where none is installed.</summary>
    public static string? Path { get; } = Find();

    public async ValueTask InitializeAsync()
    {
        if (Path is not null)
        {
            // As long as for a click: a busy machine is no fault of the page.
            Assertions.SetDefaultExpectTimeout(60_000);
            _playwright = await Playwright.CreateAsync();
            _browser = await _playwright.Chromium.LaunchAsync(
                new BrowserTypeLaunchOptions
                {
                    ExecutablePath = Path,
                    Args =
                    [
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-quic",
                        "--disable-background-networking",
                        "--disable-dev-shm-usage",
                    ],
                }
            );
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
    }

    /// <summary>A window of its own, with nothing of another's in it. Skips the test where no browser is.</summary>
    public Task<IBrowserContext> NewContextAsync(BrowserNewContextOptions? look = null)
    {
        Assert.SkipWhen(_browser is null, "Needs Chromium (Debian: apt-get install chromium) on the PATH.");
        return _browser!.NewContextAsync(look);
    }

    private static string? Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(System.IO.Path.PathSeparator)
            .SelectMany(folder => new[] { "chromium", "chromium-browser", "google-chrome" }, System.IO.Path.Combine)
            .FirstOrDefault(File.Exists);
}
