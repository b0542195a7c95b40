using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Tamx.Web.Api;

/// <summary>
/// Who may talk to the server: the right Host, no foreign Origin but those allowed, and the key where there is one.
/// </summary>
internal sealed class RequestGuard(ServerOptions options, Listening listening)
{
    private const string AnyHost = "*";

    private readonly bool _isLoopback = listening.IsLoopback;
    private readonly string[] _allowedHosts = [.. options.AllowedHosts.Select(AsciiOf)];
    private readonly byte[]? _key = options.ApiKey is { } key ? HashOf(key) : null;

    /// <summary>Refuses a request from where none may come.</summary>
    /// <exception cref="ApiException">403.</exception>
    public void CheckSource(HttpRequest request)
    {
        // A name that leads here today and elsewhere tomorrow (DNS rebinding) is not ours.
        // As it was sent: the framework makes Unicode of a name, and not of every name it can.
        var host = new HostString(request.Headers.Host.ToString());
        if (!IsOwnHost(host.Host))
        {
            throw new ApiException(
                403,
                "wrong_host",
                "this server does not answer to the Host of the request; the one who runs it can allow it"
            );
        }

        // Browsers send an Origin with whatever another page makes them post; tools send none. Behind a proxy with TLS
        // the page's scheme is https, while it is http here.
        var origin = request.Headers.Origin is [{ } first, ..] ? first : null;
        if (origin is not null && IsAllowed(origin))
        {
            return;
        }

        if (origin is not null && origin != $"http://{host.Value}" && origin != $"https://{host.Value}")
        {
            throw new ApiException(403, "wrong_origin", "the request comes from a page of another origin");
        }

        if (IsApi(request.Path) && request.Headers["Sec-Fetch-Site"] is ["cross-site" or "same-site", ..])
        {
            throw new ApiException(403, "wrong_origin", "the request comes from a page of another site");
        }
    }

    /// <summary>Refuses a request without the key where one is needed.</summary>
    /// <exception cref="ApiException">401.</exception>
    public void CheckKey(HttpRequest request)
    {
        if (_key is not null && IsApi(request.Path) && !IsOpen(request.Path) && !HasKey(request))
        {
            throw new ApiException(401, "wrong_api_key", "this server wants its API key: Authorization: Bearer KEY");
        }
    }

    private static bool IsApi(PathString path) =>
        path.StartsWithSegments("/api") || path.StartsWithSegments("/v1") || path.StartsWithSegments("/metrics");

    /// <summary>The page must know whether to ask for a key before it has one.</summary>
    private static bool IsOpen(PathString path) => path == "/api/config";

    private static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>A name as it comes in requests.</summary>
    private static string AsciiOf(string name)
    {
        try
        {
            return new IdnMapping().GetAscii(name);
        }
        catch (ArgumentException)
        {
            return name;
        }
    }

    private bool IsAllowed(string origin) =>
        options.AllowedOrigins.Contains(Cors.Any) || options.AllowedOrigins.Contains(origin, StringComparer.Ordinal);

    private bool IsOwnHost(string host)
    {
        var isAddress = IPAddress.TryParse(host.Trim('[', ']'), out var address) && IsPlain(host, address);
        return host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (isAddress && (!_isLoopback || IPAddress.IsLoopback(address!)))
            || (
                !_isLoopback
                && (_allowedHosts.Contains(AnyHost) || _allowedHosts.Contains(host, StringComparer.OrdinalIgnoreCase))
            );
    }

    /// <summary>Not the odd spellings (0x7f.1, 2130706433) that IPAddress reads too.</summary>
    private static bool IsPlain(string host, IPAddress address) =>
        host.Trim('[', ']').Equals(address.ToString(), StringComparison.OrdinalIgnoreCase);

    private bool HasKey(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        return request.Headers.Authorization is [{ } value]
            && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(HashOf(value[Scheme.Length..]), _key);
    }
}
