using System.Text.RegularExpressions;
using Tamx.Testing;

namespace Tamx.Report.Tests;

public class BrowserTests
{
    [BrowserFact]
    public async Task Page_CandidateInAddress_ShowsItsMapAndRelevance()
    {
        string document = await OpenAsync(new Example(), "#tok=1&cand=1&map=viridis");

        Assert.Contains("<li><bdi>Q4_K_M</bdi></li>", document, StringComparison.Ordinal);
        Assert.Equal(4, Regex.Count(document, "role=\"option\""));
        Assert.Matches("class=\"token selectable current\"[^>]*aria-selected=\"true\"[^>]*data-token=\"1\"[^>]*> <span class=\"word\">red</span></span>", document);
        Assert.Contains("title=\"relevance 1\"", document, StringComparison.Ordinal);
        Assert.Contains("aria-label=\"Activation map over Picture 1: highest ", document, StringComparison.Ordinal);
        Assert.Contains("aria-label=\"Activation map over Video 2 · frame 2: highest ", document, StringComparison.Ordinal);
        Assert.Contains("<bdi class=\"token-text\" title=\"token id 9000\"> other</bdi>", document, StringComparison.Ordinal);
        Assert.Contains("token 2 of 4", document, StringComparison.Ordinal);
        Assert.Contains("src=\"data:image/bmp;base64,Qk", document, StringComparison.Ordinal);

        // The candidate's maps are made from another seed than the token's, so the highest cell differs.
        string own = await OpenAsync(new Example(), "#tok=1&cand=0&map=viridis");
        Assert.NotEqual(PictureLabel(own), PictureLabel(document));
    }

    [BrowserFact]
    public async Task Page_TokenBeforeABlock_SaysThatThereIsNoMap()
    {
        string document = await OpenAsync(new Example(), "#tok=0");

        Assert.Equal(2, Regex.Count(document, "no map: comes after this token"));
        Assert.Contains("aria-label=\"Activation map over Picture 1: highest ", document, StringComparison.Ordinal);
        Assert.DoesNotContain("aria-label=\"Activation map over Video 2", document, StringComparison.Ordinal);
    }

    [BrowserFact]
    public async Task Page_EmptyAnswer_SaysSo() =>
        Assert.Contains("The answer is empty", await OpenAsync(new Example { AnswerTexts = [] }, "#tok=3"), StringComparison.Ordinal);

    [BrowserFact]
    public async Task Page_HostileTexts_AreShownAsText()
    {
        const string Hostile = "</script><script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\"><!--\u2028";
        string document = await OpenAsync(
            new Example
            {
                SystemText = Hostile,
                AnswerTexts = Example.Tokens(Hostile, "\n", " \u05E9\u05DC\u05D5\u05DD", "\u202E"),
                PictureName = Hostile,
                Run = new RunInfo { Model = Hostile },
                Logit = float.NaN,
                Probability = float.NaN,
            },
            "#tok=3&cand=1&scale=all&drawn=cells&opacity=999");

        Assert.DoesNotContain("<title>broken", document, StringComparison.Ordinal);
        Assert.DoesNotContain("<img src=\"x\"", document, StringComparison.Ordinal);
        Assert.Contains("&lt;/script&gt;&lt;script&gt;", document, StringComparison.Ordinal);
        Assert.Contains("<span class=\"word\">\u21B5\n</span>", document, StringComparison.Ordinal);
    }

    [BrowserFact]
    public async Task Page_BadAddress_SelectsNothing()
    {
        string document = await OpenAsync(new Example(), "#tok=4&cand=7&map=__proto__");

        Assert.DoesNotContain("aria-selected=\"true\"", document, StringComparison.Ordinal);
    }

    private static string PictureLabel(string document) => Regex.Match(document, "aria-label=\"(Activation map over Picture 1[^\"]*)\"").Groups[1].Value;

    /// <summary>Writes the report, opens it from disk, and returns the document after its scripts ran without a word on the console.</summary>
    private static async Task<string> OpenAsync(Example example, string hash)
    {
        (Trace trace, ActivationMaps maps) = example.Build();
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "report.html");
        await HtmlReport.WriteAsync(trace, maps, path);

        (string document, string console) = await Chromium.OpenAsync(new Uri(path) + hash);

        Assert.Equal("", console);
        Assert.Contains("data-state=\"ready\"", document, StringComparison.Ordinal);
        return Regex.Replace(document, "<(script|style)[ >].*?</\\1>", "", RegexOptions.Singleline);
    }
}
