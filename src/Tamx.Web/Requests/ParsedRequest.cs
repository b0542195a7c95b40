using Tamx.Web.Worker;

namespace Tamx.Web.Requests;

/// <summary>A request that was checked as far as that goes without decoding pictures.</summary>
/// <param name="Messages">The conversation.</param>
/// <param name="Files">Pictures and videos that it names by index.</param>
/// <param name="Options">How to answer and explain.</param>
/// <param name="Prompt">The last question's text.</param>
internal sealed record ParsedRequest(IReadOnlyList<MessageContent> Messages, IReadOnlyList<byte[]> Files, ExplainOptions Options, string Prompt)
{
    public ExplainCommand ToCommand(RequestLimits limits, string folder) => new(Messages, Options, Files.Count, limits.MaxFrames, limits.Pictures, folder);
}

/// <summary>A file part of a multipart request.</summary>
/// <param name="FileName">What the client calls it; fit to be shown, not to be opened.</param>
/// <param name="Content">Its bytes.</param>
internal sealed record Upload(string FileName, byte[] Content);
