using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Tamx.Report;

/// <summary>
/// Writes the page's JSON: layout, texts, candidates, how the run was made. Numbers in bulk are left to <see cref="PackedVectors"/>.
/// </summary>
/// <remarks>
/// The encoder escapes <c>&lt; &gt; &amp; ' "</c> and U+2028, U+2029, so that the JSON can stand inside a script element whatever a token
/// or a prompt holds. Tokens are named by their index in <c>tokens</c>, vectors by their byte offset before the deflation.
/// </remarks>
internal static class ReportJson
{
    private const string Format = "tamx-report/1";
    private const int FlushBytes = 1 << 16;

    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.Create(UnicodeRanges.All) };

    /// <summary>Writes the JSON and returns the vectors that it refers to, in the order of their offsets.</summary>
    public static async Task<List<float[]>> WriteAsync(
        Stream destination, Trace trace, ActivationMaps maps, CancellationToken cancellationToken)
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

            string[] shownTexts = DecodeRuns(texts, trace.TokenIds, positions);

            json.WriteStartObject();
            json.WriteString("format", Format);
            WriteRun(json, trace, maps);
            WriteTokens(json, trace.TokenIds, positions, shownTexts);
            WriteTurns(json, layout, tokenIndex);
            WriteBlocks(json, trace, layout);

            // The tokens that relevance can belong to, in the order of AnswerToken.TextPositions.
            int[] textOrder = [.. layout.ContextPositions.Concat(layout.AnswerPositions)];
            json.WriteStartArray("textOrder");
            foreach (int position in textOrder)
            {
                json.WriteNumberValue(tokenIndex[position]);
            }

            json.WriteEndArray();

            var vectors = new VectorList();
            json.WriteStartArray("answer");
            foreach (AnswerToken token in maps.Answer)
            {
                WriteAnswerToken(json, trace, token, texts, tokenIndex, shownTexts, textOrder, vectors);
                if (json.BytesPending > FlushBytes)
                {
                    await json.FlushAsync(cancellationToken).ConfigureAwait(false);
                }
            }

            json.WriteEndArray();
            json.WriteEndObject();
            await json.FlushAsync(cancellationToken).ConfigureAwait(false);
            return vectors.Vectors;
        }
    }

    /// <summary>Characters are joined over token borders only where the tokens follow each other directly.</summary>
    private static string[] DecodeRuns(TokenTexts texts, int[] tokenIds, int[] positions)
    {
        var decoded = new List<string>(positions.Length);
        int start = 0;
        for (int i = 1; i <= positions.Length; i++)
        {
            if (i == positions.Length || positions[i] != positions[i - 1] + 1)
            {
                decoded.AddRange(texts.Decode(tokenIds.AsSpan(positions[start], i - start)));
                start = i;
            }
        }

        return [.. decoded];
    }

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
        json.WriteBoolean("filter", maps.Options.ApplyFilter);
        json.WriteNumber("kernelSize", maps.Options.KernelSize);
        json.WriteString("engine", maps.EngineName);
        json.WriteEndObject();

        json.WriteString("writer", WriterVersion());
        json.WriteNumber("sequenceLength", trace.TokenIds.Length);
        json.WriteNumber("hiddenSize", trace.HiddenSize);
        json.WriteBoolean("hasTexts", trace.OutputTexts is not null);
    }

    private static string WriterVersion() =>
        typeof(ReportJson).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    private static void WriteTokens(Utf8JsonWriter json, int[] tokenIds, int[] positions, string[] texts)
    {
        json.WriteStartObject("tokens");
        json.WriteStartArray("position");
        foreach (int position in positions)
        {
            json.WriteNumberValue(position);
        }

        json.WriteEndArray();
        json.WriteStartArray("id");
        foreach (int position in positions)
        {
            json.WriteNumberValue(tokenIds[position]);
        }

        json.WriteEndArray();
        json.WriteStartArray("text");
        foreach (string text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
        json.WriteEndObject();
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

    private static void WriteBlocks(Utf8JsonWriter json, Trace trace, SequenceLayout layout)
    {
        json.WriteStartArray("blocks");
        for (int b = 0; b < layout.VisionBlocks.Count; b++)
        {
            VisionBlock block = layout.VisionBlocks[b];
            json.WriteStartObject();
            json.WriteBoolean("isVideo", block.IsVideo);
            json.WriteNumber("frames", block.Grid.Frames);
            json.WriteNumber("rows", block.Grid.Rows);
            json.WriteNumber("columns", block.Grid.Columns);
            json.WriteStartArray("pictures");
            for (int i = 0; i < trace.Pictures.Count; i++)
            {
                TracePicture picture = trace.Pictures[i];
                if (picture.BlockIndex != b)
                {
                    continue;
                }

                json.WriteStartObject();
                json.WriteNumber("frame", picture.FrameIndex);
                json.WriteString("element", $"picture-{i}");
                json.WriteNumber("width", picture.Width);
                json.WriteNumber("height", picture.Height);
                WriteNumber(json, "seconds", picture.Seconds);
                json.WriteString("name", picture.Name);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteAnswerToken(
        Utf8JsonWriter json,
        Trace trace,
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
        json.WriteStartArray("range");
        WriteNumberValue(json, token.RawRange.Minimum);
        WriteNumberValue(json, token.RawRange.Maximum);
        json.WriteEndArray();

        // Nearly always the text before the token is the start of the common order; its length is then enough.
        if (token.TextPositions.SequenceEqual(textOrder.Take(token.TextPositions.Count)))
        {
            json.WriteNumber("text", token.TextPositions.Count);
        }
        else
        {
            json.WriteStartArray("text");
            foreach (int position in token.TextPositions)
            {
                json.WriteNumberValue(tokenIndex[position]);
            }

            json.WriteEndArray();
        }

        json.WriteStartArray("candidates");
        foreach (int candidate in candidates)
        {
            json.WriteNumberValue(candidate);
        }

        json.WriteEndArray();
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
            json.WriteStartArray("maps");
            foreach (float[]? map in one.VisionMaps)
            {
                if (map is null)
                {
                    json.WriteNullValue();
                }
                else
                {
                    json.WriteNumberValue(vectors.Add(map));
                }
            }

            json.WriteEndArray();
            json.WriteNumber("relevance", vectors.Add(one.TextRelevance));
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

    private static void WriteNumber(Utf8JsonWriter json, string name, float? value)
    {
        json.WritePropertyName(name);
        WriteNumberValue(json, value ?? float.NaN);
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

    /// <summary>JSON knows no NaN and no infinity; unknown is null.</summary>
    private static void WriteNumberValue(Utf8JsonWriter json, float value)
    {
        if (float.IsFinite(value))
        {
            json.WriteNumberValue(value);
        }
        else
        {
            json.WriteNullValue();
        }
    }

    /// <summary>Vectors in the order in which they are packed.</summary>
    private sealed class VectorList
    {
        private long _offset;

        public List<float[]> Vectors { get; } = [];

        /// <summary>Appends a vector and returns the byte offset that it will have.</summary>
        public long Add(float[] vector)
        {
            long offset = _offset;
            _offset += PackedVectors.PackedBytes(vector.Length);
            Vectors.Add(vector);
            return offset;
        }
    }
}
