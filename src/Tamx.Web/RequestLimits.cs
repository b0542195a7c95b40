using Tamx.Llama.Media;

namespace Tamx.Web;

/// <summary>What one request may ask for at most.</summary>
public sealed record RequestLimits
{
    /// <summary>Bytes of a request's body. 32 MB by default.</summary>
    public long MaxBodyBytes { get; init; } = 32_000_000;

    /// <summary>Seconds that a body may take to arrive. 60 by default.</summary>
    public double MaxBodySeconds { get; init; } = 60;

    /// <summary>Bytes of an encoded picture. 10 MB by default.</summary>
    public long MaxPictureBytes { get; init; } = 10_000_000;

    /// <summary>Width x height of a picture. 40 megapixels by default.</summary>
    public long MaxPicturePixels { get; init; } = 40_000_000;

    /// <summary>Pictures of a request, frames of videos not counted. 8 by default.</summary>
    public int MaxPictures { get; init; } = 8;

    /// <summary>Frames of all videos of a request together. 64 by default.</summary>
    public int MaxFrames { get; init; } = 64;

    /// <summary>Characters (UTF-16) of all text of a request. 16,000 by default.</summary>
    public int MaxTextCharacters { get; init; } = 16_000;

    /// <summary>Tokens of an answer that a request may ask for. 1024 by default.</summary>
    public int MaxAnswerTokens { get; init; } = 1024;

    /// <summary>
    /// Tokens of prompt and answer together. 16,384 by default, or what the model was trained for if that is less.
    /// </summary>
    public int MaxContextTokens { get; init; } = 16_384;

    /// <summary>Candidates per step that a request may ask for. 20 by default, as in OpenAI's API.</summary>
    public int MaxCandidates { get; init; } = 20;

    /// <summary>Seconds that the model may work on a request; waiting does not count. 600 by default.</summary>
    public double MaxSeconds { get; init; } = 600;

    /// <summary>Finished runs that are kept for download. 20 by default.</summary>
    public int MaxRuns { get; init; } = 20;

    /// <summary>Bytes of all kept runs' files; the oldest go first. 1 GB by default.</summary>
    public long MaxRunBytes { get; init; } = 1_000_000_000;

    internal ImageLimits Pictures => new() { MaxFileBytes = MaxPictureBytes, MaxPixels = MaxPicturePixels };

    /// <summary>Refuses limits that let nothing through.</summary>
    /// <exception cref="InvalidInputException">A limit is not positive.</exception>
    public void Validate()
    {
        (string Name, double Value)[] limits =
        [
            (nameof(MaxBodyBytes), MaxBodyBytes),
            (nameof(MaxBodySeconds), MaxBodySeconds),
            (nameof(MaxPictureBytes), MaxPictureBytes),
            (nameof(MaxPicturePixels), MaxPicturePixels),
            (nameof(MaxPictures), MaxPictures),
            (nameof(MaxFrames), MaxFrames),
            (nameof(MaxTextCharacters), MaxTextCharacters),
            (nameof(MaxAnswerTokens), MaxAnswerTokens),
            (nameof(MaxContextTokens), MaxContextTokens),
            (nameof(MaxCandidates), MaxCandidates),
            (nameof(MaxSeconds), MaxSeconds),
            (nameof(MaxRuns), MaxRuns),
            (nameof(MaxRunBytes), MaxRunBytes),
        ];
        foreach (var (name, value) in limits)
        {
            if (!(value > 0))
            {
                throw InvalidInputException.Naming($"limit {new Setting(name)} is {value}; it must be more than 0");
            }
        }
    }
}
