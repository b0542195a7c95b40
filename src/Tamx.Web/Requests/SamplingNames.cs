namespace Tamx.Web.Requests;

/// <summary>What a kind of request calls the options of sampling. <c>temperature</c> and <c>seed</c> are called so in all.</summary>
internal sealed record SamplingNames(
    string TopK,
    string TopP,
    string MinP,
    string PresencePenalty,
    string FrequencyPenalty,
    string RepeatPenalty,
    string RepeatLastN)
{
    /// <summary>Names of <c>/api/explain</c>.</summary>
    public static SamplingNames Explain { get; } =
        new("topK", "topP", "minP", "presencePenalty", "frequencyPenalty", "repeatPenalty", "repeatLastN");

    /// <summary>Names of OpenAI's API, and llama.cpp's where OpenAI has none.</summary>
    public static SamplingNames Chat { get; } =
        new("top_k", "top_p", "min_p", "presence_penalty", "frequency_penalty", "repeat_penalty", "repeat_last_n");

    /// <summary>All names.</summary>
    public string[] All =>
        ["temperature", TopK, TopP, MinP, PresencePenalty, FrequencyPenalty, RepeatPenalty, RepeatLastN, "seed"];
}
