using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tamx;

/// <summary>How options and facts of a run stand in saved files.</summary>
internal static class SavedJson
{
    public static JsonSerializerOptions Options { get; } =
        new(JsonSerializerDefaults.Web)
        {
            MaxDepth = 8,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
        };
}
