using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Tamx.Report;

/// <summary>Writes activation maps as one HTML file that needs no network, no server and no other file.</summary>
/// <remarks>
/// The page holds its style, script, numbers and pictures. Its Content-Security-Policy allows this style and this
/// script by hash, and no requests. All members are thread-safe.
/// </remarks>
public static class HtmlReport
{
    private const int SizeWidth = 12;

    /// <summary>Writes the report to a file. The file appears whole or not at all.</summary>
    /// <param name="trace">The run that <paramref name="maps"/> was computed from.</param>
    /// <param name="maps">The maps to show.</param>
    /// <param name="path">The file to write. An existing one is replaced.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="cancellationToken">Stops the writing. No file is left behind.</param>
    /// <exception cref="InvalidInputException">
    /// Trace and maps do not belong together, no page can show a picture's type, or an option is out of range.
    /// </exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task WriteAsync(
        Trace trace,
        ActivationMaps maps,
        string path,
        HtmlReportOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(path);

        await WholeFile
            .WriteAsync(path, stream => WriteAsync(trace, maps, stream, options, cancellationToken))
            .ConfigureAwait(false);
    }

    /// <summary>Writes the report to a stream, piece by piece.</summary>
    /// <param name="trace">The run that <paramref name="maps"/> was computed from.</param>
    /// <param name="maps">The maps to show.</param>
    /// <param name="destination">Receives UTF-8. It stays open.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="cancellationToken">Stops the writing.</param>
    /// <exception cref="InvalidInputException">
    /// Trace and maps do not belong together, no page can show a picture's type, or an option is out of range.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task WriteAsync(
        Trace trace,
        ActivationMaps maps,
        Stream destination,
        HtmlReportOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(trace);
        ArgumentNullException.ThrowIfNull(maps);
        ArgumentNullException.ThrowIfNull(destination);
        await WritePageAsync(
                new ReportRun(trace, maps),
                null,
                destination,
                options ?? new HtmlReportOptions(),
                cancellationToken
            )
            .ConfigureAwait(false);
    }

    /// <summary>
    /// Writes a page that shows two runs of one answer side by side, with their difference. The file appears whole or
    /// not at all.
    /// </summary>
    /// <param name="first">The run whose tokens, grid and pictures the page follows.</param>
    /// <param name="second">
    /// The other run, with another model, quantization or options. Its tokens and grids may differ.
    /// </param>
    /// <param name="path">The file to write. An existing one is replaced.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="cancellationToken">Stops the writing. No file is left behind.</param>
    /// <exception cref="InvalidInputException">
    /// The runs do not have one answer about the same pictures, or one of them cannot be shown.
    /// </exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task WriteComparisonAsync(
        ReportRun first,
        ReportRun second,
        string path,
        HtmlReportOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(path);

        await WholeFile
            .WriteAsync(path, stream => WriteComparisonAsync(first, second, stream, options, cancellationToken))
            .ConfigureAwait(false);
    }

    /// <summary>Writes a page that shows two runs of one answer side by side to a stream, piece by piece.</summary>
    /// <param name="first">The run whose tokens, grid and pictures the page follows.</param>
    /// <param name="second">The other run. Its tokens and grids may differ.</param>
    /// <param name="destination">Receives UTF-8. It stays open.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="cancellationToken">Stops the writing.</param>
    /// <exception cref="InvalidInputException">
    /// The runs do not have one answer about the same pictures, or one of them cannot be shown.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task WriteComparisonAsync(
        ReportRun first,
        ReportRun second,
        Stream destination,
        HtmlReportOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        ArgumentNullException.ThrowIfNull(destination);
        await WritePageAsync(first, second, destination, options ?? new HtmlReportOptions(), cancellationToken)
            .ConfigureAwait(false);
    }

    private static async Task WritePageAsync(
        ReportRun run,
        ReportRun? other,
        Stream destination,
        HtmlReportOptions options,
        CancellationToken cancellationToken
    )
    {
        options.Validate();
        ReportInput.Check(run.Trace, run.Maps);
        foreach (var maps in options.Others)
        {
            ReportInput.CheckOther(run.Trace, run.Maps, maps);
        }

        RunComparison? comparison = null;
        if (other is not null)
        {
            if (options.Others.Count > 0)
            {
                throw new InvalidInputException(
                    "report: a comparison shows one method; compare runs, or show one run by several methods"
                );
            }

            ReportInput.Check(other.Trace, other.Maps);
            comparison = RunComparison.Of(run, other);
        }

        var title = options.Title ?? DefaultTitle(run.Trace, comparison);
        var page = new CountingStream(destination);
        for (var i = 0; i < PageTemplate.Parts.Count; i++)
        {
            (var text, var slot) = PageTemplate.Parts[i];
            cancellationToken.ThrowIfCancellationRequested();
            await WriteTextAsync(page, text, cancellationToken).ConfigureAwait(false);
            switch (slot)
            {
                case null:
                    break;
                case "policy":
                    await WriteTextAsync(page, PageTemplate.Policy, cancellationToken).ConfigureAwait(false);
                    break;
                case "title":
                    await WriteTextAsync(page, WebUtility.HtmlEncode(title), cancellationToken).ConfigureAwait(false);
                    break;
                case "style":
                    await WriteTextAsync(page, PageTemplate.Style, cancellationToken).ConfigureAwait(false);
                    break;
                case "script":
                    await WriteTextAsync(page, PageTemplate.Unpacker, cancellationToken).ConfigureAwait(false);
                    break;
                case "packed":
                    await WriteTextAsync(page, PageTemplate.Packed, cancellationToken).ConfigureAwait(false);
                    break;
                case "data":
                    await WriteDataAsync(page, run.Trace, run.Maps, options, cancellationToken).ConfigureAwait(false);
                    await WriteTextAsync(
                            page,
                            $"<script type=\"application/json\" id=\"support\">{SupportJson.Of(run.Maps, options)}</script>\n",
                            cancellationToken
                        )
                        .ConfigureAwait(false);
                    if (other is not null)
                    {
                        await WriteRunAsync(page, other.Trace, other.Maps, options, "-b", cancellationToken)
                            .ConfigureAwait(false);
                        await WriteTextAsync(
                                page,
                                $"<script type=\"application/json\" id=\"comparison\">{Json(comparison!)}</script>\n",
                                cancellationToken
                            )
                            .ConfigureAwait(false);
                    }

                    break;
                case "size":
                    // The rest is the same in every page, so the whole size is known before the end.
                    var size = $"{page.Count + SizeWidth + PageTemplate.BytesAfter(i), SizeWidth}";
                    await WriteTextAsync(page, size, cancellationToken).ConfigureAwait(false);
                    break;
                default:
                    throw new InvalidOperationException($"page.html has a slot that nothing fills: {slot}");
            }
        }

        await page.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The default encoder escapes whatever could end a script element.</summary>
    private static string Json(RunComparison comparison)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            comparison.Write(json);
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private static string DefaultTitle(Trace trace, RunComparison? comparison)
    {
        var subject = comparison is null
            ? "Token activation maps"
            : $"{comparison.FirstName} and {comparison.SecondName}";
        var name = trace.Pictures.Select(picture => picture.Name).FirstOrDefault(name => name is not null);
        return name is null ? subject : $"{name} · {subject}";
    }

    // These blocks have no script type, so a browser neither runs nor parses them. Base64 cannot end them.
    private static async Task WriteDataAsync(
        Stream page,
        Trace trace,
        ActivationMaps maps,
        HtmlReportOptions options,
        CancellationToken cancellationToken
    )
    {
        await WriteRunAsync(page, trace, maps, options, "", cancellationToken).ConfigureAwait(false);
        foreach (var (index, other) in options.Others.Index())
        {
            await WriteRunAsync(page, trace, other, options, $"-m{index + 1}", cancellationToken).ConfigureAwait(false);
        }

        for (var i = 0; i < trace.Pictures.Count; i++)
        {
            var picture = new ReportPicture(trace.Pictures[i], options.MaxImagePixels);
            await WriteBlockAsync(
                    page,
                    $"id=\"{ReportPicture.ElementName(i)}\" data-media-type=\"{picture.MediaType}\"",
                    async block => await block.WriteAsync(picture.GetBytes(), cancellationToken).ConfigureAwait(false),
                    cancellationToken
                )
                .ConfigureAwait(false);
        }
    }

    private static async Task WriteRunAsync(
        Stream page,
        Trace trace,
        ActivationMaps maps,
        HtmlReportOptions options,
        string suffix,
        CancellationToken cancellationToken
    )
    {
        IEnumerable<byte[]> vectors = [];
        await WriteBlockAsync(
                page,
                $"id=\"report-data{suffix}\"",
                async block =>
                {
                    var deflate = new DeflateStream(block, CompressionLevel.SmallestSize, leaveOpen: true);
                    await using (deflate.ConfigureAwait(false))
                    {
                        vectors = await ReportJson
                            .WriteAsync(
                                deflate,
                                trace,
                                maps,
                                options,
                                suffix.Length == 0 ? options.Others.Count : 0,
                                cancellationToken
                            )
                            .ConfigureAwait(false);
                    }
                },
                cancellationToken
            )
            .ConfigureAwait(false);
        await WriteBlockAsync(
                page,
                $"id=\"report-vectors{suffix}\"",
                block => PackedVectors.WriteAsync(block, vectors, cancellationToken),
                cancellationToken
            )
            .ConfigureAwait(false);
    }

    private static async Task WriteBlockAsync(
        Stream page,
        string attributes,
        Func<Stream, Task> write,
        CancellationToken cancellationToken
    )
    {
        await WriteTextAsync(page, $"<script type=\"application/octet-stream\" {attributes}>", cancellationToken)
            .ConfigureAwait(false);
        await WriteBase64Async(page, write, cancellationToken).ConfigureAwait(false);
        await WriteTextAsync(page, "</script>\n", cancellationToken).ConfigureAwait(false);
    }

    private static async Task WriteTextAsync(Stream destination, string text, CancellationToken cancellationToken) =>
        await destination.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken).ConfigureAwait(false);

    private static async Task WriteBase64Async(
        Stream destination,
        Func<Stream, Task> write,
        CancellationToken cancellationToken
    )
    {
        using var transform = new ToBase64Transform();
        var base64 = new CryptoStream(destination, transform, CryptoStreamMode.Write, leaveOpen: true);
        var buffered = new BufferedStream(base64, 1 << 16);
        await write(buffered).ConfigureAwait(false);
        await buffered.FlushAsync(cancellationToken).ConfigureAwait(false);
        await base64.FlushFinalBlockAsync(cancellationToken).ConfigureAwait(false);
    }
}
