using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tamx.Web.Wire;

/// <summary>JSON between server and worker, and to clients.</summary>
internal static class WireJson
{
    public static JsonSerializerOptions Options { get; } =
        new(JsonSerializerDefaults.Web)
        {
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        };

    public static byte[] Bytes<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Options);

    public static T Read<T>(byte[] content) =>
        JsonSerializer.Deserialize<T>(content, Options) ?? throw new InvalidDataException($"no {typeof(T).Name}");
}
