using Tamx.Kernels;
using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;

namespace Tamx.Web.Wire;

/// <summary>Which model to load, and which engine to compute maps with.</summary>
internal sealed record LoadCommand(ModelOptions Model, EngineOptions Engine);

/// <summary>A request, checked as far as that can be done without decoding pictures.</summary>
/// <param name="Messages">
/// The conversation; the last message may be the assistant's, an answer to explain. Its sources name files by index.
/// </param>
/// <param name="Options">How to answer and explain.</param>
/// <param name="FileCount">Files that follow.</param>
/// <param name="MaxFrames">Frames of all videos together.</param>
/// <param name="Pictures">What each picture and frame may be.</param>
/// <param name="Folder">The folder of the run, where its files are written.</param>
internal sealed record WorkerRequest(
    IReadOnlyList<ParsedMessage> Messages,
    ExplainOptions Options,
    int FileCount,
    int MaxFrames,
    ImageLimits Pictures,
    string Folder
);

/// <summary>
/// How far a request has come: <c>load</c>, <c>image</c>, <c>prefill</c>, <c>generate</c> or <c>report</c>.
/// </summary>
internal sealed record ProgressEvent(string Phase, double Done, double Total);

/// <summary>What a server may tell of its model.</summary>
internal sealed record ModelDescription(
    string Name,
    string? Description,
    string Architecture,
    string? Quantization,
    int ContextLength,
    bool SeesPictures,
    bool ReadsVideoFiles
);

/// <summary>An answer with its files written.</summary>
internal sealed record DoneEvent(
    string Answer,
    StopReason StopReason,
    bool WasStopped,
    int PromptTokens,
    int AnswerTokens,
    IReadOnlyDictionary<string, double> Seconds
);
