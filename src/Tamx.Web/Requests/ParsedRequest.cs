using Tamx.Llama.Chat;
using Tamx.Web.Wire;

namespace Tamx.Web.Requests;

/// <summary>A request, checked as far as that can be done without decoding pictures.</summary>
/// <param name="Messages">The conversation.</param>
/// <param name="Files">Pictures and videos that it names by index.</param>
/// <param name="Options">How to answer and explain.</param>
/// <param name="Prompt">The last question's text, cut short.</param>
/// <param name="Fields">What the request calls its settings.</param>
/// <param name="UsesCalibration">
/// Whether the model's calibration, if there is one, chooses how maps are made: the request says nothing of that.
/// </param>
/// <param name="WithMaps">Whether the answer is to be explained, and the run's files written.</param>
/// <param name="WithVerdicts">Whether it is to be measured how far the pictures support each word.</param>
internal sealed record ParsedRequest(
    IReadOnlyList<ParsedMessage> Messages,
    IReadOnlyList<ReadOnlyMemory<byte>> Files,
    ExplainOptions Options,
    string Prompt,
    FieldNames Fields,
    bool UsesCalibration,
    bool WithMaps,
    bool WithVerdicts
)
{
    public WorkerRequest ForWorker(RequestLimits limits, string folder) =>
        new(
            Messages,
            Options,
            UsesCalibration,
            WithMaps,
            WithVerdicts,
            Files.Count,
            limits.MaxFrames,
            limits.Pictures,
            folder
        );
}
