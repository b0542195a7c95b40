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
    public static void Allow(CorsPolicyBuilder policy, IReadOnlyList<string> origins)
    {
        policy
            .WithMethods("GET", "POST", "DELETE")
            .AllowAnyHeader()
            .WithExposedHeaders(ExplainApi.RunHeader, "Retry-After")
            .SetPreflightMaxAge(AnswerAge);
        _ = origins.Contains(Any) ? policy.AllowAnyOrigin() : policy.WithOrigins([.. origins]);
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
