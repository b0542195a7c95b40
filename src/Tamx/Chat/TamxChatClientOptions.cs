using Tamx.Llama.Media;

namespace Tamx;

/// <summary>How a model answers as an <c>IChatClient</c>.</summary>
public sealed record TamxChatClientOptions
{
    /// <summary>
    /// How answers are generated and explained, as far as a request's <c>ChatOptions</c> say nothing else.
    /// </summary>
    public ExplainOptions Explain { get; init; } = new();

    /// <summary>Whether answers are explained. True by default; off, this is plain generation.</summary>
    public bool WithMaps { get; init; } = true;

    /// <summary>Which frames of a video the model sees.</summary>
    public VideoSampling Sampling { get; init; } = new();

    /// <summary>
    /// The folders of which a message may name files (<c>UriContent</c> with <c>file:</c>). None by default. Nothing is
    /// ever fetched from a network.
    /// </summary>
    public AllowedFolders Files { get; init; } = AllowedFolders.None;
}
