namespace Tamx.Web.Requests;

/// <summary>A file part of a multipart request.</summary>
/// <param name="FileName">What the client calls it; fit to be shown, not to be opened.</param>
/// <param name="Content">Its bytes.</param>
internal sealed record Upload(string FileName, ReadOnlyMemory<byte> Content);
