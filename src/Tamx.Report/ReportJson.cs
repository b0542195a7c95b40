using System.Globalization;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Tamx.Llama;

namespace Tamx.Report;

/// <summary>
/// Writes the page's JSON: layout, texts, candidates, how the run was made. <see cref="PackedVectors"/> holds the many
/// numbers.
/// </summary>
/// <remarks>
/// A token's name is its index in <c>tokens</c>. A vector's name is its byte offset before deflation.
/// </remarks>
internal static class ReportJson
{
    private const string Format = "tamx-report/2";
    private const int FlushBytes = 1 << 16;

    public static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
    };
    private static readonly JsonSerializerOptions OptionsFormat = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>Options that the page shows elsewhere, or that change the speed and not the result.</summary>
    private static readonly string[] ShownOptions =
    [
        "profile",
        "method",
        "layer",
        "applyEci",
        "eciStrength",
        "applyFilter",
        "kernelSize",
        "wordMaps",
    ];

    /// <summary>Writes the JSON. Returns the vectors that it refers to, in the order of their offsets.</summary>
    /// <param name="destination">Receives UTF-8. It stays open.</param>
    /// <param name="trace">The run.</param>
    /// <param name="maps">Its maps.</param>
    /// <param name="options">The report's options.</param>
    /// <param name="otherCount">How many further maps of the same answer the report holds.</param>
    /// <param name="cancellationToken">Stops the writing.</param>
    public static async Task<IEnumerable<byte[]>> WriteAsync(
        Stream destination,
        Trace trace,
        ActivationMaps maps,
        HtmlReportOptions options,
        int otherCount,
        CancellationToken cancellationToken
    )
    {
        var json = new Utf8JsonWriter(destination, WriterOptions);
        await using (json.ConfigureAwait(false))
        {
            var texts = new TokenTexts(trace.FindBytes);
            var layout = maps.Layout;
            var tokens = new ReportTokens(texts, trace.TokenIds.AsSpan(), layout);

            json.WriteStartObject();
            json.WriteString("format", Format);
            WriteRun(json, trace, maps);
            json.WriteNumber("bits", options.MapBits);
            json.WriteNumber("mostSources", HtmlReportOptions.MostSources);
            WriteTokens(json, tokens, 0);
            WriteTurns(json, layout, tokens);
            WriteBlocks(json, layout);
            WriteMedia(json, trace, layout, options.MaxImagePixels);

            // The tokens that can have relevance, in the order of AnswerToken.TextPositions.
            var textOrder = new TextOrder(layout.ContextPositions.Concat(layout.AnswerPositions));
            WriteNumbers(json, "textOrder", textOrder.Positions.Select(tokens.IndexOf));

            json.WriteNumber("thoughtTokens", layout.ThoughtCount);
            var vectors = new PackedVectorList(options.MapBits);
            foreach ((var name, var explained) in new[] { ("prompt", maps.Prompt), ("answer", maps.Answer) })
            {
                json.WriteStartArray(name);
                foreach (var token in explained)
                {
                    json.WriteStartObject();
                    ReportTokenJson.Write(
                        json,
                        token,
                        trace.TokenIds.AsSpan(0, token.Position),
                        maps.Options,
                        tokens,
                        texts,
                        textOrder,
                        vectors
                    );
                    json.WriteEndObject();
                    if (json.BytesPending > FlushBytes)
                    {
                        await json.FlushAsync(cancellationToken).ConfigureAwait(false);
                    }
                }

                json.WriteEndArray();
            }

            WriteClaims(json, maps);
            WriteRegion(json, trace);
            json.WriteNumber("others", otherCount);
            json.WriteEndObject();
            await json.FlushAsync(cancellationToken).ConfigureAwait(false);
            return vectors.Packed();
        }
    }

    private static void WriteRun(Utf8JsonWriter json, Trace trace, ActivationMaps maps)
    {
        var run = trace.Run;
        json.WriteStartObject("run");
        json.WriteString("model", run.Model);
        json.WriteString("modelDescription", run.ModelDescription);
        json.WriteString("modelFile", run.ModelFile);
        json.WriteString("projectorFile", run.ProjectorFile);
        json.WriteString("architecture", run.Architecture);
        json.WriteString("quantization", run.Quantization);
        json.WriteString("llamaVersion", run.LlamaVersion);
        json.WriteString("tamxVersion", run.TamxVersion);
        json.WriteString("created", run.Created?.ToString("O", CultureInfo.InvariantCulture));
        WriteNumber(json, "temperature", run.Temperature);
        WriteNumber(json, "topK", run.TopK);
        WriteNumber(json, "topP", run.TopP);
        WriteNumber(json, "minP", run.MinP);
        WriteNumber(json, "seed", run.Seed);
        WriteNumber(json, "contextSize", run.ContextSize);
        WriteNumber(json, "threadCount", run.ThreadCount);
        WriteNumber(json, "gpuLayerCount", run.GpuLayerCount);
        json.WriteStartObject("seconds");
        foreach ((var phase, var seconds) in run.Seconds)
        {
            WriteNumber(json, phase, seconds);
        }

        json.WriteEndObject();
        json.WriteEndObject();

        json.WriteStartObject("method");
        json.WriteString("name", maps.Options.DescribeMethod(run));
        json.WriteString("profile", maps.Options.Profile.ToString());
        json.WriteBoolean("eci", maps.Options.ApplyEci);
        WriteNumber(json, "eciStrength", maps.Options.EciStrength);
        json.WriteBoolean("filter", maps.Options.ApplyFilter);
        json.WriteNumber("kernelSize", maps.Options.KernelSize);
        json.WriteString("engine", maps.EngineName);
        json.WriteString("wordMaps", maps.Options.WordMaps == WordAggregation.Mean ? "mean" : "max");
        json.WritePropertyName("options");
        JsonSerializer.Serialize(json, OtherOptions(maps.Options), OptionsFormat);
        json.WritePropertyName("changed");
        JsonSerializer.Serialize(json, ChangedOptions(maps.Options), OptionsFormat);
        json.WriteEndObject();

        json.WriteString("writer", WriterVersion());
        json.WriteNumber("sequenceLength", trace.TokenIds.Length);
        json.WriteNumber("hiddenSize", trace.HiddenSize);
        json.WriteBoolean("hasTexts", trace.OutputTexts is not null);
    }

    private static JsonObject OtherOptions(TamOptions options)
    {
        var all = JsonSerializer.SerializeToNode(options, OptionsFormat)!.AsObject();
        foreach (var name in ShownOptions)
        {
            all.Remove(name);
        }

        return all;
    }

    /// <summary>The options that differ from those of the profile.</summary>
    private static JsonObject ChangedOptions(TamOptions options)
    {
        var all = JsonSerializer.SerializeToNode(options, OptionsFormat)!.AsObject();
        var preset = JsonSerializer.SerializeToNode(TamOptions.ForProfile(options.Profile), OptionsFormat)!.AsObject();
        foreach ((var name, var value) in preset)
        {
            if (JsonNode.DeepEquals(value, all[name]))
            {
                all.Remove(name);
            }
        }

        return all;
    }

    private static string WriterVersion() =>
        typeof(ReportJson)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion.Split('+')[0]
        ?? "";

    /// <summary>Tokens from an index on, with their words.</summary>
    public static void WriteTokens(Utf8JsonWriter json, ReportTokens tokens, int from)
    {
        json.WriteStartObject("tokens");
        WriteNumbers(json, "position", tokens.Positions.Skip(from));
        WriteNumbers(json, "id", tokens.Ids.Skip(from));
        json.WriteStartArray("text");
        foreach (var text in tokens.Texts.Skip(from))
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        WriteNumbers(json, "wordStarts", tokens.WordStarts.SkipWhile(start => start < from));
    }

    public static void WriteNumbers(Utf8JsonWriter json, string name, IEnumerable<int> numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }

    /// <summary>A turn's items in the order of the sequence: a token's index, or -1 - b for vision block b.</summary>
    private static void WriteTurns(Utf8JsonWriter json, SequenceLayout layout, ReportTokens tokens)
    {
        json.WriteStartArray("turns");
        foreach (var turn in WithWholeAnswer(layout))
        {
            json.WriteStartObject();
            json.WriteString("role", turn.Role);
            json.WriteStartArray("items");
            IEnumerable<(int Position, int Item)> items = turn
                .TextPositions.Select(position => (position, tokens.IndexOf(position)))
                .Concat(
                    turn.VisionBlockIndices.Select(block => (layout.VisionBlocks[block].StartPosition, -1 - block))
                );
            foreach ((var _, var item) in items.OrderBy(item => item.Position))
            {
                json.WriteNumberValue(item);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>
    /// The turns, with each answer token in one of them. A turn's text has no markers, but a generated answer may end
    /// with one. An answer cut off before its first word has no turn.
    /// </summary>
    private static IEnumerable<Turn> WithWholeAnswer(SequenceLayout layout)
    {
        HashSet<int> shown = [.. layout.Turns.SelectMany(turn => turn.TextPositions)];
        int[] missing = [.. layout.AnswerPositions.Where(position => !shown.Contains(position))];
        if (missing.Length == 0)
        {
            return layout.Turns;
        }

        HashSet<int> generated = [.. layout.AnswerPositions];
        var answer = layout.Turns.LastOrDefault(turn => turn.TextPositions.Any(generated.Contains));
        return answer is null
            ? layout.Turns.Append(new Turn("assistant", missing, []))
            : layout.Turns.Select(turn =>
                turn == answer ? turn with { TextPositions = [.. turn.TextPositions.Concat(missing).Order()] } : turn
            );
    }

    private static void WriteBlocks(Utf8JsonWriter json, SequenceLayout layout)
    {
        json.WriteStartArray("blocks");
        foreach (var block in layout.VisionBlocks)
        {
            json.WriteStartObject();
            json.WriteNumber("frames", block.Grid.Frames);
            json.WriteNumber("rows", block.Grid.Rows);
            json.WriteNumber("columns", block.Grid.Columns);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteClaims(Utf8JsonWriter json, ActivationMaps maps)
    {
        json.WriteStartArray("claims");
        foreach (var (region, score) in maps.Claims)
        {
            json.WriteStartObject();
            json.WriteString("label", region.Label);
            WriteNumbers(json, "tokens", region.LabelTokens);
            WriteNumbers(json, "coordinateTokens", region.CoordinateTokens);
            json.WriteNumber("block", region.BlockIndex);
            WriteBox(json, region.Box);
            json.WriteBoolean("isClamped", region.IsClamped);
            WriteNumber(json, "iou", score.Iou);
            WriteNumber(json, "pointing", (double?)score.Pointing);
            WriteNumber(json, "mass", (double?)score.Mass);
            WriteNumber(json, "area", (double?)score.Area);
            json.WriteString("evidence", score.Place.ToString().ToLowerInvariant());
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteBox(Utf8JsonWriter json, RegionBox box)
    {
        json.WriteStartArray("box");
        foreach (var edge in new[] { box.Left, box.Top, box.Right, box.Bottom })
        {
            json.WriteNumberValue(edge);
        }

        json.WriteEndArray();
    }

    /// <summary>
    /// The region that was hidden, kept alone or looked at, and what became of ln p of the answer's tokens.
    /// </summary>
    private static void WriteRegion(Utf8JsonWriter json, Trace trace)
    {
        if (trace.Run.Region is not { } region)
        {
            json.WriteNull("asked");
            return;
        }

        json.WriteStartObject("asked");
        json.WriteString("use", JsonNamingPolicy.CamelCase.ConvertName(region.Use.ToString()));
        json.WriteNumber("picture", region.PictureIndex);
        WriteBox(json, region.Box);
        WriteNumber(json, "alpha", region.Use == RegionUse.LookAt ? region.Alpha : default(float?));
        if (trace.RegionChanges is { } changes)
        {
            json.WriteStartArray("changes");
            foreach (var change in changes)
            {
                json.WriteNumberValue(change);
            }

            json.WriteEndArray();
        }
        else
        {
            json.WriteNull("changes");
        }

        json.WriteEndObject();
    }

    private static void WriteMedia(Utf8JsonWriter json, Trace trace, SequenceLayout layout, long maxPixels)
    {
        var pictures = new Dictionary<(int Block, int Frame), int>();
        foreach (var (index, picture) in trace.Pictures.Index())
        {
            pictures.TryAdd((picture.BlockIndex, picture.FrameIndex), index);
        }

        json.WriteStartArray("media");
        foreach (var media in ReportMedia.Of(layout.VisionBlocks, trace.VideoGrids))
        {
            json.WriteStartObject();
            json.WriteBoolean("isVideo", media.IsVideo);
            json.WriteString("name", media.Name);
            if (media.IsWhole)
            {
                json.WriteBoolean("isWhole", true);
            }

            json.WriteStartArray("frames");
            foreach ((var block, var frame) in media.Frames)
            {
                json.WriteStartObject();
                json.WriteNumber("block", block);
                json.WriteNumber("frame", frame);
                json.WritePropertyName("picture");
                WritePicture(json, trace, pictures.GetValueOrDefault((block, frame), trace.Pictures.Count), maxPixels);
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

        var picture = trace.Pictures[index];
        var shown = new ReportPicture(picture, maxPixels);
        json.WriteStartObject();
        json.WriteString("element", ReportPicture.ElementName(index));
        json.WriteNumber("width", shown.Width);
        json.WriteNumber("height", shown.Height);
        WriteNumber(json, "seconds", picture.Seconds);
        json.WriteString("name", picture.Name);
        json.WriteEndObject();
    }

    public static void WriteNumber(Utf8JsonWriter json, string name, long? value)
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

    /// <summary>The shortest decimal number that reads back as the same float.</summary>
    public static void WriteNumber(Utf8JsonWriter json, string name, float? value)
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

    public static void WriteNumber(Utf8JsonWriter json, string name, double? value)
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
}
