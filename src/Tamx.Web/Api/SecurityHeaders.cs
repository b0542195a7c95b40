using Microsoft.AspNetCore.Http;

namespace Tamx.Web.Api;

/// <summary>What every answer tells the browser not to do.</summary>
internal static class SecurityHeaders
{
    private const string PagePolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src blob:; "
        + "connect-src 'self'; frame-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>For data: nothing in it is a page.</summary>
    private const string DataPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox";

    /// <summary>
    /// A report brings its own policy. Here it loses its origin, so that nothing in it can use this server in the
    /// user's name.
    /// </summary>
    private const string ReportPolicy =
        "sandbox allow-scripts allow-downloads allow-popups; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

    public static void Set(HttpResponse response)
    {
        var headers = response.Headers;
        headers.ContentSecurityPolicy = DataPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
        headers.CacheControl = "no-store";
    }

    public static void AllowPage(HttpResponse response) => response.Headers.ContentSecurityPolicy = PagePolicy;

    public static void AllowReport(HttpResponse response)
    {
        response.Headers.ContentSecurityPolicy = ReportPolicy;
        response.Headers.XFrameOptions = "SAMEORIGIN";
    }
}
