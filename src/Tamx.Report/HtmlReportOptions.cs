namespace Tamx.Report;

/// <summary>Options of <see cref="HtmlReport"/>.</summary>
public sealed record HtmlReportOptions
{
    /// <summary>The page's title; null takes one from the first picture's name.</summary>
    public string? Title { get; init; }

    /// <summary>
    /// Bits per value of a map: 8 (the default) or 16. Each map has a range of its own, of which a value is exact to
    /// half a level.
    /// </summary>
    public int MapBits { get; init; } = 8;

    /// <summary>
    /// Pictures of more pixels than this are scaled down to it and written as JPEG; all others stand in the page byte
    /// for byte as they came. 4,000,000 by default.
    /// </summary>
    public long MaxImagePixels { get; init; } = 4_000_000;

    /// <summary>
    /// Entries of text relevance that are kept per token, the greatest ones: a long answer's report stays in proportion
    /// to its length.
    /// </summary>
    internal const int MostSources = 256;

    /// <summary>Refuses values that no page can be written with.</summary>
    /// <exception cref="InvalidInputException">An option is out of its range; the message names it.</exception>
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
