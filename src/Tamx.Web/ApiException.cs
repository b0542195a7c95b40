namespace Tamx.Web;

/// <summary>The answer to a request is an error: <c>{ "error": { "message", "type", "code" } }</c>.</summary>
internal sealed class ApiException(int status, string code, string message, int? retryAfterSeconds = null)
    : Exception(message)
{
    /// <summary>HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>What a program tells errors apart by; docs/server.md lists them.</summary>
    public string Code { get; } = code;

    /// <summary>When to try again, where that is known.</summary>
    public int? RetryAfterSeconds { get; } = retryAfterSeconds;

    /// <summary>The body.</summary>
    public object Body =>
        new
        {
            error = new
            {
                message = Message,
                type = TypeOf(Status),
                code = Code,
            },
        };

    public static ApiException BadRequest(string code, string message) => new(400, code, message);

    // The names that OpenAI's API uses.
    private static string TypeOf(int status) =>
        status switch
        {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            429 => "rate_limit_error",
            < 500 => "invalid_request_error",
            _ => "server_error",
        };
}
