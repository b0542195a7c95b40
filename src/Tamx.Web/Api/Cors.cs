using Microsoft.AspNetCore.Cors.Infrastructure;

namespace Tamx.Web.Api;

/// <summary>Which pages of other origins may use the API, as their browsers ask (CORS).</summary>
internal static class Cors
{
    /// <summary>Every origin.</summary>
    public const string Any = "*";

    /// <summary>How long a browser need not ask again.</summary>
    private static readonly TimeSpan AnswerAge = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Lets pages of these origins send any header and read any answer. The key goes in a header, so that no page gets
    /// further than who wrote it; cookies there are none.
    /// </summary>
    public static CorsPolicy PolicyFor(IReadOnlyList<string> origins)
    {
        var policy = new CorsPolicyBuilder()
            .WithMethods("GET", "POST", "DELETE")
            .AllowAnyHeader()
            .WithExposedHeaders(ExplainApi.RunHeader, "Retry-After")
            .SetPreflightMaxAge(AnswerAge);
        return (origins.Contains(Any) ? policy.AllowAnyOrigin() : policy.WithOrigins([.. origins])).Build();
    }

    /// <summary>An origin as browsers send it; null if it is none.</summary>
    /// <param name="text">What somebody wrote.</param>
    public static string? Canonical(string text) =>
        text == Any ? text
        : Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && uri
            is {
                HostNameType: UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6,
                PathAndQuery: "/" or "",
                Fragment: "",
                UserInfo: "",
            }
            ? uri.GetLeftPart(UriPartial.Authority)
        : null;
}
