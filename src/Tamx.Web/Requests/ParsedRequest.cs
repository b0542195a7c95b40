using Tamx.Llama.Chat;
using Tamx.Web.Wire;

namespace Tamx.Web.Requests;

/// <summary>A request, checked as far as that can be done without decoding pictures.</summary>
/// <param name="Messages">The conversation.</param>
/// <param name="Files">Pictures and videos that it names by index.</param>
/// <param name="Options">How to answer and explain.</param>
/// <param name="Prompt">The last question's text, cut short.</param>
/// <param name="Fields">What the request calls its settings.</param>
/// <param name="WithMaps">Whether the answer is to be explained, and the run's files written.</param>
internal sealed record ParsedRequest(
    IReadOnlyList<ParsedMessage> Messages,
    IReadOnlyList<ReadOnlyMemory<byte>> Files,
    ExplainOptions Options,
    string Prompt,
    FieldNames Fields,
    bool WithMaps = true
)
{
    public WorkerRequest ForWorker(RequestLimits limits, string folder) =>
        new(Messages, Options, WithMaps, Files.Count, limits.MaxFrames, limits.Pictures, folder);
}
