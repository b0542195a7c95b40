using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Tamx.Web.Requests;

namespace Tamx.Web.Tests;

[Collection(OneServer.Name)]
public sealed class OpenApiTests(SharedServer shared)
{
    [Fact]
    public async Task Document_NamesEveryRouteAndNoOther()
    {
        using var document = JsonDocument.Parse(await shared.Running.Client.GetStringAsync("/openapi.json"));
        var described = document
            .RootElement.GetProperty("paths")
            .EnumerateObject()
            .SelectMany(path =>
                path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}")
            );
        var served = shared
            .Running.Server.Endpoints.Where(endpoint =>
                endpoint.Metadata.GetMetadata<HttpMethodMetadata>() is not null
                && endpoint.RoutePattern.RawText is not ("/" or "/assets/{**path}")
            )
            .SelectMany(endpoint =>
                endpoint
                    .Metadata.GetMetadata<HttpMethodMetadata>()!
                    .HttpMethods.Select(method =>
                        $"{method} {endpoint.RoutePattern.RawText!.Replace("{**", "{", StringComparison.Ordinal)}"
                    )
            );
        Assert.Equal(served.Order(), described.Order());
    }

    [Fact]
    public async Task Document_NamesTheFieldsOfARequest()
    {
        using var document = JsonDocument.Parse(await shared.Running.Client.GetStringAsync("/openapi.json"));
        var schemas = document.RootElement.GetProperty("components").GetProperty("schemas");
        var names = schemas
            .GetProperty("ExplainRequest")
            .GetProperty("properties")
            .EnumerateObject()
            .Select(property => property.Name);

        // The server's own list is in the message that refuses any other name.
        using var refused = await shared.Running.PostAsync(new { nonsense = 1 });
        var answer = JsonDocument.Parse(await refused.Content.ReadAsStringAsync()).RootElement;
        var message = answer.GetProperty("error").GetProperty("message").GetString()!;
        Assert.Equal(message.Split("known are ")[^1].Split(", ").Order(), names.Order());
        var references = document.RootElement.GetRawText().Split("#/components/schemas/").Skip(1);
        foreach (var reference in references.Select(rest => rest[..rest.IndexOf('"')]))
        {
            Assert.True(schemas.TryGetProperty(reference, out _), reference);
        }
    }

    [Fact]
    public async Task Document_NamesTheFieldsOfAChatRequest()
    {
        using var document = JsonDocument.Parse(await shared.Running.Client.GetStringAsync("/openapi.json"));
        var schemas = document.RootElement.GetProperty("components").GetProperty("schemas");
        var chat = schemas.GetProperty("ChatRequest");

        Assert.Equal(
            ChatRequestReader.Used.Append("model").Order(StringComparer.Ordinal),
            chat.GetProperty("properties").EnumerateObject().Select(one => one.Name).Order(StringComparer.Ordinal)
        );
        var description = chat.GetProperty("description").GetString()!;
        Assert.All(ChatRequestReader.PassedOver, name => Assert.Contains(name, description, StringComparison.Ordinal));
    }
}
