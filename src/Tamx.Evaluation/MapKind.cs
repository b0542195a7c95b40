using System.Text.Json.Serialization;

namespace Tamx.Evaluation;

/// <summary>Which steps of the method a map went through.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MapKind>))]
public enum MapKind
{
    /// <summary>The activation alone.</summary>
    [JsonStringEnumMemberName("raw")]
    Raw,

    /// <summary>The rank filter alone.</summary>
    [JsonStringEnumMemberName("filter")]
    Filter,

    /// <summary>Estimated causal inference alone.</summary>
    [JsonStringEnumMemberName("eci")]
    Eci,

    /// <summary>Both, as the method has it.</summary>
    [JsonStringEnumMemberName("eci+filter")]
    EciFilter,
}
