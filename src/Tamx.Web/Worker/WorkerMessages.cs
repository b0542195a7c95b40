using System.Text.Json;
using System.Text.Json.Serialization;
using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;

namespace Tamx.Web.Worker;

/// <summary>Which model to load, and which engine to compute maps with.</summary>
internal sealed record LoadCommand(ModelOptions Model, EngineOptions Engine);

/// <summary>A request, checked as far as that goes without decoding pictures.</summary>
/// <param name="Messages">The conversation; the last message may be the assistant's, an answer to explain.</param>
/// <param name="Options">How to answer and explain.</param>
/// <param name="FileCount">Files that follow.</param>
/// <param name="MaxFrames">Frames of all videos together.</param>
/// <param name="Pictures">What each picture and frame may be.</param>
/// <param name="Folder">The folder of the run, where its files are written.</param>
internal sealed record ExplainCommand(
    IReadOnlyList<MessageContent> Messages, ExplainOptions Options, int FileCount, int MaxFrames, ImageLimits Pictures, string Folder);

/// <summary>A message.</summary>
internal sealed record MessageContent(ChatRole Role, IReadOnlyList<PartContent> Parts);

/// <summary>A part of a message: a text; a picture (one file); or a video: one file, or its frames.</summary>
/// <param name="Text">The text, or null.</param>
/// <param name="Files">Indices of files.</param>
/// <param name="Name">What the picture or video is called.</param>
/// <param name="IsVideo">Whether the files are a video.</param>
/// <param name="IsFrameList">Whether each file is a frame of it.</param>
/// <param name="Sampling">Which frames of a video to look at.</param>
/// <param name="Bounds">How large the model is to look at it; null where nothing is said.</param>
internal sealed record PartContent(
    string? Text,
    IReadOnlyList<int>? Files = null,
    string? Name = null,
    bool IsVideo = false,
    bool IsFrameList = false,
    VideoSampling? Sampling = null,
    PixelBounds? Bounds = null);

/// <summary>How far a request has come: <c>load</c>, <c>image</c>, <c>prefill</c>, <c>generate</c> or <c>report</c>.</summary>
internal sealed record ProgressEvent(string Phase, double Done, double Total);

/// <summary>What a server may tell of its model.</summary>
internal sealed record ModelDescription(string Name, string Architecture, string? Quantization, int ContextLength, bool SeesPictures, bool ReadsVideoFiles);

/// <summary>An answer with its files written.</summary>
internal sealed record DoneEvent(
    string Answer, StopReason StopReason, bool WasStopped, int PromptTokens, int AnswerTokens, IReadOnlyDictionary<string, double> Seconds);

/// <summary>Why a request came to nothing, as an HTTP status, a code and one line.</summary>
internal sealed record FailedEvent(int Status, string Code, string Message);

/// <summary>JSON between server and worker, and to clients.</summary>
internal static class WireJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static byte[] Bytes<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Options);

    public static T Read<T>(byte[] content) =>
        JsonSerializer.Deserialize<T>(content, Options) ?? throw new InvalidDataException($"no {typeof(T).Name}");
}
