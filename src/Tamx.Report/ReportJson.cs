using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Unicode;

namespace Tamx.Report;

/// <summary>
/// Writes the page's JSON: layout, texts, candidates, how the run was made. Numbers in bulk are left to <see cref="PackedVectors"/>.
/// </summary>
/// <remarks>
/// Tokens are named by their index in <c>tokens</c>, vectors by their byte offset before the deflation.
/// </remarks>
internal static class ReportJson
{
    private const string Format = "tamx-report/2";
    private const int FlushBytes = 1 << 16;

    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.Create(UnicodeRanges.All) };
    private static readonly JsonSerializerOptions OptionsFormat = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    /// <summary>Options that the page shows at places of their own, or that say how fast and not what was computed.</summary>
    private static readonly string[] ShownOptions =
        ["profile", "applyEci", "eciStrength", "applyFilter", "kernelSize", "wordMaps", "engine", "threadCount"];

    /// <summary>Writes the JSON and returns the vectors that it refers to, in the order of their offsets.</summary>
    public static async Task<IEnumerable<byte[]>> WriteAsync(
        Stream destination, Trace trace, ActivationMaps maps, HtmlReportOptions options, CancellationToken cancellationToken)
    {
        var json = new Utf8JsonWriter(destination, WriterOptions);
        await using (json.ConfigureAwait(false))
        {
            var texts = new TokenTexts(trace);
            SequenceLayout layout = maps.Layout;
            int[] positions = [.. layout.Turns.SelectMany(turn => turn.TextPositions)
                .Concat(layout.ContextPositions).Concat(layout.AnswerPositions).Distinct().Order()];
            var tokenIndex = new Dictionary<int, int>(positions.Length);
            for (int i = 0; i < positions.Length; i++)
            {
                tokenIndex.Add(positions[i], i);
            }

            string[] shownTexts = [.. Runs(positions).SelectMany(run => texts.Decode(trace.TokenIds.AsSpan(positions[run.Start], run.Length)))];

            json.WriteStartObject();
            json.WriteString("format", Format);
            WriteRun(json, trace, maps);
            json.WriteNumber("bits", options.MapBits);
            json.WriteNumber("mostSources", HtmlReportOptions.MostSources);
            WriteTokens(json, trace.TokenIds, positions, shownTexts);
            WriteNumbers(json, "wordStarts", Runs(positions).SelectMany(run => WordStarts(texts, trace.TokenIds, positions, run)));
            WriteTurns(json, layout, tokenIndex);
            WriteBlocks(json, layout);
            WriteMedia(json, trace, layout, options.MaxImagePixels);

            // The tokens that relevance can belong to, in the order of AnswerToken.TextPositions.
            int[] textOrder = [.. layout.ContextPositions.Concat(layout.AnswerPositions)];
            WriteNumbers(json, "textOrder", textOrder.Select(position => tokenIndex[position]));

            var vectors = new VectorList(options.MapBits);
            foreach ((string name, IReadOnlyList<AnswerToken> tokens) in new[] { ("prompt", maps.Prompt), ("answer", maps.Answer) })
            {
                json.WriteStartArray(name);
                foreach (AnswerToken token in tokens)
                {
                    WriteToken(json, trace, maps.Options, token, texts, tokenIndex, shownTexts, textOrder, vectors);
                    if (json.BytesPending > FlushBytes)
                    {
                        await json.FlushAsync(cancellationToken).ConfigureAwait(false);
                    }
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
            await json.FlushAsync(cancellationToken).ConfigureAwait(false);
            return vectors.Packed();
        }
    }

    /// <summary>Index and length of each run of tokens that follow each other directly: characters and words do not go beyond one.</summary>
    private static IEnumerable<(int Start, int Length)> Runs(int[] positions)
    {
        int start = 0;
        for (int i = 1; i <= positions.Length; i++)
        {
            if (i == positions.Length || positions[i] != positions[i - 1] + 1)
            {
                yield return (start, i - start);
                start = i;
            }
        }
    }

    private static IEnumerable<int> WordStarts(TokenTexts texts, int[] tokenIds, int[] positions, (int Start, int Length) run) =>
        AnswerWord.Group([.. Enumerable.Range(run.Start, run.Length).Select(index => texts.BytesOf(tokenIds[positions[index]]))])
            .Select(word => run.Start + word.TokenIndices[0]);

    private static void WriteRun(Utf8JsonWriter json, Trace trace, ActivationMaps maps)
    {
        RunInfo run = trace.Run;
        json.WriteStartObject("run");
        json.WriteString("model", run.Model);
        json.WriteString("modelFile", run.ModelFile);
        json.WriteString("projectorFile", run.ProjectorFile);
        json.WriteString("architecture", run.Architecture);
        json.WriteString("quantization", run.Quantization);
        json.WriteString("llamaVersion", run.LlamaVersion);
        json.WriteString("tamxVersion", run.TamxVersion);
        WriteNumber(json, "temperature", run.Temperature);
        WriteNumber(json, "topK", run.TopK);
        WriteNumber(json, "topP", run.TopP);
        WriteNumber(json, "seed", run.Seed);
        WriteNumber(json, "contextSize", run.ContextSize);
        WriteNumber(json, "threadCount", run.ThreadCount);
        WriteNumber(json, "gpuLayerCount", run.GpuLayerCount);
        json.WriteStartObject("seconds");
        foreach ((string phase, double seconds) in run.Seconds)
        {
            WriteNumber(json, phase, seconds);
        }

        json.WriteEndObject();
        json.WriteEndObject();

        json.WriteStartObject("method");
        json.WriteString("profile", maps.Options.Profile.ToString());
        json.WriteBoolean("eci", maps.Options.ApplyEci);
        WriteNumber(json, "eciStrength", maps.Options.EciStrength);
        json.WriteBoolean("filter", maps.Options.ApplyFilter);
        json.WriteNumber("kernelSize", maps.Options.KernelSize);
        json.WriteString("engine", maps.EngineName);
        json.WriteString("wordMaps", maps.Options.WordMaps == WordAggregation.Mean ? "mean" : "max");
        json.WritePropertyName("options");
        JsonSerializer.Serialize(json, OtherOptions(maps.Options), OptionsFormat);
        json.WriteEndObject();

        json.WriteString("writer", WriterVersion());
        json.WriteNumber("sequenceLength", trace.TokenIds.Length);
        json.WriteNumber("hiddenSize", trace.HiddenSize);
        json.WriteBoolean("hasTexts", trace.OutputTexts is not null);
    }

    private static JsonObject OtherOptions(TamOptions options)
    {
        JsonObject all = JsonSerializer.SerializeToNode(options, OptionsFormat)!.AsObject();
        foreach (string name in ShownOptions)
        {
            all.Remove(name);
        }

        return all;
    }

    private static string WriterVersion() =>
        typeof(ReportJson).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    private static void WriteTokens(Utf8JsonWriter json, int[] tokenIds, int[] positions, string[] texts)
    {
        json.WriteStartObject("tokens");
        WriteNumbers(json, "position", positions);
        WriteNumbers(json, "id", positions.Select(position => tokenIds[position]));
        json.WriteStartArray("text");
        foreach (string text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IEnumerable<int> numbers)
    {
        json.WriteStartArray(name);
        foreach (int number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }

    /// <summary>A turn's items in the order of the sequence: a token's index, or -1 - b for vision block b.</summary>
    private static void WriteTurns(Utf8JsonWriter json, SequenceLayout layout, Dictionary<int, int> tokenIndex)
    {
        json.WriteStartArray("turns");
        foreach (Turn turn in WithWholeAnswer(layout))
        {
            json.WriteStartObject();
            json.WriteString("role", turn.Role);
            json.WriteStartArray("items");
            IEnumerable<(int Position, int Item)> items = turn.TextPositions.Select(position => (position, tokenIndex[position]))
                .Concat(turn.VisionBlockIndices.Select(block => (layout.VisionBlocks[block].StartPosition, -1 - block)));
            foreach ((int _, int item) in items.OrderBy(item => item.Position))
            {
                json.WriteNumberValue(item);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>
    /// The turns with every answer token in one of them: a turn's text leaves out markers, but a generated answer may end with one,
    /// and an answer cut off before its first word has no turn.
    /// </summary>
    private static IEnumerable<Turn> WithWholeAnswer(SequenceLayout layout)
    {
        HashSet<int> shown = [.. layout.Turns.SelectMany(turn => turn.TextPositions)];
        int[] missing = [.. layout.AnswerPositions.Where(position => !shown.Contains(position))];
        if (missing.Length == 0)
        {
            return layout.Turns;
        }

        Turn? answer = layout.Turns.LastOrDefault(turn => turn.TextPositions.Any(layout.AnswerPositions.Contains));
        return answer is null
            ? layout.Turns.Append(new Turn("assistant", missing, []))
            : layout.Turns.Select(
                turn => turn == answer ? turn with { TextPositions = [.. turn.TextPositions.Concat(missing).Order()] } : turn);
    }

    private static void WriteBlocks(Utf8JsonWriter json, SequenceLayout layout)
    {
        json.WriteStartArray("blocks");
        foreach (VisionBlock block in layout.VisionBlocks)
        {
            json.WriteStartObject();
            json.WriteNumber("frames", block.Grid.Frames);
            json.WriteNumber("rows", block.Grid.Rows);
            json.WriteNumber("columns", block.Grid.Columns);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteMedia(Utf8JsonWriter json, Trace trace, SequenceLayout layout, long maxPixels)
    {
        json.WriteStartArray("media");
        foreach (ReportMedia media in ReportMedia.Of(layout.VisionBlocks, trace.VideoGrids))
        {
            json.WriteStartObject();
            json.WriteBoolean("isVideo", media.IsVideo);
            json.WriteString("name", media.Name);
            json.WriteStartArray("frames");
            foreach ((int block, int frame) in media.Frames)
            {
                json.WriteStartObject();
                json.WriteNumber("block", block);
                json.WriteNumber("frame", frame);
                json.WritePropertyName("picture");
                int index = trace.Pictures.TakeWhile(picture => picture.BlockIndex != block || picture.FrameIndex != frame).Count();
                WritePicture(json, trace, index, maxPixels);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WritePicture(Utf8JsonWriter json, Trace trace, int index, long maxPixels)
    {
        if (index == trace.Pictures.Count)
        {
            json.WriteNullValue();
            return;
        }

        TracePicture picture = trace.Pictures[index];
        var shown = new ReportPicture(picture, maxPixels);
        json.WriteStartObject();
        json.WriteString("element", $"picture-{index}");
        json.WriteNumber("width", shown.Width);
        json.WriteNumber("height", shown.Height);
        WriteNumber(json, "seconds", picture.Seconds);
        json.WriteString("name", picture.Name);
        json.WriteEndObject();
    }

    private static void WriteToken(
        Utf8JsonWriter json,
        Trace trace,
        TamOptions options,
        AnswerToken token,
        TokenTexts texts,
        Dictionary<int, int> tokenIndex,
        string[] shownTexts,
        int[] textOrder,
        VectorList vectors)
    {
        // The answer's token is usually one of the candidates too; it stands once.
        var explained = new List<ExplainedToken> { token.Token };
        var candidates = new List<int>(token.Candidates.Count);
        foreach (ExplainedToken candidate in token.Candidates)
        {
            int index = explained.FindIndex(other => other.TokenId == candidate.TokenId);
            if (index < 0)
            {
                index = explained.Count;
                explained.Add(candidate);
            }

            candidates.Add(index);
        }

        json.WriteStartObject();
        int shown = tokenIndex[token.Position];
        json.WriteNumber("token", shown);
        // Nearly always the text before the token is the start of the common order; its length is then enough.
        if (token.TextPositions.SequenceEqual(textOrder.Take(token.TextPositions.Count)))
        {
            json.WriteNumber("text", token.TextPositions.Count);
        }
        else
        {
            WriteNumbers(json, "text", token.TextPositions.Select(position => tokenIndex[position]));
        }

        WriteNumbers(json, "candidates", candidates);
        json.WriteStartArray("explained");
        foreach (ExplainedToken one in explained)
        {
            string text = one == token.Token
                ? WholeText(shownTexts, shown)
                : texts.DecodeAfter(trace.TokenIds.AsSpan(0, token.Position), one.TokenId);
            json.WriteStartObject();
            json.WriteNumber("id", one.TokenId);
            json.WriteString("text", text);
            WriteNumber(json, "logit", one.Logit);
            WriteNumber(json, "probability", one.Probability);
            (float minimum, float maximum) = options.NormalizeWithCandidates ? token.RawRange : one.RawRange;
            bool isKnown = float.IsFinite(minimum) && float.IsFinite(maximum);
            json.WriteStartArray("range");
            json.WriteNumberValue(isKnown ? minimum : 0);
            json.WriteNumberValue(isKnown ? maximum : 1);
            json.WriteEndArray();
            json.WriteStartArray("maps");
            foreach (float[]? map in one.VisionMaps)
            {
                if (map is null)
                {
                    json.WriteNullValue();
                }
                else
                {
                    json.WriteNumberValue(vectors.AddDense(map));
                }
            }

            json.WriteEndArray();
            json.WriteNumber("relevance", vectors.AddSparse(one.TextRelevance));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>A token's text, or for the rest of a character the text that this character stands in.</summary>
    private static string WholeText(string[] shownTexts, int index)
    {
        while (index > 0 && shownTexts[index].Length == 0)
        {
            index--;
        }

        return shownTexts[index];
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, long? value)
    {
        if (value is long number)
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    /// <summary>The shortest decimals that give the float again.</summary>
    private static void WriteNumber(Utf8JsonWriter json, string name, float? value)
    {
        json.WritePropertyName(name);
        if (value is float number && float.IsFinite(number))
        {
            json.WriteNumberValue(number);
        }
        else
        {
            json.WriteNullValue();
        }
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, double? value)
    {
        json.WritePropertyName(name);
        if (value is double number && double.IsFinite(number))
        {
            json.WriteNumberValue(number);
        }
        else
        {
            json.WriteNullValue();
        }
    }

    /// <summary>Vectors in the order in which they are packed. A map is packed when it is written; relevance at once, for its length shows only then.</summary>
    private sealed class VectorList(int bits)
    {
        private readonly List<(float[]? Dense, byte[]? Sparse)> _vectors = [];
        private long _offset;

        /// <summary>Appends a vector and returns the byte offset that it will have.</summary>
        public long AddDense(float[] values)
        {
            _vectors.Add((values, null));
            return Advance(PackedVectors.DenseBytes(values.Length, bits));
        }

        /// <inheritdoc cref="AddDense"/>
        public long AddSparse(float[] values)
        {
            byte[] packed = PackedVectors.Sparse(values, HtmlReportOptions.MostSources, bits);
            _vectors.Add((null, packed));
            return Advance(packed.Length);
        }

        public IEnumerable<byte[]> Packed() => _vectors.Select(vector => vector.Sparse ?? PackedVectors.Dense(vector.Dense, bits));

        private long Advance(long length)
        {
            long offset = _offset;
            _offset += length;
            return offset;
        }
    }
}
