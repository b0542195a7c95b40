using System.Text.Json.Serialization;

namespace Tamx;

/// <summary>How maps are computed.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MapMethod>))]
public enum MapMethod
{
    /// <summary>Token Activation Maps: products of hidden states and output rows, ECI and rank filter.</summary>
    [JsonStringEnumMemberName("tam")]
    Tam,

    /// <summary>
    /// Logit lens: the token's probability over the whole vocabulary in each cell, after <see cref="TamOptions.Layer"/>.
    /// </summary>
    [JsonStringEnumMemberName("lens")]
    Lens,

    /// <summary>What attention wrote from each cell towards the token's logit, over all layers and heads.</summary>
    [JsonStringEnumMemberName("evidence")]
    Evidence,
}
