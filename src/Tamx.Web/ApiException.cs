using Tamx.Web.Wire;

namespace Tamx.Web;

/// <summary>
/// The answer to a request is an error: <c>{ "error": { "message", "type", "param", "code" } }</c>, as OpenAI has it.
/// </summary>
internal sealed class ApiException(
    int status,
    string code,
    string message,
    int? retryAfterSeconds = null,
    string? parameter = null
) : Exception(message)
{
    /// <summary>HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>What a program tells errors apart by; docs/server.md lists them.</summary>
    public string Code { get; } = code;

    /// <summary>When to try again, where that is known.</summary>
    public int? RetryAfterSeconds { get; } = retryAfterSeconds;

    /// <summary>The body, UTF-8 JSON.</summary>
    public byte[] Body =>
        WireJson.BytesWithNulls(
            new
            {
                error = new
                {
                    message = Message,
                    type = TypeOf(Status),
                    param = parameter,
                    code = Code,
                },
            }
        );

    /// <param name="code">What a program tells errors apart by.</param>
    /// <param name="message">What is wrong.</param>
    /// <param name="parameter">The field of the request that is wrong, if it is one.</param>
    public static ApiException BadRequest(string code, string message, string? parameter = null) =>
        new(400, code, message, parameter: parameter);

    // The names that OpenAI's API uses.
    private static string TypeOf(int status) =>
        status switch
        {
            401 => "authentication_error",
            403 => "permission_error",
            429 => "rate_limit_error",
            < 500 => "invalid_request_error",
            _ => "server_error",
        };
}
