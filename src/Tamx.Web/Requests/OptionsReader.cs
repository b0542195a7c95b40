using System.Globalization;
using System.Text.Json;
using Tamx.Llama;
using Tamx.Llama.Media;

namespace Tamx.Web.Requests;

/// <summary>
/// Reads what both kinds of request have besides the conversation: how to generate, how to compute maps, which frames
/// to take.
/// </summary>
internal static class OptionsReader
{
    /// <summary>As many as OpenAI's API takes.</summary>
    private const int MaxStopTexts = 4;

    /// <summary>More than the method has.</summary>
    private const int MaxOptions = 100;

    /// <summary>Options of the method that are the model's.</summary>
    private static readonly string[] ModelsOptions = ["mergeSize", "temporalMergeSize"];

    /// <summary>How a run is made and explained.</summary>
    /// <param name="method">
    /// The method's options by name, <c>profile</c> among them; null for the standard ones.
    /// </param>
    /// <param name="maxTokens">Most tokens of the answer; null for what is usual.</param>
    /// <param name="candidates">Candidates per token; null for what is usual.</param>
    /// <param name="sampling">Where the options of sampling stand.</param>
    /// <param name="names">What the request calls its settings.</param>
    /// <param name="limits">What nothing may exceed.</param>
    public static ExplainOptions Read(
        JsonElement? method,
        int? maxTokens,
        int? candidates,
        JsonElement sampling,
        FieldNames names,
        RequestLimits limits
    )
    {
        var standard = new ExplainOptions();
        var completion = standard.Completion;
        return standard with
        {
            Tam = ReadTam(method, names),
            Completion = completion with
            {
                MaxContextSize = limits.MaxContextTokens,
                MaxNewTokens = maxTokens ?? Math.Min(completion.MaxNewTokens, limits.MaxAnswerTokens),
                CandidateCount = candidates ?? Math.Min(completion.CandidateCount, limits.MaxCandidates),
                Temperature = Number("temperature", 0, 100) ?? completion.Temperature,
                TopK = Json.Whole(sampling, names.TopK, 0, int.MaxValue) ?? completion.TopK,
                TopP = Number(names.TopP, 0, 1) ?? completion.TopP,
                MinP = Number(names.MinP, 0, 1) ?? completion.MinP,
                PresencePenalty = Number(names.PresencePenalty, -100, 100) ?? completion.PresencePenalty,
                FrequencyPenalty = Number(names.FrequencyPenalty, -100, 100) ?? completion.FrequencyPenalty,
                RepeatPenalty = Number(names.RepeatPenalty, 0.01, 100) ?? completion.RepeatPenalty,
                RepeatLastN = Json.Whole(sampling, names.RepeatLastN, -1, int.MaxValue) ?? completion.RepeatLastN,
                LogitBias = ReadBiases(sampling, names.LogitBias),
                StopTexts = ReadStopTexts(sampling, limits),
                Seed = ReadSeed(sampling) ?? completion.Seed,
            },
        };

        float? Number(string name, double least, double most) => (float?)Json.Number(sampling, name, least, most);
    }

    /// <summary>Whether a request says nothing of the method, so that the model's calibration may choose it.</summary>
    public static bool LeavesMethod(JsonElement? method) =>
        method is not { ValueKind: JsonValueKind.Object } values || !values.EnumerateObject().Any();

    /// <summary>Which frames of videos to take: <c>fps</c> and <c>maxFrames</c>.</summary>
    public static VideoSampling ReadFrames(JsonElement parent, RequestLimits limits)
    {
        var standard = new VideoSampling();
        return standard with
        {
            FramesPerSecond = Json.Number(parent, "fps", 0.001, 1000) ?? standard.FramesPerSecond,
            MaxFrames = Json.Whole(parent, "maxFrames", 1, limits.MaxFrames) ?? limits.MaxFrames,
        };
    }

    /// <summary>Any whole number of 64 bits, of which llama.cpp uses 32.</summary>
    private static uint? ReadSeed(JsonElement sampling) =>
        Json.Find(sampling, "seed") switch
        {
            null => null,
            { ValueKind: JsonValueKind.Number } value when value.TryGetInt64(out var seed) => unchecked((uint)seed),
            _ => throw Json.Fault("seed", "must be a whole number of at most 64 bits"),
        };

