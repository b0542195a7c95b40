using System.Text;
using System.Text.Json;
using Microsoft.Playwright;

namespace Tamx.Report.Tests;

/// <summary>
/// A page of its own that shows a report as it grows, under the policy of a strict server. Closing it holds the modules
/// to their promises: nothing on the console, and no request but for themselves.
/// </summary>
internal sealed class OpenGrowingReport : IAsyncDisposable
{
    private const string Origin = "http://tamx.test";
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob:; base-uri 'none'; form-action 'none'";
    private const string Html = """
        <!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Growing</title><meta name="viewport" content="width=device-width, initial-scale=1">
        <link rel="stylesheet" href="/page.css"></head><body><div id="report"></div></body></html>
        """;

    private readonly IBrowserContext _context;
    private readonly List<string> _said = [];
    private readonly List<string> _refused = [];

    private OpenGrowingReport(IBrowserContext context, IPage page)
    {
        _context = context;
        Page = page;
        Page.Console += (_, message) => _said.Add(message.Text);
        Page.PageError += (_, error) => _said.Add(error);
    }

    public IPage Page { get; }

    public static async Task<OpenGrowingReport> StartAsync(Chromium browser, BrowserNewContextOptions? look = null)
    {
        var context = await browser.NewContextAsync(
            look
                ?? new()
                {
                    ViewportSize = new ViewportSize { Width = 1280, Height = 800 },
                }
        );
        var open = new OpenGrowingReport(context, await context.NewPageAsync());
        await open.Page.RouteAsync("**/*", open.AnswerAsync);
        await open.Page.GotoAsync(Origin);
        return open;
    }

    /// <summary>Mounts the head in place of what is there.</summary>
    public Task MountAsync(byte[] head) =>
        Page.EvaluateAsync(
            """
            async (head) => {
              window.live?.unmount();
              const { growReport } = await import("/live.js");
              window.live = growReport(document.getElementById("report"), JSON.parse(head), () => ({ title: "Growing" }));
            }
            """,
            Encoding.UTF8.GetString(head)
        );

    /// <summary>Appends tokens and waits until they are drawn.</summary>
    public Task AppendAsync(params byte[][] tokens) =>
        Page.EvaluateAsync(
            """
            async (tokens) => {
              tokens.forEach((token) => window.live.append(JSON.parse(token)));
              await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
            }
            """,
            tokens.Select(Encoding.UTF8.GetString).ToArray()
        );

    public Task FinishAsync() => Page.EvaluateAsync("window.live.finish({ generate: 1.5 }, [])");

    /// <summary>Mounts a finished report's file in place of what is there.</summary>
    public Task OpenAsync(string html) =>
        Page.EvaluateAsync(
            """
            async (html) => {
              window.live?.unmount();
              const { openReport } = await import("/live.js");
              window.live = await openReport(document.getElementById("report"), html, (report) => ({ title: report.question }));
            }
            """,
            html
        );

    /// <summary>
    /// All that the shown report knows: texts, words, turns, and every map and relevance in raw units.
    /// </summary>
    public async Task<string> KnowledgeAsync() =>
        (
            await Page.EvaluateAsync<JsonElement>(
                """
                () => {
                  const { report } = window.live;
                  const spans = report.answer.map(({ index }) => ({ kind: "answer", from: index, to: index }));
                  return {
                    tokens: report.tokens, words: report.words, wordStart: [...report.wordStart], wordEnd: [...report.wordEnd],
                    turns: report.turns, textOrder: report.textOrder, relevant: [...report.relevant],
                    explained: report.answer.map(({ token, text, candidates, explained }) => ({ token, text, candidates,
                      explained: explained.map(({ id, text, logit, probability, range }) => [id, text, logit, probability, range]) })),
                    maps: spans.map((span) => report.answer[span.from].explained.map((_, i) => report.maps(span, i).map((map) => map && [...map.values]))),
                    relevance: spans.map((span) => [...report.relevance(span, 0)]),
                    influence: spans.map((span) => [...report.influence(span)]),
                    prompt: report.prompt.map(({ token }) => report.maps({ kind: "text", from: token, to: token }, 0).map((map) => map && [...map.values])),
                    common: report.commonRange(), whole: spans.length > 0 && report.textOf({ kind: "answer", from: 0, to: spans.length - 1 }),
                  };
                }
                """
            )
        ).GetRawText();

    /// <summary>The answer's token at an index.</summary>
    public ILocator Token(int index) => Page.Locator($"[data-token='{index}']");

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        Assert.Empty(_said);
        Assert.Empty(_refused);
    }

    private async Task AnswerAsync(IRoute route)
    {
        var name = new Uri(route.Request.Url).AbsolutePath.TrimStart('/');
        var isOwn = route.Request.Url.StartsWith(Origin, StringComparison.Ordinal);
        if (isOwn && name.Length == 0)
        {
            await route.FulfillAsync(
                new()
                {
                    ContentType = "text/html",
                    Body = Html,
                    Headers = new Dictionary<string, string> { ["Content-Security-Policy"] = Policy },
                }
            );
        }
        else if (isOwn && ReportAssets.Names.Contains(name))
        {
            await route.FulfillAsync(
                new()
                {
                    ContentType = name.EndsWith(".css", StringComparison.Ordinal) ? "text/css" : "text/javascript",
                    BodyBytes = ReportAssets.Read(name),
                }
            );
        }
        else if (isOwn && name == "favicon.ico")
        {
            await route.FulfillAsync(new() { Status = 204 });
        }
        else
        {
            _refused.Add(route.Request.Url);
            await route.AbortAsync();
        }
    }
}
