using System.Buffers;
using System.Text.Json;

namespace Tamx.Report;

/// <summary>A report that grows with its answer. It gives a page each token as soon as it is explained.</summary>
/// <remarks>
/// <para>
/// First comes the head with everything but the answer, then one document per token. Each is UTF-8 JSON on one line.
/// The page's module <c>live.js</c> takes them in this order. It shows the same texts, maps and relevance as the
/// finished report, to the bit.
/// </para>
/// <para>
/// Head: <c>{ "data", "pictures": { name: { "mediaType", "bytes" } }, "vectors" }</c>. Bytes and vectors are base64.
/// </para>
/// <para>
/// Token, for any reader: <c>{ "index", "position", "id", "text", "isThought", "thought", "answer", "probability",
/// "logit", "endsAnswer" }</c>. The text is what the model wrote; the answer, and its thought, grow by the texts of
/// these names. Probability and logit are null if unknown.
/// </para>
/// <para>
/// Token, for the page: <c>"from"</c> (the first token whose text or word may have changed), <c>"tokens"</c>,
/// <c>"wordStarts"</c>, <c>"explained"</c> and <c>"vectors"</c>.
/// </para>
/// <para>For one caller at a time.</para>
/// </remarks>
public sealed class GrowingReport
{
    private const int LongestCharacter = 4;

    private readonly Trace _prompt;
    private readonly ActivationMaps _head;
    private readonly HtmlReportOptions _options;
    private readonly TokenTexts _texts;
    private readonly ReportTokens _tokens;
    private readonly TextOrder _textOrder;
    private readonly List<int> _tail;
    private int _count;

    /// <summary>Starts with a prompt.</summary>
    /// <param name="prompt">The run before its answer.</param>
    /// <param name="head">Layout and explained tokens of the prompt, with an empty answer.</param>
    /// <param name="bytesOf">Bytes of any token.</param>
    /// <param name="options">Bits per value, and the pictures' size.</param>
    internal GrowingReport(
        Trace prompt,
        ActivationMaps head,
        Func<int, ReadOnlyMemory<byte>?> bytesOf,
        HtmlReportOptions options
    )
    {
        options.Validate();
        ReportInput.Check(prompt, head);
        _prompt = prompt;
        _head = head;
        _options = options;
        _texts = new TokenTexts(bytesOf);
        _tokens = new ReportTokens(_texts, prompt.TokenIds.AsSpan(), head.Layout);
        _textOrder = new TextOrder(head.Layout.ContextPositions);
        _tail = [.. prompt.TokenIds[Math.Max(0, prompt.TokenIds.Length - LongestCharacter)..]];
    }

    /// <summary>Starts with an answer. None of its tokens need have been read.</summary>
    /// <param name="live">The answer.</param>
    /// <param name="options">Bits per value, and the pictures' size; null for the defaults.</param>
    /// <param name="cancellationToken">Stops the explanation of the prompt.</param>
    /// <exception cref="InvalidInputException">
    /// No page can show a picture's type, an option is out of range, or a hidden state is not finite.
    /// </exception>
    public static GrowingReport Of(
        LiveExplanation live,
        HtmlReportOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(live);
        var prompt = live.ExplainPrompt(cancellationToken);
        return new GrowingReport(
            prompt.Trace,
            prompt.Maps,
            id => live.GetBytes(id),
            options ?? new HtmlReportOptions()
        );
    }

    /// <summary>What the report has before the answer: run, prompt, grids and pictures.</summary>
    /// <param name="cancellationToken">Stops the writing.</param>
    /// <returns>UTF-8 JSON on one line.</returns>
    /// <exception cref="Llama.Media.ImageFormatException">A picture has to be scaled but cannot be read.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task<byte[]> HeadAsync(CancellationToken cancellationToken = default)
    {
        using var data = new MemoryStream();
        var vectors = await ReportJson
            .WriteAsync(data, _prompt, _head, _options, otherCount: 0, cancellationToken)
            .ConfigureAwait(false);
        var line = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(line, ReportJson.WriterOptions);
        json.WriteStartObject();
        json.WritePropertyName("data");
        json.WriteRawValue(data.GetBuffer().AsSpan(0, (int)data.Length), skipInputValidation: true);
        json.WriteStartObject("pictures");
        for (var i = 0; i < _prompt.Pictures.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var picture = new ReportPicture(_prompt.Pictures[i], _options.MaxImagePixels);
            json.WriteStartObject(ReportPicture.ElementName(i));
            json.WriteString("mediaType", picture.MediaType);
            json.WriteBase64String("bytes", picture.GetBytes().Span);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        WriteVectors(json, vectors);
        json.WriteEndObject();
        json.Flush();
        return line.WrittenSpan.ToArray();
    }

    /// <summary>The document of the answer's next token, from the first one on.</summary>
    /// <param name="token">The token with its maps.</param>
    /// <returns>UTF-8 JSON on one line.</returns>
    /// <exception cref="InvalidInputException">
    /// Its maps do not fit the head's vision blocks, or a value is not finite.
    /// </exception>
    public byte[] Next(StreamedToken token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return Next(
            token.Explained,
            json =>
            {
                json.WriteString("text", token.Generated.Text);
                json.WriteBoolean("isThought", token.Piece.IsThought);
                json.WriteString("thought", token.Piece.Thought);
                json.WriteString("answer", token.Piece.Answer);
                json.WriteBoolean("endsAnswer", token.Generated.EndsAnswer);
            }
        );
    }

    /// <summary>The document of a token of which no more is known than its maps.</summary>
    internal byte[] Next(AnswerToken token, bool isThought = false) =>
        Next(token, json => json.WriteBoolean("isThought", isThought));

    private byte[] Next(AnswerToken token, Action<Utf8JsonWriter> writeText)
    {
        ReportInput.CheckToken(token, _head.Layout, _textOrder, $"answer token {_count}");
        var from = _tokens.Append(token.Position, token.Token.TokenId);
        _textOrder.Add(token.Position);

        var line = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(line, ReportJson.WriterOptions);
        var vectors = new PackedVectorList(_options.MapBits);
        json.WriteStartObject();
        json.WriteNumber("index", _count++);
        json.WriteNumber("position", token.Position);
        json.WriteNumber("id", token.Token.TokenId);
        writeText(json);
        ReportJson.WriteNumber(json, "probability", token.Token.Probability);
        ReportJson.WriteNumber(json, "logit", token.Token.Logit);
        json.WriteNumber("from", from);
        ReportJson.WriteTokens(json, _tokens, from);
        json.WriteStartObject("explained");
        ReportTokenJson.Write(json, token, [.. _tail], _head.Options, _tokens, _texts, _textOrder, vectors);
        json.WriteEndObject();
        WriteVectors(json, vectors.Packed());
        json.WriteEndObject();
        json.Flush();

        _tail.Add(token.Token.TokenId);
        if (_tail.Count > LongestCharacter)
        {
            _tail.RemoveAt(0);
        }

        return line.WrittenSpan.ToArray();
    }

    private static void WriteVectors(Utf8JsonWriter json, IEnumerable<byte[]> vectors) =>
        json.WriteBase64String("vectors", [.. vectors.SelectMany(vector => vector)]);
}
