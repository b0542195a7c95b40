using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Tamx.Llama;

namespace Tamx.Web.Requests;

/// <summary>A request's body, read into memory within the limits: a JSON document, and the files beside it.</summary>
internal sealed class RequestBody : IDisposable
{
    private const int MaxParts = 100;
    private const int MaxNameLength = 200;
    private const string RequestPart = "request";

    private static readonly JsonDocumentOptions JsonLimits = new() { MaxDepth = 32 };

    private RequestBody(JsonDocument json, IReadOnlyDictionary<string, Upload> uploads)
    {
        Json = json;
        Uploads = uploads;
    }

    public JsonDocument Json { get; }

    /// <summary>The files by the names of their parts.</summary>
    public IReadOnlyDictionary<string, Upload> Uploads { get; }

    /// <summary>Reads the body of a request.</summary>
    /// <param name="request">JSON, or multipart/form-data with the JSON in the part <c>request</c>.</param>
    /// <param name="limits">Bytes and time that it may take.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="ApiException">It is too large, too slow, of another type, or no JSON.</exception>
    public static async Task<RequestBody> ReadAsync(HttpRequest request, RequestLimits limits, CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type))
        {
            throw WrongType();
        }

        if (request.ContentLength > limits.MaxBodyBytes)
        {
            throw TooLarge(limits);
        }

        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(TimeSpan.FromSeconds(limits.MaxBodySeconds));
        try
        {
            if (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase))
            {
                return new RequestBody(Parse(await ReadAllAsync(request.Body, limits.MaxBodyBytes, limits, time.Token)), new Dictionary<string, Upload>());
            }

            return type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase) && !StringSegmentIsEmpty(type.Boundary)
                ? await ReadPartsAsync(request.Body, HeaderUtilities.RemoveQuotes(type.Boundary).ToString(), limits, time.Token)
                : throw WrongType();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ApiException(408, "body_timeout", FormattableString.Invariant($"the body did not arrive within {limits.MaxBodySeconds} seconds"));
        }
        catch (BadHttpRequestException e)
        {
            throw e.StatusCode == 413 ? TooLarge(limits) : new ApiException(e.StatusCode, e.StatusCode == 408 ? "body_timeout" : "invalid_body", e.Message);
        }
    }

    /// <summary>Makes a request of it.</summary>
    /// <exception cref="ApiException">It is none.</exception>
    public T Interpret<T>(Func<RequestBody, RequestLimits, T> read, RequestLimits limits)
    {
        try
        {
            return read(this, limits);
        }
        catch (InvalidOperationException)
        {
            // JsonElement finds out when it makes a string of it: half a surrogate pair, or bytes that are no UTF-8.
            throw ApiException.BadRequest("invalid_json", "a text in the request is no Unicode");
        }
    }

    public void Dispose() => Json.Dispose();

    private static bool StringSegmentIsEmpty(Microsoft.Extensions.Primitives.StringSegment text) => text.Length == 0;

    private static async Task<RequestBody> ReadPartsAsync(Stream body, string boundary, RequestLimits limits, CancellationToken cancellationToken)
    {
        JsonDocument? json = null;
        var uploads = new Dictionary<string, Upload>(StringComparer.Ordinal);
        var left = limits.MaxBodyBytes;
        try
        {
            var reader = new MultipartReader(boundary, body);
            for (var count = 1; await reader.ReadNextSectionAsync(cancellationToken) is { } section; count++)
            {
                if (count > MaxParts)
                {
                    throw ApiException.BadRequest("invalid_body", $"the form has more than {MaxParts} parts");
                }

                var disposition = section.GetContentDispositionHeader();
                var name = disposition is null ? "" : HeaderUtilities.RemoveQuotes(disposition.Name).ToString();
                var content = await ReadAllAsync(section.Body, left, limits, cancellationToken);
                left -= content.Length;
                if (name == RequestPart)
                {
                    json = json is null ? Parse(content) : throw ApiException.BadRequest("invalid_body", $"the form has two parts named {RequestPart}");
                }
                else if (name.Length is 0 or > MaxNameLength || !uploads.TryAdd(name, new Upload(FileNameOf(disposition!), content)))
                {
                    throw ApiException.BadRequest("invalid_body", $"each part of the form needs a name of its own, of at most {MaxNameLength} characters");
                }
            }

            return new RequestBody(json ?? throw ApiException.BadRequest("invalid_body", $"the form has no part {RequestPart} with the JSON"), uploads);
        }
        catch (Exception e) when (e is InvalidDataException or (IOException and not BadHttpRequestException))
        {
            json?.Dispose();
            throw ApiException.BadRequest("invalid_body", $"the body is no multipart form: {e.Message}");
        }
        catch
        {
            json?.Dispose();
            throw;
        }
    }

    /// <summary>A name to show: without folders, and without characters that do something.</summary>
    private static string FileNameOf(ContentDispositionHeaderValue disposition)
    {
        var raw = HeaderUtilities.RemoveQuotes(disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName).ToString();
        var last = raw[(raw.LastIndexOfAny(['/', '\\']) + 1)..];
        var shown = string.Concat(last.EnumerateRunes()
            .Where(rune => Rune.GetUnicodeCategory(rune) is not (System.Globalization.UnicodeCategory.Control
                or System.Globalization.UnicodeCategory.Format
                or System.Globalization.UnicodeCategory.LineSeparator
                or System.Globalization.UnicodeCategory.ParagraphSeparator))
            .Take(MaxNameLength));
        return string.IsNullOrWhiteSpace(shown) ? "upload" : shown;
    }

    private static async Task<byte[]> ReadAllAsync(Stream stream, long most, RequestLimits limits, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream();
        var buffer = new byte[1 << 16];
        while (await stream.ReadAsync(buffer, cancellationToken) is > 0 and var count)
        {
            if (content.Length + count > most)
            {
                throw TooLarge(limits);
            }

            content.Write(buffer, 0, count);
        }

        return content.ToArray();
    }

    private static JsonDocument Parse(byte[] json)
    {
        try
        {
            return JsonDocument.Parse(JsonText.WithoutMark(json), JsonLimits);
        }
        catch (JsonException e)
        {
            throw ApiException.BadRequest("invalid_json", $"the request is no JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})");
        }
    }

    private static ApiException WrongType() => new(415, "wrong_content_type", "the body must be application/json, or multipart/form-data with the JSON in a part named request");

    private static ApiException TooLarge(RequestLimits limits) =>
        new(413, "body_too_large", FormattableString.Invariant($"the body has more than {limits.MaxBodyBytes:N0} bytes"));
}
