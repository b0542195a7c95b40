using System.Net;
using System.Security.Cryptography;
using System.Text;

using Tamx.Llama;

namespace Tamx.Report;

/// <summary>Writes activation maps as one HTML file that needs no network, no server and no other file.</summary>
/// <remarks>
/// The page holds its style, its script, the numbers and the pictures. Its Content-Security-Policy allows that one style and
/// that one script by hash and no request at all. All members are thread-safe.
/// </remarks>
public static class HtmlReport
{
    /// <summary>Writes the report to a file. The file appears whole or not at all.</summary>
    /// <param name="trace">The run that <paramref name="maps"/> was computed from: token ids, token texts, pictures, how it was made.</param>
    /// <param name="maps">The maps to show.</param>
    /// <param name="path">The file to write; an existing one is replaced.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="cancellationToken">Stops the writing; no file is left behind.</param>
    /// <exception cref="InvalidInputException">Trace and maps do not belong together, or a picture is of a type that no page can show.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task WriteAsync(
        Trace trace, ActivationMaps maps, string path, HtmlReportOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);

        await WholeFile.WriteAsync(path, stream => WriteAsync(trace, maps, stream, options, cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>Writes the report to a stream, piece by piece.</summary>
    /// <param name="trace">The run that <paramref name="maps"/> was computed from: token ids, token texts, pictures, how it was made.</param>
    /// <param name="maps">The maps to show.</param>
    /// <param name="destination">Receives UTF-8; stays open.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="cancellationToken">Stops the writing.</param>
    /// <exception cref="InvalidInputException">Trace and maps do not belong together, or a picture is of a type that no page can show.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static async Task WriteAsync(
        Trace trace, ActivationMaps maps, Stream destination, HtmlReportOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(trace);
        ArgumentNullException.ThrowIfNull(maps);
        ArgumentNullException.ThrowIfNull(destination);

        ReportInput.Check(trace, maps);
        string title = options?.Title ?? DefaultTitle(trace);

        foreach ((string text, string? slot) in PageTemplate.Parts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await WriteTextAsync(destination, text, cancellationToken).ConfigureAwait(false);
            switch (slot)
            {
                case null:
                    break;
                case "policy":
                    await WriteTextAsync(destination, PageTemplate.Policy, cancellationToken).ConfigureAwait(false);
                    break;
                case "title":
                    await WriteTextAsync(destination, WebUtility.HtmlEncode(title), cancellationToken).ConfigureAwait(false);
                    break;
                case "style":
                    await WriteTextAsync(destination, PageTemplate.Style, cancellationToken).ConfigureAwait(false);
                    break;
                case "script":
                    await WriteTextAsync(destination, PageTemplate.Script, cancellationToken).ConfigureAwait(false);
                    break;
                case "data":
                    await WriteDataAsync(destination, trace, maps, cancellationToken).ConfigureAwait(false);
                    break;
                default:
                    throw new InvalidOperationException($"page.html has a slot that nothing fills: {slot}");
            }
        }

        await destination.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private static string DefaultTitle(Trace trace)
    {
        const string Subject = "Token activation maps";
        string? name = trace.Pictures.Select(picture => picture.Name).FirstOrDefault(name => name is not null);
        return name is null ? Subject : $"{name} · {Subject}";
    }

    // The types of these blocks are no script types, so a browser neither runs nor parses their content;
    // JSON without '<' and base64 cannot end them.
    private static async Task WriteDataAsync(Stream destination, Trace trace, ActivationMaps maps, CancellationToken cancellationToken)
    {
        await WriteTextAsync(destination, "<script type=\"application/json\" id=\"report-data\">", cancellationToken).ConfigureAwait(false);
        List<float[]> vectors = await ReportJson.WriteAsync(destination, trace, maps, cancellationToken).ConfigureAwait(false);
        await WriteTextAsync(destination, "</script>\n<script type=\"application/octet-stream\" id=\"report-vectors\">", cancellationToken)
            .ConfigureAwait(false);
        await WriteBase64Async(destination, base64 => PackedVectors.WriteAsync(base64, vectors, cancellationToken), cancellationToken)
            .ConfigureAwait(false);

        for (int i = 0; i < trace.Pictures.Count; i++)
        {
            TracePicture picture = trace.Pictures[i];
            await WriteTextAsync(
                destination,
                $"</script>\n<script type=\"application/octet-stream\" id=\"picture-{i}\" data-media-type=\"{picture.MediaType}\">",
                cancellationToken).ConfigureAwait(false);
            await WriteBase64Async(
                destination, async base64 => await base64.WriteAsync(picture.Bytes, cancellationToken).ConfigureAwait(false), cancellationToken)
                .ConfigureAwait(false);
        }

        await WriteTextAsync(destination, "</script>", cancellationToken).ConfigureAwait(false);
    }

    private static async Task WriteTextAsync(Stream destination, string text, CancellationToken cancellationToken) =>
        await destination.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken).ConfigureAwait(false);

    private static async Task WriteBase64Async(Stream destination, Func<Stream, Task> write, CancellationToken cancellationToken)
    {
        using var transform = new ToBase64Transform();
        var base64 = new CryptoStream(destination, transform, CryptoStreamMode.Write, leaveOpen: true);
        var buffered = new BufferedStream(base64, 1 << 16);
        await write(buffered).ConfigureAwait(false);
        await buffered.FlushAsync(cancellationToken).ConfigureAwait(false);
        await base64.FlushFinalBlockAsync(cancellationToken).ConfigureAwait(false);
    }
}
