using System.Text.Json;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Tamx.Cli;

#pragma warning disable MCP9005 // The protocol gives up roots with its version of 2026-07-28; clients still have them.

/// <summary>The folders that a client of the Model Context Protocol names as its roots.</summary>
internal static class McpRoots
{
    private const string Key = "roots";

    /// <summary>The roots, asked for anew, since they may have changed; null if the client has no such thing.</summary>
    /// <param name="request">The call.</param>
    /// <param name="cancellationToken">Ends the waiting for the client.</param>
    /// <exception cref="InputRequiredException">The client has to send the call again, with its roots.</exception>
    /// <exception cref="InvalidInputException">A root is no folder of this machine.</exception>
    public static async Task<AllowedFolders?> OfAsync(
        RequestContext<CallToolRequestParams> request,
        CancellationToken cancellationToken
    )
    {
        if (request.Server.ClientCapabilities?.Roots is null)
        {
            return null;
        }

        ListRootsResult? result;
        if (!request.Server.IsMrtrSupported)
        {
            result = await request.Server.RequestRootsAsync(new ListRootsRequestParams(), cancellationToken);
        }
        else if (request.Params?.InputResponses?.TryGetValue(Key, out var response) is true)
        {
            result = Read(response);
        }
        else
        {
            var ask = InputRequest.ForRootsList(new ListRootsRequestParams());
            throw new InputRequiredException(new Dictionary<string, InputRequest> { [Key] = ask });
        }

        return new AllowedFolders(result?.Roots.Select(root => PathOf(root.Uri)) ?? []);
    }

    private static ListRootsResult? Read(InputResponse response)
    {
        try
        {
            return response.Deserialize(InputResponse.ListRootsResultJsonTypeInfo);
        }
        catch (JsonException e)
        {
            throw new InvalidInputException("the client's list of roots is none", e);
        }
    }

    private static string PathOf(string root) =>
        Uri.TryCreate(root, UriKind.Absolute, out var uri) && uri.IsFile && !uri.IsUnc
            ? uri.LocalPath
            : throw new InvalidInputException($"the client's root {root} is no folder of this machine (file:///path)");
}
