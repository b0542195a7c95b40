using Microsoft.Playwright;

namespace Tamx.Report.Tests;

/// <summary>One headless Chromium for all tests of its collection, the one that is installed; none is downloaded.</summary>
public sealed class Chromium : IAsyncLifetime
{
    public const string Collection = "browser";

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>The browser, or null where none is installed.</summary>
    public static string? Path { get; } = Find();

    public async Task InitializeAsync()
    {
        if (Path is not null)
        {
            _playwright = await Playwright.CreateAsync();
            _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
            {
                ExecutablePath = Path,
                Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-dev-shm-usage"],
            });
        }
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
    }

    /// <summary>Writes a report into a folder of its own and opens it from there, without a network.</summary>
    internal async Task<OpenReport> OpenAsync(
        (Trace Trace, ActivationMaps Maps) run, string hash = "", BrowserNewContextOptions? look = null, HtmlReportOptions? options = null) =>
        await OpenReport.StartAsync(_browser!, path => HtmlReport.WriteAsync(run.Trace, run.Maps, path, options), hash, look);

    /// <inheritdoc cref="OpenAsync(ValueTuple{Trace, ActivationMaps}, string, BrowserNewContextOptions, HtmlReportOptions)"/>
    internal Task<OpenReport> OpenAsync(Example example, string hash = "", BrowserNewContextOptions? look = null) => OpenAsync(example.Build(), hash, look);

    /// <summary>Writes a comparison and opens it.</summary>
    internal Task<OpenReport> CompareAsync(ReportRun first, ReportRun second, string hash = "") =>
        OpenReport.StartAsync(_browser!, path => HtmlReport.WriteComparisonAsync(first, second, path), hash, null);

    private static string? Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator)
            .SelectMany(folder => new[] { "chromium", "chromium-browser", "google-chrome" }, System.IO.Path.Combine)
            .FirstOrDefault(File.Exists);
}

[CollectionDefinition(Chromium.Collection)]
public sealed class ChromiumDefinition : ICollectionFixture<Chromium>;
