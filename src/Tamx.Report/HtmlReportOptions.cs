namespace Tamx.Report;

/// <summary>Options of <see cref="HtmlReport"/>.</summary>
public sealed record HtmlReportOptions
{
    /// <summary>The page's title; null takes one from the first picture's name.</summary>
    public string? Title { get; init; }
}
