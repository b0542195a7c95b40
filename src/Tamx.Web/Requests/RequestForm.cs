using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Tamx.Web.Requests;

/// <summary>A multipart form: the JSON of a request in one part, files in the others.</summary>
internal sealed class RequestForm
{
    private const int MaxParts = 100;
    private const int MaxNameLength = 200;
    private const string RequestPart = "request";

    private readonly Dictionary<string, Upload> _uploads = new(StringComparer.Ordinal);
    private ReadOnlyMemory<byte>? _json;

    private RequestForm() { }

    /// <summary>The JSON, not yet parsed.</summary>
    public ReadOnlyMemory<byte> Json => _json ?? throw Fault($"the form has no part {RequestPart} with the JSON");

    /// <summary>The files by the names of their parts.</summary>
    public IReadOnlyDictionary<string, Upload> Uploads => _uploads;

    /// <summary>Reads a form.</summary>
    /// <exception cref="ApiException">It is damaged or too large.</exception>
    public static async Task<RequestForm> ReadAsync(
        Stream body,
        string boundary,
        BodyMemory memory,
        CancellationToken cancellationToken
    )
    {
        var form = new RequestForm();
        try
        {
            var reader = new MultipartReader(boundary, body);
            for (var count = 1; await reader.ReadNextSectionAsync(cancellationToken) is { } section; count++)
            {
                if (count > MaxParts)
                {
                    throw Fault($"the form has more than {MaxParts} parts");
                }

                var content = await memory.ReadAllAsync(section.Body, cancellationToken);
                form.Add(section.GetContentDispositionHeader(), content);
            }

            return form;
        }
        catch (Exception e) when (e is InvalidDataException or (IOException and not BadHttpRequestException))
        {
            throw Fault($"the body is no multipart form: {e.Message}");
        }
    }

    private void Add(ContentDispositionHeaderValue? disposition, ReadOnlyMemory<byte> content)
    {
        var name = disposition is null ? "" : HeaderUtilities.RemoveQuotes(disposition.Name).ToString();
        if (name == RequestPart)
        {
            _json = _json is null ? content : throw Fault($"the form has two parts named {RequestPart}");
        }
        else if (
            name.Length is 0 or > MaxNameLength
            || !_uploads.TryAdd(name, new Upload(FileNameOf(disposition!), content))
        )
        {
            throw Fault($"each part of the form needs a name of its own, of at most {MaxNameLength} characters");
        }
    }

    /// <summary>A name to show: without folders, control characters and the like.</summary>
    private static string FileNameOf(ContentDispositionHeaderValue disposition)
    {
        var given = disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName;
        var raw = HeaderUtilities.RemoveQuotes(given).ToString();
        var last = raw[(raw.LastIndexOfAny(['/', '\\']) + 1)..];
        var shown = string.Concat(
            last.EnumerateRunes()
                .Where(rune =>
                    Rune.GetUnicodeCategory(rune)
                        is not (
                            UnicodeCategory.Control
                            or UnicodeCategory.Format
                            or UnicodeCategory.LineSeparator
                            or UnicodeCategory.ParagraphSeparator
                        )
                )
                .Take(MaxNameLength)
        );
        return string.IsNullOrWhiteSpace(shown) ? "upload" : shown;
    }

    private static ApiException Fault(string message) => ApiException.BadRequest("invalid_body", message);
}
