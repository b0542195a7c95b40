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

    /// <summary>For OpenAI's shapes, in which what is not there is null.</summary>
    public static JsonSerializerOptions OptionsWithNulls { get; } =
        new(Options) { DefaultIgnoreCondition = JsonIgnoreCondition.Never };

    public static byte[] BytesWithNulls<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, OptionsWithNulls);

    public static byte[] Bytes<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Options);

    public static T Read<T>(byte[] content) =>
        JsonSerializer.Deserialize<T>(content, Options) ?? throw new InvalidDataException($"no {typeof(T).Name}");
}
