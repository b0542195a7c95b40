using System.Text.Json;
using Tamx.Llama;
using Tamx.Llama.Media;

namespace Tamx.Web.Requests;

/// <summary>What a kind of request calls its settings, where the kinds differ.</summary>
internal sealed record FieldNames(
    string MaxTokens,
    string TopK,
    string TopP,
    string MinP,
    string PresencePenalty,
    string FrequencyPenalty,
    string RepeatPenalty,
    string RepeatLastN,
    string LogitBias,
    string Thinking
)
{
    /// <summary>Names of <c>/api/explain</c>.</summary>
    public static FieldNames Explain { get; } =
        new(
            "maxTokens",
            "topK",
            "topP",
            "minP",
            "presencePenalty",
            "frequencyPenalty",
            "repeatPenalty",
            "repeatLastN",
            "logitBias",
            "thinking"
        );

    /// <summary>Names of OpenAI's API, and llama.cpp's where OpenAI has none.</summary>
    public static FieldNames Chat { get; } =
        new(
            "max_tokens",
            "top_k",
            "top_p",
            "min_p",
            "presence_penalty",
            "frequency_penalty",
            "repeat_penalty",
            "repeat_last_n",
            "logit_bias",
            "chat_template_kwargs.enable_thinking"
        );

    /// <summary>The options of sampling.</summary>
    public string[] Sampling =>
        [
            "temperature",
            TopK,
            TopP,
            MinP,
            PresencePenalty,
            FrequencyPenalty,
            RepeatPenalty,
            RepeatLastN,
            LogitBias,
            "stop",
            "seed",
        ];

    /// <summary>The field of a setting that an error names; null if requests have none for it.</summary>
    public string? NameOf(Setting setting) =>
        setting.Property switch
        {
            nameof(CompletionOptions.MaxNewTokens) => MaxTokens,
            nameof(CompletionOptions.CandidateCount) => "candidates",
            nameof(CompletionOptions.Temperature) => "temperature",
            nameof(CompletionOptions.TopK) => TopK,
            nameof(CompletionOptions.TopP) => TopP,
            nameof(CompletionOptions.MinP) => MinP,
            nameof(CompletionOptions.PresencePenalty) => PresencePenalty,
            nameof(CompletionOptions.FrequencyPenalty) => FrequencyPenalty,
            nameof(CompletionOptions.RepeatPenalty) => RepeatPenalty,
            nameof(CompletionOptions.RepeatLastN) => RepeatLastN,
            nameof(CompletionOptions.LogitBias) => LogitBias,
            nameof(CompletionOptions.StopTexts) => "stop",
            nameof(CompletionOptions.Thinking) => Thinking,
            nameof(CompletionOptions.Region) => "region",
            nameof(CompletionOptions.MaxContextSize) => "maxContextTokens",
            nameof(VideoSampling.FramesPerSecond) => "fps",
            nameof(VideoSampling.MaxFrames) => "maxFrames",
            nameof(VideoSampling.MinFrames) => "min_frames",
            nameof(VideoSampling.FrameCount) => "nframes",
            nameof(VideoSampling.StartSeconds) => "video_start",
            nameof(VideoSampling.EndSeconds) => "video_end",
            var method when typeof(TamOptions).GetProperty(method) is not null =>
                JsonNamingPolicy.CamelCase.ConvertName(method),
            _ => null,
        };
}
