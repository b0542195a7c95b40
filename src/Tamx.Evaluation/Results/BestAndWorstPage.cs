using System.Globalization;
using System.Net;
using System.Text;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Report;

namespace Tamx.Evaluation;

/// <summary>A page of the pictures whose nouns are found best and worst, each with its report.</summary>
internal static class BestAndWorstPage
{
    private const string FileName = "best-and-worst.html";

    private const int MostOfEach = 20;

    private const string Head = """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>Best and worst maps</title>
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <style>
        body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}
        body{color:#222;background:#fff}
        table{border-collapse:collapse;width:100%}
        td,th{padding:.3rem .6rem;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}
        @media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}td,th{border-color:#444}a{color:#8bf}}
        </style></head><body>

        """;

    /// <summary>
    /// Answers the questions about these pictures again, and writes a report for each and the page that lists them.
    /// </summary>
    public static async Task WriteAsync(
        string folder,
        VisionLanguageModel model,
        IEnumerable<EvaluationSample> samples,
        IReadOnlyList<SampleResult> results,
        EvaluationOptions options,
        ITamEngine engine,
        CancellationToken cancellationToken
    )
    {
        var kind = options.KindOf(options.Sources[0]);
        (SampleResult Result, double Score)[] ranked =
        [
            .. from result in results
            let nouns = result
                .Rows.Where(row => row.Words == WordKind.Noun && row.Maps == kind && row.IsOf(options.Sources[0]))
                .ToArray()
            where nouns.Length > 0
            let score = nouns.Average(row => row.ObjIou)
            orderby score descending
            select (result, score),
        ];
        var bestCount = Math.Min(MostOfEach, (ranked.Length + 1) / 2);
        var best = ranked[..bestCount];
        var worst = ranked[^Math.Min(MostOfEach, ranked.Length - bestCount)..];
        var chosen = best.Concat(worst).Select(entry => entry.Result.Name).ToHashSet();
        var links = new Dictionary<string, string>();
        Directory.CreateDirectory(Path.Combine(folder, "reports"));
        var explain = new ExplainOptions { Tam = options.TamFor(kind) };
        explain = explain with { Completion = explain.Completion with { MaxNewTokens = options.MaxNewTokens } };
        foreach (var sample in samples.Where(sample => chosen.Contains(sample.Name)))
        {
            ChatTurn[] turns = [new(TurnRole.User, [sample.Picture, new TextPart(sample.Prompt)])];
            var explanation = await Explainer
                .ExplainAsync(model, turns, explain, engine, null, cancellationToken)
                .ConfigureAwait(false);
            var link = Invariant($"reports/{links.Count + 1:D2}.html");
            var report = new HtmlReportOptions { Title = sample.Name };
            await HtmlReport
                .WriteAsync(explanation.Trace, explanation.Maps, Path.Combine(folder, link), report, cancellationToken)
                .ConfigureAwait(false);
            links.Add(sample.Name, link);
        }

        var page = new StringBuilder(Head);
        Append(page, "Best", best, links);
        Append(page, "Worst", worst.Reverse(), links);
        page.Append("</body></html>\n");
        var bytes = Encoding.UTF8.GetBytes(page.ToString());
        WholeFile.Write(Path.Combine(folder, FileName), stream => stream.Write(bytes));
    }

    private static void Append(
        StringBuilder page,
        string title,
        IEnumerable<(SampleResult Result, double Score)> entries,
        Dictionary<string, string> links
    )
    {
        page.Append(Invariant($"<h1>{title}</h1>\n<table>"));
        page.Append("<tr><th>Obj-IoU of nouns</th><th>Picture</th><th>Answer</th></tr>\n");
        foreach (var (result, score) in entries)
        {
            var (name, answer) = (WebUtility.HtmlEncode(result.Name), WebUtility.HtmlEncode(result.Answer));
            var expected = result.IsExact == false ? $"<br>expected: {WebUtility.HtmlEncode(result.Expected)}" : "";
            page.Append(Invariant($"<tr><td>{score:0.000}</td><td><a href=\"{links[result.Name]}\">{name}</a></td>"));
            page.Append(Invariant($"<td>{answer}{expected}</td></tr>\n"));
        }

        page.Append("</table>\n");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
