namespace Tamx.Report;

/// <summary>Options of <see cref="HtmlReport"/>.</summary>
public sealed record HtmlReportOptions
{
    /// <summary>The page's title. Null takes one from the first picture's name.</summary>
    public string? Title { get; init; }

    /// <summary>
    /// Bits per value of a map: 8 (the default) or 16. A value is exact to half a level of its map's own range.
    /// </summary>
    public int MapBits { get; init; } = 8;

    /// <summary>
    /// Most pixels of a picture. A larger picture is scaled down to this and written as JPEG. All others stand in the
    /// page byte for byte. 4,000,000 by default.
    /// </summary>
    public long MaxImagePixels { get; init; } = 4_000_000;

    /// <summary>Maps of the same answer by other methods, to be shown beside the others or in their place.</summary>
    public IReadOnlyList<ActivationMaps> Others { get; init; } = [];

    /// <summary>How far the picture supports each word; empty where it was not measured.</summary>
    public IReadOnlyList<WordSupport> Supports { get; init; } = [];

    /// <summary>Checks of words' maps; empty where none were made.</summary>
    public IReadOnlyList<MapCheck> Checks { get; init; } = [];

    /// <summary>What the model's calibration says, in a line; null where the model is not calibrated.</summary>
    public string? Calibration { get; init; }

    /// <summary>
    /// The number of text relevance entries kept per token, greatest first. It keeps a long answer's report in
    /// proportion to its length.
    /// </summary>
    internal const int MostSources = 256;

    /// <summary>Refuses values that no page can be written with.</summary>
    /// <exception cref="InvalidInputException">An option is out of range; the message names it.</exception>
    public void Validate()
    {
        if (MapBits is not (8 or 16))
        {
            throw new InvalidInputException($"report: {MapBits} bits per map value; 8 or 16 are possible");
        }

        if (MaxImagePixels < 1)
        {
            throw new InvalidInputException(
                $"report: at most {MaxImagePixels} pixels per picture; at least 1 is needed"
            );
        }
    }
}
