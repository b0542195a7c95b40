using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Chromium))]

namespace Tamx.Report.Tests;

/// <summary>Reports in a browser.</summary>
internal static class ReportBrowser
{
    /// <summary>Writes a report into a folder of its own and opens it from there, without a network.</summary>
    public static Task<OpenReport> OpenAsync(
        this Chromium browser,
        (Trace Trace, ActivationMaps Maps) run,
        string hash = "",
        BrowserNewContextOptions? look = null,
        HtmlReportOptions? options = null
    ) => OpenReport.StartAsync(browser, path => HtmlReport.WriteAsync(run.Trace, run.Maps, path, options), hash, look);

    /// <inheritdoc cref="OpenAsync(Chromium, ValueTuple{Trace, ActivationMaps}, string, BrowserNewContextOptions, HtmlReportOptions)"/>
    public static Task<OpenReport> OpenAsync(
        this Chromium browser,
        Example example,
        string hash = "",
        BrowserNewContextOptions? look = null
    ) => browser.OpenAsync(example.Build(), hash, look);

    /// <summary>Writes a comparison and opens it.</summary>
    public static Task<OpenReport> CompareAsync(
        this Chromium browser,
        ReportRun first,
        ReportRun second,
        string hash = ""
    ) => OpenReport.StartAsync(browser, path => HtmlReport.WriteComparisonAsync(first, second, path), hash, null);

    /// <summary>Opens a page that shows a report while it grows.</summary>
    public static Task<OpenGrowingReport> GrowAsync(this Chromium browser, BrowserNewContextOptions? look = null) =>
        OpenGrowingReport.StartAsync(browser, look);
}