    private static string[] ReadStopTexts(JsonElement sampling, RequestLimits limits)
    {
        JsonElement[] values = Json.Find(sampling, "stop") switch
        {
            null => [],
            { ValueKind: JsonValueKind.Array } list when list.GetArrayLength() <= MaxStopTexts =>
            [
                .. list.EnumerateArray(),
            ],
            { } value => [value],
        };
        string[] texts = [.. values.Select(TextOf)];
        return texts.Sum(text => text.Length) <= limits.MaxTextCharacters
            ? texts
            : throw Json.Fault("stop", $"must have at most {limits.MaxTextCharacters} characters");

        static string TextOf(JsonElement value) =>
            value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text
                ? text
                : throw Json.Fault(
                    "stop",
                    $"must be a text that is not empty, or a list of at most {MaxStopTexts} of them"
                );
    }

    private static Dictionary<int, float> ReadBiases(JsonElement sampling, string name)
    {
        var biases = new Dictionary<int, float>();
        if (Json.Find(sampling, name) is not { } map)
        {
            return biases;
        }

        if (map.ValueKind != JsonValueKind.Object)
        {
            throw Json.Fault(name, "must be an object of token ids and numbers");
        }

        foreach (var property in map.EnumerateObject())
        {
            var isId = int.TryParse(property.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id);
            if (
                !isId
                || property.Value.ValueKind != JsonValueKind.Number
                || !(Math.Abs(property.Value.GetDouble()) <= CompletionOptions.MaxLogitBias)
            )
            {
                const float Most = CompletionOptions.MaxLogitBias;
                throw Json.Fault(
                    name,
                    FormattableString.Invariant(
                        $"must have token ids as names and numbers from {-Most} to {Most} as values"
                    )
                );
            }

            biases[id] = (float)property.Value.GetDouble();
        }

        return biases;
    }

    /// <summary>The method's options from an object of names and values, <c>profile</c> among them.</summary>
    private static TamOptions ReadTam(JsonElement? options, FieldNames names)
    {
        if (options is not { } values)
        {
            return new TamOptions();
        }

        if (values.ValueKind != JsonValueKind.Object)
        {
            throw Json.Fault("options", "must be an object of names and values");
        }

        if (values.EnumerateObject().Count() > MaxOptions)
        {
            throw Json.Fault("options", $"must have at most {MaxOptions} names");
        }

        try
        {
            // The method is first: it decides what stands for options that are not named.
            var tam = TamOptions.ForProfile(ReadProfile(values));
            foreach (
                var option in values
                    .EnumerateObject()
                    .Where(option => option.Name != "profile")
                    .OrderByDescending(IsMethod)
            )
            {
                if (ModelsOptions.Contains(option.Name, StringComparer.OrdinalIgnoreCase))
                {
                    throw Json.Fault(option.Name, "is not for requests to set");
                }

                var value = option.Value;
                var isText = value.ValueKind == JsonValueKind.String;
                tam = tam.Set(option.Name, isText ? value.GetString()! : value.GetRawText());
                tam = IsMethod(option) ? tam.WithMethod(tam.Method) : tam;
            }

            tam.Validate();
            return tam;
        }
        catch (InvalidInputException e)
        {
            throw ApiException.BadRequest("invalid_option", e.Describe(names.NameOf));
        }
    }

    private static bool IsMethod(JsonProperty option) =>
        option.Name.Equals(nameof(TamOptions.Method), StringComparison.OrdinalIgnoreCase);

    private static TamProfile ReadProfile(JsonElement options)
    {
        if (Json.Find(options, "profile") is null)
        {
            return TamProfile.Tamx;
        }

        // By name alone: Enum.TryParse takes numbers and lists of names too.
        var name = Json.Text(options, "profile");
        var profiles = Enum.GetValues<TamProfile>();
        var index = Array.FindIndex(
            profiles,
            profile => profile.ToString().Equals(name, StringComparison.OrdinalIgnoreCase)
        );
        return index >= 0
            ? profiles[index]
            : throw Json.Fault("profile", $"must be {string.Join(", ", profiles).ToLowerInvariant()}");
    }
}
