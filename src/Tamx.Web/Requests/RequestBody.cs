using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Tamx.Llama;
using Tamx.Web.Runs;

namespace Tamx.Web.Requests;

/// <summary>A request's body, read into memory within the limits: a JSON document, and the files beside it.</summary>
internal sealed class RequestBody : IDisposable
{
    /// <summary>Bytes of the JSON, besides the pictures and videos in it.</summary>
    private const int MaxJsonBytes = 1_000_000;

    /// <summary>A text of so many bytes counts as a picture or video. Real texts have a limit of their own.</summary>
    private const int LeastData = 1000;

    /// <summary>Longest boundary between the parts of a form (RFC 2046).</summary>
    private const int MaxBoundary = 70;

    private static readonly JsonDocumentOptions JsonLimits = new() { MaxDepth = 32 };

    /// <summary>
    /// Held while a body is read for what it says: the texts of a long one take several times its bytes.
    /// </summary>
    private static readonly Lock Interpreting = new();

    private RequestBody(byte[] json, IReadOnlyDictionary<string, Upload> uploads)
    {
        Json = Parse(json);
        Uploads = uploads;
    }

    public JsonDocument Json { get; }

    /// <summary>The files by the names of their parts.</summary>
    public IReadOnlyDictionary<string, Upload> Uploads { get; }

    /// <summary>Reads the body of a request.</summary>
    /// <param name="request">JSON, or multipart/form-data with the JSON in the part <c>request</c>.</param>
    /// <param name="limits">Bytes and time that it may take.</param>
    /// <param name="place">Where its bytes are counted.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="ApiException">It is too large, too slow, of another type, or no JSON.</exception>
    public static async Task<RequestBody> ReadAsync(
        HttpRequest request,
        RequestLimits limits,
        ModelQueue.Place place,
        CancellationToken cancellationToken
    )
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
            return await ReadAsync(new CountedBody(request.Body, place.Take), type, limits, time.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ApiException(
                408,
                "body_timeout",
                FormattableString.Invariant($"the body did not arrive within {limits.MaxBodySeconds} seconds")
            );
        }
        catch (BadHttpRequestException e)
        {
            throw e.StatusCode == 413
                ? TooLarge(limits)
                : new ApiException(e.StatusCode, e.StatusCode == 408 ? "body_timeout" : "invalid_body", e.Message);
        }
        catch (IOException) when (!cancellationToken.IsCancellationRequested)
        {
            throw ApiException.BadRequest("invalid_body", "the body breaks off, or its chunks are none");
        }
    }

    /// <summary>All bytes of a stream.</summary>
    /// <param name="stream">The body, or a part of it.</param>
    /// <param name="most">Most bytes that it may have.</param>
    /// <param name="limits">What the error names.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<byte[]> ReadAllAsync(
        Stream stream,
        long most,
        RequestLimits limits,
        CancellationToken cancellationToken
    )
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

    /// <summary>Makes a request of it.</summary>
    /// <exception cref="ApiException">It is none.</exception>
    public T Interpret<T>(Func<RequestBody, RequestLimits, T> read, RequestLimits limits)
    {
        try
        {
            lock (Interpreting)
            {
                return read(this, limits);
            }
        }
        catch (InvalidOperationException)
        {
            // JsonElement finds half a surrogate pair, or bytes that are not UTF-8, only when it makes a string of
            // them.
            throw ApiException.BadRequest("invalid_json", "a text in the request is no Unicode");
        }
    }

    public void Dispose() => Json.Dispose();

    private static async Task<RequestBody> ReadAsync(
        Stream body,
        MediaTypeHeaderValue type,
        RequestLimits limits,
        CancellationToken cancellationToken
    )
    {
        if (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase))
        {
            var json = await ReadAllAsync(body, limits.MaxBodyBytes, limits, cancellationToken);
            return new RequestBody(json, new Dictionary<string, Upload>());
        }

        if (
            type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            && type.Boundary.Length is > 0 and <= MaxBoundary
        )
        {
            var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).ToString();
            var form = await RequestForm.ReadAsync(body, boundary, limits, cancellationToken);
            return new RequestBody(form.Json, form.Uploads);
        }

        throw WrongType();
    }

    private static JsonDocument Parse(byte[] json)
    {
        try
        {
            var text = JsonText.WithoutMark(json);
            if (text.Length > MaxJsonBytes)
            {
                CheckLength(text);
            }

            return JsonDocument.Parse(text, JsonLimits);
        }
        catch (JsonException e)
        {
            throw ApiException.BadRequest(
                "invalid_json",
                $"the request is no JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})"
            );
        }
    }

    /// <summary>Refuses JSON that is long otherwise than by pictures and videos.</summary>
    private static void CheckLength(ReadOnlyMemory<byte> json)
    {
        var reader = new Utf8JsonReader(json.Span, new JsonReaderOptions { MaxDepth = JsonLimits.MaxDepth });
        var data = 0L;
        while (reader.Read())
        {
            data += reader is { TokenType: JsonTokenType.String, ValueSpan.Length: >= LeastData and var length }
                ? length
                : 0;
        }

        if (json.Length - data > MaxJsonBytes)
        {
            throw new ApiException(
                413,
                "body_too_large",
                FormattableString.Invariant(
                    $"the JSON has more than {MaxJsonBytes:N0} bytes besides the pictures and videos in it"
                )
            );
        }
    }

    private static ApiException WrongType() =>
        new(
            415,
            "wrong_content_type",
            "the body must be application/json, or multipart/form-data with the JSON in a part named request"
        );

    private static ApiException TooLarge(RequestLimits limits) =>
        new(
            413,
            "body_too_large",
            FormattableString.Invariant($"the body has more than {limits.MaxBodyBytes:N0} bytes")
        );
}
