using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Web.Runs;

namespace Tamx.Web.Requests;

/// <summary>A request's body, read into memory within the limits: a JSON document, and the files beside it.</summary>
internal sealed class RequestBody : IDisposable
{
    /// <summary>Bytes of the JSON, besides the pictures and videos in it.</summary>
    private const int MaxJsonBytes = 1_000_000;

    /// <summary>A source of so many bytes counts as a picture or video.</summary>
    private const int LeastData = 1000;

    /// <summary>Longest boundary between the parts of a form (RFC 2046).</summary>
    private const int MaxBoundary = 70;

    private static readonly JsonDocumentOptions JsonLimits = new() { MaxDepth = 32 };

    /// <summary>Held while a body is read for what it says: its pictures are then there twice.</summary>
    private static readonly Lock Interpreting = new();

    private readonly BodyMemory _memory;

    private RequestBody(BodyMemory memory, ReadOnlyMemory<byte> json, IReadOnlyDictionary<string, Upload> uploads)
    {
        _memory = memory;
        var media = new List<ReadOnlyMemory<byte>>();
        Json = Parse(json, media);
        Media = media;
        Uploads = uploads;
    }

    public JsonDocument Json { get; }

    /// <summary>Pictures and videos of long JSON, in which only their numbers stand.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Media { get; }

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
            var memory = new BodyMemory(request.ContentLength, limits, place);
            return await ReadAsync(request.Body, memory, type, time.Token);
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

    public void Dispose()
    {
        Json.Dispose();
        _memory.LetGo();
    }

    private static async Task<RequestBody> ReadAsync(
        Stream body,
        BodyMemory memory,
        MediaTypeHeaderValue type,
        CancellationToken cancellationToken
    )
    {
        if (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase))
        {
            var json = await memory.ReadAllAsync(body, cancellationToken);
            return new RequestBody(memory, json, new Dictionary<string, Upload>());
        }

        if (
            type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            && type.Boundary.Length is > 0 and <= MaxBoundary
        )
        {
            var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).ToString();
            var form = await RequestForm.ReadAsync(body, boundary, memory, cancellationToken);
            return new RequestBody(memory, form.Json, form.Uploads);
        }

        throw WrongType();
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> json, List<ReadOnlyMemory<byte>> media)
    {
        try
        {
            var text = JsonText.WithoutMark(json);
            return JsonDocument.Parse(text.Length > MaxJsonBytes ? TakeMediaOut(text, media) : text, JsonLimits);
        }
        catch (JsonException e)
        {
            throw ApiException.BadRequest(
                "invalid_json",
                $"the request is no JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})"
            );
        }
    }

    /// <summary>
    /// Long JSON without its pictures and videos, in whose place their numbers stand. (A document takes as much memory
    /// again as the JSON that it is made of.)
    /// </summary>
    /// <exception cref="ApiException">413: it is long otherwise.</exception>
    private static ReadOnlyMemory<byte> TakeMediaOut(ReadOnlyMemory<byte> json, List<ReadOnlyMemory<byte>> media)
    {
        var reader = new Utf8JsonReader(json.Span, new JsonReaderOptions { MaxDepth = JsonLimits.MaxDepth });
        var rest = new ArrayBufferWriter<byte>();
        var (taken, isSource) = (0, false);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName)
            {
                isSource = IsSource(ref reader);
            }
            else if (
                isSource && reader is { TokenType: JsonTokenType.String, ValueSpan.Length: >= LeastData and var n }
            )
            {
                var start = (int)reader.TokenStartIndex + 1;
                Keep(start);
                rest.Write(ConversationReader.PlaceOf(media.Count));
                media.Add(json.Slice(start, n));
                taken = start + n;
            }
        }

        Keep(json.Length);
        return rest.WrittenMemory;

        void Keep(int end)
        {
            if (rest.WrittenCount + (end - taken) > MaxJsonBytes)
            {
                throw new ApiException(
                    413,
                    "body_too_large",
                    FormattableString.Invariant(
                        $"the JSON has more than {MaxJsonBytes:N0} bytes besides the pictures and videos in it"
                    )
                );
            }

            rest.Write(json.Span[taken..end]);
        }
    }

    /// <summary>Whether what comes next, or each text of a list that comes next, may be a picture or video.</summary>
    private static bool IsSource(ref Utf8JsonReader name)
    {
        foreach (var source in ConversationReader.AllSources)
        {
            if (name.ValueTextEquals(source))
            {
                return true;
            }
        }

        return false;
    }

    private static ApiException WrongType() =>
        new(
            415,
            "wrong_content_type",
            "the body must be application/json, or multipart/form-data with the JSON in a part named request"
        );

    public static ApiException TooLarge(RequestLimits limits) =>
        new(
            413,
            "body_too_large",
            FormattableString.Invariant($"the body has more than {limits.MaxBodyBytes:N0} bytes")
        );
}
