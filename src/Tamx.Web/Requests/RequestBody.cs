using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Tamx.Llama;

namespace Tamx.Web.Requests;

/// <summary>A request's body, read into memory within the limits: a JSON document, and the files beside it.</summary>
internal sealed class RequestBody : IDisposable
{
    private static readonly JsonDocumentOptions JsonLimits = new() { MaxDepth = 32 };

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
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="ApiException">It is too large, too slow, of another type, or no JSON.</exception>
    public static async Task<RequestBody> ReadAsync(
        HttpRequest request,
        RequestLimits limits,
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
            return await ReadAsync(request.Body, type, limits, time.Token);
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
            return read(this, limits);
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
            && type.Boundary.Length > 0
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
            return JsonDocument.Parse(JsonText.WithoutMark(json), JsonLimits);
        }
        catch (JsonException e)
        {
            throw ApiException.BadRequest(
                "invalid_json",
                $"the request is no JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})"
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
