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

    /// <summary>
    /// The mean of <see cref="Evidence"/> and <see cref="Lens"/>, each over its largest value in the picture: cells
    /// that attention took the token from, and that spell it out.
    /// </summary>
    [JsonStringEnumMemberName("joint")]
    Joint,
}

/// <summary>What the methods need of a model.</summary>
internal static class MapMethods
{
    /// <summary>Whether the method needs attention (<see cref="Trace.Evidence"/>).</summary>
    public static bool NeedsEvidence(this MapMethod method) => method is MapMethod.Evidence or MapMethod.Joint;

    /// <summary>Whether the method needs a layer's sums over the vocabulary.</summary>
    public static bool NeedsLogSums(this MapMethod method) => method is MapMethod.Lens or MapMethod.Joint;
}
